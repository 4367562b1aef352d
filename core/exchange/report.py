"""A run as a report for people: the verdict in words, the prompts, and what each column answered to each input.

The HTML page, the Markdown text and the workbook say the same, because they are made of the same value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

from core.experiment import Verdict, summary, verdict, verdict_table, verdict_words
from core.experiment.grade import grade, passes, reply
from core.experiment.grid import GridCell, grid_cells, seed_of
from core.experiment.scores import Column, column_of, columns_of
from core.history.saved import SavedRun
from core.types import CellResult, Experiment, State


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAnswer:
    """One sample. `passed` is None without checks or without an answer; `reasons` are of the failed checks."""

    text: str
    state: State
    passed: bool | None
    reasons: tuple[str, ...]
    error: str
    seed: int
    images: tuple[bytes, ...]
    audio: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRow:
    """One input, and each column's samples in the order of the verdict's columns."""

    number: int
    values: Mapping[str, str]
    checks: tuple[str, ...]
    answers: tuple[tuple[ReportAnswer, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a report says. `names` are the columns' names, `letters` their variants (0 for A); `columns` is the
    verdict's table, one mapping of headings to words each; `method` are pairs of an aspect and its description."""

    title: str
    when: str
    state: State
    verdict: Verdict
    sentence: str
    notes: tuple[str, ...]
    advice: str
    names: tuple[str, ...]
    letters: tuple[int, ...]
    columns: tuple[Mapping[str, str], ...]
    method: tuple[tuple[str, str], ...]
    experiment: Experiment
    rows: tuple[ReportRow, ...]

    @property
    def table(self) -> list[list[str]]:
        """The columns as lines of one table, its heading first; [] without any."""
        return [list(self.columns[0]), *(list(row.values()) for row in self.columns)] if self.columns else []


def report(saved: SavedRun) -> Report:
    """The report of a run, finished or not."""
    experiment, results = saved.experiment, saved.by_index
    decided = verdict(experiment, results, looks=saved.row.looks or (1,))
    return Report(
        title=saved.row.title,
        when=f"{saved.row.created:%Y-%m-%d %H:%M} UTC",
        state=saved.row.state,
        verdict=decided,
        sentence=verdict_words.sentence(experiment, decided),
        notes=verdict_words.notes(decided),
        advice=verdict_words.advice(decided),
        names=tuple(verdict_words.name(experiment, column) for column in decided.columns),
        letters=tuple(column.column.variant for column in decided.columns),
        columns=tuple(verdict_table.rows(experiment, decided, summary(experiment, results))),
        method=verdict_words.method(experiment, decided) if decided.complete and decided.units else (),
        experiment=experiment,
        rows=_rows(experiment, results),
    )


def _rows(experiment: Experiment, results: Mapping[int, CellResult]) -> tuple[ReportRow, ...]:
    columns = columns_of(experiment)
    by_input = sorted(grid_cells(experiment), key=lambda cell: (cell.input, cell.sample))
    rows = []
    for number, cells in groupby(by_input, key=lambda cell: cell.input):
        answers: dict[Column, list[ReportAnswer]] = {column: [] for column in columns}
        for cell in cells:
            result = results.get(cell.index, CellResult(index=cell.index))
            answers[column_of(cell)].append(_answer(experiment, cell, result))
        row = experiment.inputs[number]
        rows.append(
            ReportRow(
                number=number + 1,
                values=row.values,
                checks=tuple(check.line for check in row.checks),
                answers=tuple(tuple(answers[column]) for column in columns),
            )
        )
    return tuple(rows)


def _answer(experiment: Experiment, cell: GridCell, result: CellResult) -> ReportAnswer:
    outcomes = grade(experiment, cell, result) if result.state is State.DONE else ()
    passed = passes(experiment, experiment.inputs[cell.input], outcomes) if outcomes else None
    output = result.output
    return ReportAnswer(
        text=reply(experiment, cell, result),
        state=result.state,
        passed=passed,
        reasons=tuple(f"{outcome.check}: {outcome.reason}" for outcome in outcomes if not outcome.passed),
        error=result.error,
        seed=seed_of(experiment, cell.sample, cell.variant),
        images=() if output is None else output.images,
        audio=b"" if output is None else output.audio,
    )
