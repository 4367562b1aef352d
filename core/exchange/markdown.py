"""A run as Markdown: for a pull request, a wiki, a message. Untrusted text is escaped or stands in code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from core.exchange.report import Report, ReportAnswer, report
from core.experiment.verdict_words import letter
from core.history.saved import SavedRun
from core.text import clean, short
from core.types import State

_FIRST_WORDS = 60


def markdown(saved: SavedRun) -> str:
    """The verdict, the table of the columns, how it was decided, the prompts, and the answers' first words.

    Whole answers are in the other formats; the text says so.
    """
    run_report = report(saved)
    parts = [
        f"# {_plain(run_report.title)}",
        f"{run_report.when} · {_plain(', '.join(run_report.experiment.models))} · {run_report.state}",
        f"**{_plain(run_report.sentence)}**",
        *(f"> {_plain(note)}" for note in run_report.notes),
        _plain(run_report.advice),
        _table(run_report.table) if run_report.table else "",
        _method(run_report),
        "## Prompts",
        *_prompts(run_report),
        "## Answers",
        "First words only; the HTML report and the tables have the answers whole.",
        _answers(run_report),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _method(run_report: Report) -> str:
    lines = [f"* **{_plain(what)}**: {_plain(how)}" for what, how in run_report.method]
    return _details("How was this decided?", "\n".join(lines)) if lines else ""


def _prompts(run_report: Report) -> Iterable[str]:
    for position, variant in enumerate(run_report.experiment.variants):
        yield f"### {letter(position)} · {_plain(variant.name)}"
        if variant.system.strip():
            yield f"System:\n\n{_code(variant.system)}"
        yield _code(variant.user)


def _answers(run_report: Report) -> str:
    variables = list(dict.fromkeys(name for row in run_report.rows for name in row.values))
    heading = ["", *variables, *run_report.names]
    lines = [
        [
            str(row.number),
            *(short(row.values.get(name, ""), _FIRST_WORDS) for name in variables),
            *("; ".join(map(_mark, samples)) for samples in row.answers),
        ]
        for row in run_report.rows
    ]
    return _table([heading, *lines])


def _mark(answer: ReportAnswer) -> str:
    mark = {None: "", True: "✓ ", False: "✗ "}[answer.passed]
    if answer.state is not State.DONE:
        return f"({answer.state})"
    words = " ".join(answer.text.split())
    return mark + (short(words, _FIRST_WORDS) or ("image" if answer.images else "sound" if answer.audio else "(empty)"))


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(_plain(field) for field in row)} |" for row in rows]
    return "\n".join([lines[0], f"|{'---|' * len(rows[0])}", *lines[1:]])


def _details(title: str, body: str) -> str:
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>"


def _code(text: str) -> str:
    """A fenced block that its text cannot end."""
    text = clean(text)
    longest = max((len(ticks) for ticks in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _plain(text: str) -> str:
    """Text on one line that is neither Markdown nor HTML nor a link by itself."""
    line = " ".join(clean(text).split())
    escaped = re.sub(r"([\\`*_{}\[\]<>()#+!|~$&@-])", r"\\\1", line)
    return re.sub(r"(?i)(https?|ftp|www)([:.])", r"\1\\\2", escaped)
