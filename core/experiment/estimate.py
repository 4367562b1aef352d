"""What a run will take, before it runs. Speeds are measured elsewhere; this only does the sum and says it.

What is counted is a model's own unit: tokens of text, steps of an image, seconds of sound.
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
"""A run that takes longer is said to be long before it starts."""

PLAIN_SIDE = 512
"""Pixels of the square that a plain step makes, where a model draws in several sizes."""

LETTERS = 15
"""Letters that a voice speaks in a second, about."""

_UNITS = {Modality.IMAGE: "steps", Modality.AUDIO: "frames"}
_NOUNS = {Modality.IMAGE: "image", Modality.AUDIO: "recording"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run will cost at most: generations, tokens, and seconds (None while a model's speed is not known).

    `unit` is what the tokens are where they are something else, such as steps; `noun` what is made. `rough`: no speed
    was measured for at least one of the models, and its row's own guess stands for it.
    """

    cells: int
    seconds: float | None
    tokens: int
    unit: str = "tokens"
    noun: str = "generation"
    rough: bool = False

    @property
    def long(self) -> bool:
        """Whether somebody should think twice before starting it."""
        return (self.seconds or 0.0) > LONG_SECONDS


def unit(model: str) -> str:
    """What a model's output is counted in: "tokens", "steps" or "frames"."""
    return _UNITS.get(_modality(model), "tokens")


def estimate(experiment: Experiment, speeds: Mapping[str, float | None]) -> Estimate:
    """What the run will cost at most: every answer as long as max_new_tokens lets it be, every image all its steps.

    Args:
        speeds: measured plain units (see `effort`) per second by model id, a batch's answers together; None or missing:
            not measured. Then the row's `unit_seconds` is taken, where it has one.
    """
    rows = settings(experiment)
    each = [
        len(experiment.variants) * len(experiment.inputs) * effective_samples(experiment, setting)
        for setting in range(len(rows))
    ]
    amounts = {
        model: sum(count * _amount(model, experiment, row) for count, row in zip(each, rows, strict=True))
        for model in experiment.models
    }
    known = {model: speeds.get(model) or 0.0 for model in amounts}
    seconds = _seconds_of(experiment, each, {model: speed or _guess(model) for model, speed in known.items()})
    kinds = {_modality(model) for model in amounts}
    kind = kinds.pop() if len(kinds) == 1 else Modality.TEXT
    return Estimate(
        cells=sum(each) * len(experiment.models),
        seconds=seconds,
        tokens=sum(amounts.values()),
        unit=_UNITS.get(kind, "tokens"),
        noun=_NOUNS.get(kind, "generation"),
        rough=not all(known.values()),
    )


def _seconds_of(experiment: Experiment, each: Sequence[int], speeds: Mapping[str, float]) -> float | None:
    """Seconds of all cells, `each` setting having so many on a model; None where a model's speed is not known."""
    if not speeds or not all(speeds.values()):
        return None
    return sum(
        count * _amount(model, experiment, row) * effort(model, row) / speed
        for model, speed in speeds.items()
        for count, row in zip(each, settings(experiment), strict=True)
    )


def effort(model: str, parameters: Mapping[str, object]) -> float:
    """How much longer a unit takes with these parameters than a plain one: a step takes as much longer as its image is
    larger than PLAIN_SIDE squared. 1 for everything else, and where a model draws in one size, which is then plain.
    """
    spec = catalog.find(model)
    row = next((row for row in spec.parameters if row.name == "size"), None) if spec is not None else None
    if row is None or len(row.choices) < 2:
        return 1.0
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", str(parameters.get("size", row.default)))
    return int(found[1]) * int(found[2]) / PLAIN_SIDE**2 or 1.0 if found else 1.0


def bill(cells: Sequence[Cell], prices: Prices) -> tuple[float, int]:
    """(US dollars at most, how many cells have no known price) for the cells that remote models answer.

    A prompt's tokens are taken as a quarter of its characters, and every answer as long as it may be.
    """
    dollars, unknown = 0.0, 0
    for cell in cells:
        spec = catalog.spec(cell.model)
        if spec.local:
            continue
        prompt = sum(len(message.text) for message in cell.request.messages) // 4
        asked = cell.request.parameters.get("max_new_tokens")
        price = cost(spec, prompt, asked if isinstance(asked, int) else DEFAULT_NEW_TOKENS, prices)
        dollars, unknown = dollars + (price or 0.0), unknown + (price is None)
    return dollars, unknown


def sentence(estimate: Estimate, device: str = "this CPU") -> str:
    """'Run 72 generations, about 40 s on this CPU (measured 310 tokens/s)', or how little is known of the speed."""
    verb = "Run" if estimate.noun == "generation" else "Make"
    what = f"{verb} {estimate.cells} {estimate.noun}{'' if estimate.cells == 1 else 's'}"
    if not estimate.seconds:
        return f"{what} (speed not measured yet on this machine)"
    told = "a rough guess until it is measured"
    if not estimate.rough:
        told = f"measured {pace(estimate.tokens, estimate.seconds, estimate.unit)}"
    return f"{what}, about {duration(estimate.seconds)} on {device} ({told})"


def pace(amount: float, seconds: float, unit: str) -> str:
    """'310 tokens/s', '3.2 steps/s', and of slow things '4.1 s a step'."""
    speed = amount / seconds
    if speed < 1 and unit != "tokens":
        return f"{seconds / amount:.1f} s a {unit.removesuffix('s')}"
    return f"{speed:.0f} {unit}/s" if speed >= 10 else f"{speed:.2g} {unit}/s"


def _amount(model: str, experiment: Experiment, parameters: Mapping[str, Value]) -> int:
    """Units of one answer, at most."""
    kind = _modality(model)
    if kind is Modality.AUDIO:
        return max(1, round(catalog.spec(model).frame_rate * _seconds(model, experiment, parameters)))
    asked, least = parameters.get("max_new_tokens"), DEFAULT_NEW_TOKENS
    if kind is Modality.IMAGE:
        asked, least = parameters.get("steps", _default(model, "steps")), 1
    return asked if isinstance(asked, int) and asked > 0 else least


def _seconds(model: str, experiment: Experiment, parameters: Mapping[str, Value]) -> float:
    """Seconds of one sound: those that are asked for, else as long as the text takes to be spoken."""
    asked = parameters.get("duration", _default(model, "duration"))
    if _default(model, "duration") is not None and isinstance(asked, int | float):
        return float(asked)
    letters = [sum(map(len, row.values.values())) for row in experiment.inputs]
    letters += [len(variant.user) for variant in experiment.variants]
    rate = parameters.get("speaking_rate", 1.0)
    return max(letters, default=0) / LETTERS / (rate if isinstance(rate, int | float) and rate > 0 else 1.0)


def _default(model: str, name: str) -> Value:
    return next((row.default for row in catalog.spec(model).parameters if row.name == name), None)


def _guess(model: str) -> float:
    """Plain units per second by the model's own row; 0 where it says nothing."""
    spec = catalog.find(model)
    if spec is None or not spec.unit_seconds:
        return 0.0
    return (spec.frame_rate if spec.modality is Modality.AUDIO else 1.0) / spec.unit_seconds


def _modality(model: str) -> Modality:
    spec = catalog.find(model)
    return Modality.TEXT if spec is None else spec.modality
