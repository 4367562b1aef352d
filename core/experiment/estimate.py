"""The time, tokens and cost of a run, before it starts. Throughput is measured elsewhere.

Amounts are in a model's own unit: tokens of text, steps of an image, frames of sound.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core import catalog
from core.catalog.prices import Prices, cost
from core.experiment.grid import effective_samples, settings
from core.text import duration
from core.types import Cell, Experiment, Modality, Value

DEFAULT_NEW_TOKENS = 64
LONG_SECONDS = 60.0
"""A run with a longer estimate counts as long."""

PLAIN_SIDE = 512
"""The side in pixels of the image whose step counts as 1, for a model with several sizes."""

LETTERS = 15
"""Letters that a voice speaks in a second, roughly."""

_UNITS = {Modality.IMAGE: "steps", Modality.AUDIO: "frames"}
_NOUNS = {Modality.IMAGE: "image", Modality.AUDIO: "recording"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run will cost at most: generations, tokens, and seconds (None while a model's speed is unknown).

    `unit` is the unit of `tokens`, such as steps; `noun` is one answer's kind. `rough`: at least one model's speed is
    not measured, and its row's guess is used.
    """

    cells: int
    seconds: float | None
    tokens: int
    unit: str = "tokens"
    noun: str = "generation"
    rough: bool = False

    @property
    def long(self) -> bool:
        """Whether the run takes over LONG_SECONDS."""
        return (self.seconds or 0.0) > LONG_SECONDS


def unit(model: str) -> str:
    """What a model's output is counted in: "tokens", "steps" or "frames"."""
    return _UNITS.get(_modality(model), "tokens")


def estimate(experiment: Experiment, speeds: Mapping[str, float | None]) -> Estimate:
    """What the run will cost at most: every answer of max_new_tokens, every image with all its steps.

    Args:
        speeds: measured plain units (see `effort`) per second by model id, over a whole batch; for None or a missing id
        the
            row's `unit_seconds` is used, where it has one.
    """
    rows = settings(experiment)
    counts = [
        len(experiment.variants) * len(experiment.inputs) * effective_samples(experiment, setting)
        for setting in range(len(rows))
    ]
    amounts = {
        model: sum(count * _amount(model, experiment, row) for count, row in zip(counts, rows, strict=True))
        for model in experiment.models
    }
    measured = {model: speeds.get(model) or 0.0 for model in amounts}
    seconds = _seconds_of(experiment, counts, {model: speed or _guess(model) for model, speed in measured.items()})
    kinds = {_modality(model) for model in amounts}
    kind = kinds.pop() if len(kinds) == 1 else Modality.TEXT
    return Estimate(
        cells=sum(counts) * len(experiment.models),
        seconds=seconds,
        tokens=sum(amounts.values()),
        unit=_UNITS.get(kind, "tokens"),
        noun=_NOUNS.get(kind, "generation"),
        rough=not all(measured.values()),
    )


def _seconds_of(experiment: Experiment, counts: Sequence[int], speeds: Mapping[str, float]) -> float | None:
    """Seconds of all cells; `counts` are a model's cells by setting. None where a model's speed is unknown."""
    if not speeds or not all(speeds.values()):
        return None
    return sum(
        count * _amount(model, experiment, row) * effort(model, row) / speed
        for model, speed in speeds.items()
        for count, row in zip(counts, settings(experiment), strict=True)
    )


def effort(model: str, parameters: Mapping[str, object]) -> float:
    """The time of a unit with these parameters, relative to a plain unit: a step's image area over PLAIN_SIDE squared.

    1 for everything else, and for a model that draws in one size only.
    """
    spec = catalog.find(model)
    row = next((row for row in spec.parameters if row.name == "size"), None) if spec is not None else None
    if row is None or len(row.choices) < 2:
        return 1.0
    size = re.fullmatch(r"(\d{1,5})x(\d{1,5})", str(parameters.get("size", row.default)))
    return int(size[1]) * int(size[2]) / PLAIN_SIDE**2 or 1.0 if size else 1.0


def bill(cells: Sequence[Cell], prices: Prices) -> tuple[float, int]:
    """(US dollars at most, cells without a known price), over the cells of remote models.

    A prompt counts a quarter of its characters as tokens, every answer its max_new_tokens.
    """
    dollars, unknown = 0.0, 0
    for cell in cells:
        spec = catalog.spec(cell.model)
        if spec.local:
            continue
        prompt = sum(len(message.text) for message in cell.request.messages) // 4
        max_new_tokens = cell.request.parameters.get("max_new_tokens")
        price = cost(spec, prompt, max_new_tokens if isinstance(max_new_tokens, int) else DEFAULT_NEW_TOKENS, prices)
        dollars, unknown = dollars + (price or 0.0), unknown + (price is None)
    return dollars, unknown


def sentence(estimate: Estimate, device: str = "this CPU") -> str:
    """'Run 72 generations, about 40 s on this CPU (measured 310 tokens/s)', or that the speed is unknown."""
    verb = "Run" if estimate.noun == "generation" else "Make"
    what = f"{verb} {estimate.cells} {estimate.noun}{'' if estimate.cells == 1 else 's'}"
    if not estimate.seconds:
        return f"{what} (speed not measured yet on this machine)"
    basis = "a rough guess until it is measured"
    if not estimate.rough:
        basis = f"measured {throughput_in_words(estimate.tokens, estimate.seconds, estimate.unit)}"
    return f"{what}, about {duration(estimate.seconds)} on {device} ({basis})"


def throughput_in_words(amount: float, seconds: float, unit: str) -> str:
    """'310 tokens/s', '3.2 steps/s', and for slow units '4.1 s a step'."""
    speed = amount / seconds
    if speed < 1 and unit != "tokens":
        return f"{seconds / amount:.1f} s a {unit.removesuffix('s')}"
    return f"{speed:.0f} {unit}/s" if speed >= 10 else f"{speed:.2g} {unit}/s"


def _amount(model: str, experiment: Experiment, parameters: Mapping[str, Value]) -> int:
    """Units of one answer, at most: tokens, steps or frames."""
    kind = _modality(model)
    if kind is Modality.AUDIO:
        return max(1, round(catalog.spec(model).frame_rate * _seconds(model, experiment, parameters)))
    requested, fallback = parameters.get("max_new_tokens"), DEFAULT_NEW_TOKENS
    if kind is Modality.IMAGE:
        requested, fallback = parameters.get("steps", _default(model, "steps")), 1
    return requested if isinstance(requested, int) and requested > 0 else fallback


def _seconds(model: str, experiment: Experiment, parameters: Mapping[str, Value]) -> float:
    """Seconds of one sound: the `duration`, else the time to speak the longest text."""
    requested = parameters.get("duration", _default(model, "duration"))
    if _default(model, "duration") is not None and isinstance(requested, int | float):
        return float(requested)
    letters = [sum(map(len, row.values.values())) for row in experiment.inputs]
    letters += [len(variant.user) for variant in experiment.variants]
    rate = parameters.get("speaking_rate", 1.0)
    return max(letters, default=0) / LETTERS / (rate if isinstance(rate, int | float) and rate > 0 else 1.0)


def _default(model: str, name: str) -> Value:
    return next((row.default for row in catalog.spec(model).parameters if row.name == name), None)


def _guess(model: str) -> float:
    """Plain units per second by the model's row; 0 where it has no `unit_seconds`."""
    spec = catalog.find(model)
    if spec is None or not spec.unit_seconds:
        return 0.0
    return (spec.frame_rate if spec.modality is Modality.AUDIO else 1.0) / spec.unit_seconds


def _modality(model: str) -> Modality:
    spec = catalog.find(model)
    return Modality.TEXT if spec is None else spec.modality
