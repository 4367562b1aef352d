"""The grid that an experiment spans: each cell's coordinates and seed, in the order in which the grid is filled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from core.types import MAX_SEED, Experiment, Value


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell's coordinates: `model` is an id, all others are indices from 0; `setting` indexes `settings`."""

    index: int
    model: str
    sample: int
    input: int
    variant: int
    setting: int = 0


def settings(experiment: Experiment) -> tuple[Mapping[str, Value], ...]:
    """The parameters of every combination of the axes' values, the last axis changing first; without axes,
    one."""
    names, values = tuple(experiment.axes), tuple(experiment.axes.values())
    return tuple({**experiment.parameters, **dict(zip(names, chosen, strict=True))} for chosen in product(*values))


def effective_samples(experiment: Experiment, setting: int | None = None) -> int:
    """How many samples are run: one at temperature 0, where greedy decoding repeats itself.

    Args:
        setting: the index of a combination of parameters; None gives the largest number of any.
    """
    rows = settings(experiment)
    chosen = rows if setting is None else rows[setting : setting + 1]
    return max((1 if row.get("temperature") == 0 else experiment.samples for row in chosen), default=0)


def cell_count(experiment: Experiment) -> int:
    """How many cells the grid has."""
    samples = sum(effective_samples(experiment, setting) for setting in range(len(settings(experiment))))
    return len(experiment.models) * len(experiment.inputs) * len(experiment.variants) * samples


def seed_of(experiment: Experiment, sample: int, variant: int = 0) -> int:
    """The seed of a sample in every cell: the listed one, else the experiment's plus the sample's index, modulo
    MAX_SEED + 1.

    In an A=A test, where equal variants with equal seeds would only repeat each other, variants take turns at them.
    """
    if experiment.aa_test:
        return (experiment.seed + sample * len(experiment.variants) + variant) % (MAX_SEED + 1)
    if sample < len(experiment.seeds):
        return experiment.seeds[sample]
    return (experiment.seed + sample) % (MAX_SEED + 1)


def grid_cells(experiment: Experiment) -> Iterator[GridCell]:
    """The grid in the order it is filled: a model's cells together, and every row once before any is sampled again."""
    samples = [effective_samples(experiment, setting) for setting in range(len(settings(experiment)))]
    index = 0
    for model in experiment.models:
        for sample in range(max(samples, default=0)):
            for row, variant in product(range(len(experiment.inputs)), range(len(experiment.variants))):
                for setting in [number for number, count in enumerate(samples) if sample < count]:
                    yield GridCell(index, model, sample, row, variant, setting)
                    index += 1
