"""The cells of runs as rows of a table: what CSV, XLSX and JSONL files share. Values are plain; no format is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core import pictures
from core.checks import CheckResult
from core.experiment import unit
from core.experiment.grade import answer, grade, images_of, passes
from core.experiment.grid import grid_cells, seed_of, settings
from core.history.saved import SavedRun
from core.types import CellResult, Experiment, Input, State

Field = str | int | float | bool | None


def headings(runs: Sequence[SavedRun]) -> list[str]:
    """run and created where there are several runs; then variant, model, the parameters that were varied, the inputs'
    variables, sample (from 1), seed, answer, passed, reasons, seconds, tokens, cost_usd, finish, error; with images the
    SHA-256 of each cell's images too.

    `tokens` is headed by the models' unit, such as steps, where all share one. A variable or a parameter with the name
    of another column has what it is after it.
    """
    before, after = [*(["run", "created"] if len(runs) > 1 else []), "variant", "model"], _after(runs)
    taken = {*before, *after}
    varied = [f"{name} (parameter)" if name in taken else name for name in _axes(runs)]
    taken |= set(varied)
    return [*before, *varied, *(f"{name} (input)" if name in taken else name for name in _variables(runs)), *after]


def rows(runs: Sequence[SavedRun]) -> Iterator[list[Field]]:
    """One row per cell, in the order of the runs and of their cells.

    `passed` is None without checks or without an answer; `reasons` come from the failed checks; what is not known, such
    as a cost, is None.
    """
    variables, axes, images = _variables(runs), _axes(runs), _images(runs)
    for saved in runs:
        experiment = saved.experiment
        results = saved.by_index
        origin: list[Field] = [saved.row.title, saved.row.created.isoformat()] if len(runs) > 1 else []
        values = settings(experiment)
        for cell in grid_cells(experiment):
            result = results.get(cell.index, CellResult(index=cell.index))
            row, setting = experiment.inputs[cell.input], values[cell.setting]
            yield [
                *origin,
                experiment.variants[cell.variant].name,
                cell.model,
                *(_plain(setting.get(name)) for name in axes),
                *(row.values.get(name, "") for name in variables),
                cell.sample + 1,
                seed_of(experiment, cell.sample, cell.variant),
                answer(result),
                *_outcome(experiment, row, result, grade(experiment, cell, result)),
                *_measures(result),
                *([" ".join(pictures.reference(picture) for picture in images_of(result))] if images else []),
            ]


def _after(runs: Sequence[SavedRun]) -> list[str]:
    units = {unit(model) for saved in runs for model in saved.experiment.models}
    made = units.pop() if len(units) == 1 else "tokens"
    measures = ["seconds", made, "cost_usd", "finish", "error"]
    return ["sample", "seed", "answer", "passed", "reasons", *measures, *(["images"] if _images(runs) else [])]


def _variables(runs: Sequence[SavedRun]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for saved in runs for row in saved.experiment.inputs for name in row.values))


def _axes(runs: Sequence[SavedRun]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for saved in runs for name in saved.experiment.axes))


def _images(runs: Sequence[SavedRun]) -> bool:
    return any(images_of(result) for saved in runs for result in saved.results)


def _plain(value: object) -> Field:
    return value if value is None or isinstance(value, str | int | float) else ", ".join(map(str, value))  # type: ignore[call-overload]


def _outcome(experiment: Experiment, row: Input, result: CellResult, outcomes: Sequence[CheckResult]) -> list[Field]:
    """The fields passed and reasons."""
    passed = passes(experiment, row, outcomes) if result.state is State.DONE else None
    failed = [outcome for outcome in outcomes if passed is not None and not outcome.passed]
    return [passed, "; ".join(f"{outcome.check}: {outcome.reason}" for outcome in failed)]


def _measures(result: CellResult) -> list[Field]:
    """The fields seconds, tokens, cost_usd, finish, error."""
    output = result.output
    if output is None:
        return [None, result.tokens, None, "", result.error]
    cost = None if output.cost is None else round(output.cost, 8)
    return [round(output.seconds, 3), output.output_tokens, cost, output.finish, result.error]
