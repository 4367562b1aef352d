"""A run as one HTML page that needs nothing else: no script, no address, readable on a phone and on paper."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from core import __version__, pictures
from core.exchange.report import Report, ReportAnswer, report
from core.experiment import verdict_words
from core.history.saved import SavedRun
from core.text import clean
from core.types import State

if TYPE_CHECKING:
    from jinja2 import Template

MAX_MEDIA = 20_000_000
"""Bytes of images and sounds in one page; what comes after is left out, and the page says so."""

_LEAST_SPAN = 10.0
"""Points on both sides of zero that the chart of differences shows at least."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chart: an interval with its value. Positions are percent of the chart's width."""

    name: str
    letter: int
    low: float
    high: float
    value: float
    label: str


@dataclass(frozen=True, slots=True)
class Differences:
    """The chart of differences; `zero` and the margin's two ends are percent of its width."""

    lines: tuple[Line, ...]
    zero: float
    margin: tuple[float, float]


def html_report(saved: SavedRun) -> str:
    """The verdict, its charts and method, the prompts and every answer, as one file without a script."""
    run_report = report(saved)
    return _template().render(
        report=run_report,
        version=__version__,
        rates=_rates(run_report),
        differences=_differences(run_report),
        media=_Media(),
        several_samples=any(len(samples) > 1 for row in run_report.rows for samples in row.answers),
    )


def _rates(run_report: Report) -> tuple[Line, ...]:
    return tuple(
        Line(
            name,
            letter,
            100 * column.rate.interval.low,
            100 * column.rate.interval.high,
            100 * column.rate.mean,
            f"{column.rate.mean:.0%} ({column.rate.interval.low:.0%} to {column.rate.interval.high:.0%})",
        )
        for name, letter, column in zip(run_report.names, run_report.letters, run_report.verdict.columns, strict=True)
        if column.judged
    )


def _differences(run_report: Report) -> Differences | None:
    """None where nothing is compared."""
    comparisons = run_report.verdict.comparisons
    if not comparisons:
        return None
    low = min(-_LEAST_SPAN, *(100 * one.paired.interval.low for one in comparisons))
    high = max(_LEAST_SPAN, *(100 * one.paired.interval.high for one in comparisons))

    def position(points: float) -> float:
        return 100 * (points - low) / (high - low)

    lines = tuple(
        Line(
            f"{run_report.names[one.other]} against {run_report.names[one.baseline]}",
            run_report.letters[one.other],
            position(100 * one.paired.interval.low),
            position(100 * one.paired.interval.high),
            position(100 * one.paired.difference),
            verdict_words.difference(one),
        )
        for one in comparisons
    )
    margin = 100 * run_report.verdict.margin
    return Differences(lines, position(0.0), (position(max(low, -margin)), position(min(high, margin))))


class _Media:
    """Images and sounds as data addresses, until MAX_MEDIA bytes are spent; counts what it leaves out."""

    def __init__(self) -> None:
        self._left = MAX_MEDIA
        self.left_out = 0

    def images(self, answer: ReportAnswer) -> list[str]:
        return [address for image in answer.images if (address := self._address(image, pictures.mime(image)))]

    def sound(self, answer: ReportAnswer) -> str:
        return self._address(answer.audio, "audio/wav") if answer.audio else ""

    def _address(self, file: bytes, kind: str) -> str:
        if len(file) > self._left or not kind:
            self.left_out += 1
            return ""
        self._left -= len(file)
        return f"data:{kind};base64,{base64.b64encode(file).decode('ascii')}"


def _share(samples: Sequence[ReportAnswer]) -> str:
    """'pass', 'part' or 'fail' by how many of the judged samples pass; '' where none is judged."""
    judged = [answer.passed for answer in samples if answer.passed is not None]
    if not judged:
        return ""
    return "pass" if all(judged) else "part" if any(judged) else "fail"


def _mark(samples: Sequence[ReportAnswer]) -> str:
    """What stands in the outcome map: a mark, with how many of several samples pass."""
    judged = [answer.passed for answer in samples if answer.passed is not None]
    if not judged:
        return "" if all(answer.state is State.DONE for answer in samples) else "–"
    mark = {"pass": "✓", "part": "±", "fail": "✗"}[_share(samples)]
    return f"{mark} {sum(judged)}/{len(judged)}" if len(judged) > 1 else mark


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_readable
    )
    environment.filters |= {"share": _share, "mark": _mark, "letter": verdict_words.letter}
    return environment.from_string(Path(__file__).with_name("report.html.jinja").read_text("utf-8"))


def _readable(value: object) -> object:
    """Without the characters that a file cannot hold, such as half of a surrogate pair."""
    return clean(value) if type(value) is str else value
