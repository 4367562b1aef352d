"""Validation of an experiment before it is planned: its names, its size and its numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from core import catalog
from core.errors import InvalidInput
from core.experiment.grid import cell_count, settings
from core.text import short
from core.types import MAX_SAMPLES, MAX_SEED, Experiment, Modality, Parameter

MAX_AXIS = 20
"""The most values of one axis."""

_MAKES = {Modality.IMAGE: "images", Modality.AUDIO: "sound"}


def validate(experiment: Experiment, max_cells: int) -> None:
    """Check names, counts, seeds and parameters; templates and checks are validated where they are used.

    Raises:
        InvalidInput: nothing to run, too much to run, a name missing or doubled, a number out of bounds.
    """
    for what, entries in (("variant", experiment.variants), ("model", experiment.models), ("input", experiment.inputs)):
        if not entries:
            raise InvalidInput(f"There is nothing to run: add at least one {what}.")
    _distinct("variant", [variant.name.strip() for variant in experiment.variants])
    _distinct("model", list(experiment.models))
    if clash := modality_clash(experiment.models):
        raise InvalidInput(clash)
    _within("samples", experiment.samples, 1, MAX_SAMPLES)
    _within("The seed", experiment.seed, 0, MAX_SEED)
    _check_seeds(experiment)
    _check_axes(experiment)
    _check_rows(experiment)
    count = cell_count(experiment)
    if count > max_cells:
        raise InvalidInput(
            f"This would run {count} generations; at most {max_cells} are allowed. Use fewer inputs or samples."
        )
    _check_parameters(experiment)


def modality_clash(models: Sequence[str]) -> str:
    """A sentence where the models make different kinds of output, which cannot be compared; else ""."""
    model_by_product: dict[str, str] = {}
    for row in map(catalog.find, models):
        if row is not None:
            model_by_product.setdefault(_MAKES.get(row.modality, "texts"), row.name)
    if len(model_by_product) < 2:
        return ""
    clauses = " and ".join(f"{short(maker)} makes {product}" for product, maker in model_by_product.items())
    return f"{clauses}: these cannot be compared. Choose models of one kind."


def _check_seeds(experiment: Experiment) -> None:
    """A list of seeds has one for each sample, and none twice: a repeated seed makes a copy."""
    if not experiment.seeds:
        return
    for seed in experiment.seeds:
        _within("Every seed", seed, 0, MAX_SEED)
        if experiment.seeds.count(seed) > 1:
            raise InvalidInput(f"The seed {seed} is listed twice, which would only make a copy. List it once.")
    if len(experiment.seeds) != experiment.samples:
        raise InvalidInput(
            f"There are {len(experiment.seeds)} seeds for {experiment.samples} samples; list one seed for each."
        )


def _distinct(what: str, names: list[str]) -> None:
    for number, name in enumerate(names, start=1):
        if not name:
            raise InvalidInput(f"The name of {what} {number} is empty. Give it one.")
        if name in names[: number - 1]:
            raise InvalidInput(f"There are two {what}s called '{short(name)}'. Give each its own name.")


def _within(what: str, number: object, low: int, high: int) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
        raise InvalidInput(f"{what} must be a whole number from {low} to {high}.")


def _check_axes(experiment: Experiment) -> None:
    """Every axis has values, none twice: a repeated value makes a copy."""
    for name, values in experiment.axes.items():
        if not values:
            raise InvalidInput(f"The axis '{short(name)}' has no values. Give it some, or take it away.")
        if len(set(values)) < len(values):
            raise InvalidInput(f"The axis '{short(name)}' has a value twice, which would only make a copy.")
        if len(values) > MAX_AXIS:
            raise InvalidInput(f"The axis '{short(name)}' has {len(values)} values; at most {MAX_AXIS} are allowed.")


def _check_rows(experiment: Experiment) -> None:
    """Rows' ids are distinct; thresholds, weights and the margin are in bounds."""
    ids = [row.id for row in experiment.inputs if row.id]
    doubled = next((name for number, name in enumerate(ids) if name in ids[:number]), None)
    if doubled is not None:
        raise InvalidInput(f"Two rows have the id '{short(doubled)}'. Give each its own.")
    for threshold in (experiment.threshold, *(row.threshold for row in experiment.inputs)):
        if threshold is not None and not 0 <= threshold <= 1:
            raise InvalidInput("A threshold must be a number from 0 to 1.")
    for check in (*experiment.checks, *(check for row in experiment.inputs for check in row.checks)):
        if not (math.isfinite(check.weight) and check.weight >= 0):
            raise InvalidInput(f"The weight of the check '{short(check.line)}' must be a number from 0 up.")
    if not 0 <= experiment.margin <= 1:
        raise InvalidInput("The margin below which columns count as equivalent must be a number from 0 to 1.")


def _check_parameters(experiment: Experiment) -> None:
    """Numbers are finite; those of a model in the catalog keep its bounds."""
    for parameters in settings(experiment):
        for name, value in parameters.items():
            if isinstance(value, float) and not math.isfinite(value):
                raise InvalidInput(f"The parameter '{short(name)}' must be a finite number.")
        for model in experiment.models:
            for parameter in _parameters(model):
                if parameter.name in parameters:
                    catalog.checked(parameter, parameters[parameter.name])


def _parameters(model: str) -> tuple[Parameter, ...]:
    row = catalog.find(model)  # None: a model of another Diptych's catalog; its cells will say so, one by one
    return () if row is None else row.parameters
