"""A run as Markdown: for a pull request, a wiki, a message. Untrusted text is escaped or stands in code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from core.exchange.report import Report, ReportAnswer, report
from core.history.saved import SavedRun
from core.text import clean, short
from core.types import State

_FIRST_WORDS = 60


def markdown(saved: SavedRun) -> str:
    """The verdict, the table of the columns, how it was decided, the prompts, and the answers' first words.

    Whole answers are in the other formats; the text says so.
    """
    made = report(saved)
    parts = [
        f"# {_plain(made.title)}",
        f"{made.when} · {_plain(', '.join(made.experiment.models))} · {made.state}",
        f"**{_plain(made.sentence)}**",
        *(f"> {_plain(note)}" for note in made.notes),
        _plain(made.advice),
        _table([list(made.columns[0]), *(list(row.values()) for row in made.columns)]) if made.columns else "",
        _details(
            "How was this decided?", "\n".join(f"* **{_plain(what)}**: {_plain(how)}" for what, how in made.method)
        )
        if made.method
        else "",
        "## Prompts",
        *_prompts(made),
        "## Answers",
        "First words only; the HTML report and the tables have the answers whole.",
        _answers(made),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _prompts(made: Report) -> Iterable[str]:
    for position, variant in enumerate(made.experiment.variants):
        yield f"### {chr(ord('A') + position)} · {_plain(variant.name)}"
        if variant.system.strip():
            yield f"System:\n\n{_code(variant.system)}"
        yield _code(variant.user)


def _answers(made: Report) -> str:
    variables = list(dict.fromkeys(name for row in made.rows for name in row.values))
    heading = ["", *variables, *made.names]
    lines = [
        [
            str(row.number),
            *(short(row.values.get(name, ""), _FIRST_WORDS) for name in variables),
            *("; ".join(map(_mark, samples)) for samples in row.answers),
        ]
        for row in made.rows
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
