"""The grid that an experiment spans: where each cell stands, in the order the grid is filled, and with which seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from core.types import MAX_SEED, Experiment


@dataclass(frozen=True, slots=True)
class GridCell:
    """Where a cell stands; `model` is its id, the others count from 0."""

    index: int
    model: str
    sample: int
    input: int
    variant: int


def effective_samples(experiment: Experiment) -> int:
    """How many samples are worth running: one at temperature 0, where greedy decoding only makes copies."""
    return 1 if experiment.parameters.get("temperature") == 0 else experiment.samples


def seed_of(experiment: Experiment, sample: int) -> int:
    """The seed of the sample in every cell: the one listed for it, else the experiment's, counted up, and from 0 again
    past the largest."""
    if sample < len(experiment.seeds):
        return experiment.seeds[sample]
    return (experiment.seed + sample) % (MAX_SEED + 1)


def grid_cells(experiment: Experiment) -> Iterator[GridCell]:
    """The grid in the order it is filled: a model's cells together, and every row once before any is sampled again."""
    index = 0
    for model in experiment.models:
        for sample in range(effective_samples(experiment)):
            for row in range(len(experiment.inputs)):
                for variant in range(len(experiment.variants)):
                    yield GridCell(index, model, sample, row, variant)
                    index += 1
