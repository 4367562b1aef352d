"""Two runs side by side: one column of each, as an experiment of two variants over the inputs that both have.

All that reads an experiment with results, such as the verdict, then reads two runs too. Knows no page and no database.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from core.errors import InvalidInput
from core.experiment.grid import effective_samples, grid_cells, settings
from core.experiment.scores import Column, column_of, columns_of, differing_rows, score_table
from core.experiment.verdict import verdict
from core.text import short
from core.types import MAX_TITLE, CellResult, Experiment, Input, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class RunComparison:
    """`experiment` has two variants, the earlier run's column first, and one sample as often as both have it;
    `results` are by its cell indices. Answers of both are graded by the later run's checks.

    `improved` and `regressed` are the rows (from 0) whose mean score rose or fell, with both means; `only_before` and
    `only_after` count the inputs that the other run lacks; `notes` are sentences on what differs beside the prompt.
    """

    experiment: Experiment
    results: Mapping[int, CellResult]
    improved: Mapping[int, tuple[float, ...]]
    regressed: Mapping[int, tuple[float, ...]]
    only_before: int
    only_after: int
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunColumn:
    """One column of a run, with the results of all its cells by index."""

    experiment: Experiment
    results: Mapping[int, CellResult]
    column: Column

    @property
    def samples(self) -> int:
        return effective_samples(self.experiment, self.column.setting)


def leading_column(experiment: Experiment, results: Mapping[int, CellResult]) -> Column:
    """The column with the highest pass rate; the first one where nothing is judged."""
    best = verdict(experiment, results).best
    return columns_of(experiment)[best or 0]


def same_column(old: Experiment, column: Column, new: Experiment) -> Column:
    """The column of a later experiment that an earlier one's became: with its variant's name, else its position; on the
    same model where there is one."""
    name = old.variants[column.variant].name

    def likeness(other: Column) -> tuple[bool, bool, bool, bool]:
        named = new.variants[other.variant].name == name
        return named, other.variant == column.variant, other.model == column.model, other.setting == column.setting

    return max(columns_of(new), key=likeness)


def compare_runs(before: RunColumn, after: RunColumn) -> RunComparison:
    """One column of an earlier run against one of a later run, paired by what the inputs hold.

    Inputs with the same values are the same input, whatever their checks; several with the same values are lined up in
    their order.

    Raises:
        InvalidInput: the runs share no input.
    """
    old, new = before.experiment, after.experiment
    pairs = _lined_up(old.inputs, new.inputs)
    if not pairs:
        raise InvalidInput(
            "These runs have no input in common: inputs are lined up by their values. Choose two others."
        )
    samples = min(before.samples, after.samples)
    experiment = replace(
        new,
        variants=(_variant(before, "Before"), _variant(after, "After")),
        models=(after.column.model,),
        inputs=tuple(new.inputs[row] for _, row in pairs),
        samples=samples,
        parameters={name: value for name, value in new.parameters.items() if name != "temperature"},
        axes={},
        seeds=(),
        aa_test=False,
        title=short(f"{old.title or 'A run'} against {new.title or 'a run'}", MAX_TITLE),
    )
    results = _results(experiment, pairs, (before, after))
    changed = differing_rows(score_table(experiment, results))
    return RunComparison(
        experiment=experiment,
        results=results,
        improved={row: means for row, means in changed.items() if means[1] > means[0]},
        regressed={row: means for row, means in changed.items() if means[1] < means[0]},
        only_before=len(old.inputs) - len(pairs),
        only_after=len(new.inputs) - len(pairs),
        notes=tuple(_notes(before, after)),
    )


def _lined_up(old: Sequence[Input], new: Sequence[Input]) -> list[tuple[int, int]]:
    """(row of the old, row of the new) for each input that both have."""
    rows_of: dict[Hashable, list[int]] = defaultdict(list)
    for number, row in enumerate(old):
        rows_of[_content(row)].append(number)
    pairs = []
    for number, row in enumerate(new):
        if same := rows_of[_content(row)]:
            pairs.append((same.pop(0), number))
    return pairs


def _content(row: Input) -> Hashable:
    return tuple(sorted((name, value.strip()) for name, value in row.values.items()))


def _variant(side: RunColumn, when: str) -> Variant:
    variant = side.experiment.variants[side.column.variant]
    return replace(variant, name=short(f"{when} ({variant.name})", MAX_TITLE))


def _results(
    experiment: Experiment, pairs: Sequence[tuple[int, int]], sides: Sequence[RunColumn]
) -> dict[int, CellResult]:
    """Each side's results under the indices of its variant's cells."""
    by_place = [
        {
            (cell.input, cell.sample): side.results[cell.index]
            for cell in grid_cells(side.experiment)
            if column_of(cell) == side.column and cell.index in side.results
        }
        for side in sides
    ]
    results = {}
    for cell in grid_cells(experiment):
        result = by_place[cell.variant].get((pairs[cell.input][cell.variant], cell.sample))
        if result is not None:
            results[cell.index] = replace(result, index=cell.index)
    return results


def _notes(before: RunColumn, after: RunColumn) -> Iterator[str]:
    """What differs beside the prompt, and what is not compared."""
    old, new = before.experiment, after.experiment
    if before.column.model != after.column.model:
        yield f"The model differs: {short(before.column.model)} before, {short(after.column.model)} after."
    one, other = settings(old)[before.column.setting], settings(new)[after.column.setting]
    differing = [name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name)]
    if differing:
        changes = ", ".join(f"{short(name)} {one.get(name)} before, {other.get(name)} after" for name in differing[:5])
        yield f"Parameters differ: {changes}."
    if (old.seed, old.seeds) != (new.seed, new.seeds):
        yield "The seeds differ, so that chance differs beside the prompts."
    if _graded_by(old) != _graded_by(new):
        yield "The checks differ: both are graded by those of the later run."
    samples = min(before.samples, after.samples)
    if max(before.samples, after.samples) > samples:
        which = "sample of each input is" if samples == 1 else f"{samples} samples of each input are"
        yield f"Only the first {which} compared."


def _graded_by(experiment: Experiment) -> object:
    rows = {_content(row): (row.checks, row.threshold) for row in experiment.inputs}
    return experiment.checks, experiment.threshold, rows
