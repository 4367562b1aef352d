"""What a run will take, before it runs. Speeds are measured elsewhere; this only does the sum and says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core import catalog
from core.experiment.recipe import Experiment, effective_samples
from core.remote.prices import Prices, cost
from core.types import Cell

DEFAULT_NEW_TOKENS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a run will cost at most: generations, tokens, and seconds (None while a model's speed is not measured)."""

    cells: int
    seconds: float | None
    tokens: int


def estimate(experiment: Experiment, speeds: Mapping[str, float | None]) -> Estimate:
    """What the run will cost at most: every answer as long as max_new_tokens lets it be.

    Args:
        speeds: measured tokens per second by model id, a batch's answers together; None or missing: not measured.
    """
    each = len(experiment.variants) * len(experiment.inputs) * effective_samples(experiment)
    asked = experiment.parameters.get("max_new_tokens")
    tokens = each * (asked if isinstance(asked, int) and asked > 0 else DEFAULT_NEW_TOKENS)
    measured = [speeds.get(model) or 0.0 for model in experiment.models]
    seconds = sum(tokens / speed for speed in measured) if measured and all(speed > 0 for speed in measured) else None
    return Estimate(cells=each * len(experiment.models), seconds=seconds, tokens=tokens * len(experiment.models))


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
    """'Run 72 generations, about 40 s on this CPU (measured 310 tokens/s)', or that the speed is not known yet."""
    what = "Run 1 generation" if estimate.cells == 1 else f"Run {estimate.cells} generations"
    if not estimate.seconds:
        return f"{what} (speed not measured yet on this machine)"
    speed = estimate.tokens / estimate.seconds
    measured = f"{speed:.0f}" if speed >= 10 else f"{speed:.2g}"
    return f"{what}, about {_duration(estimate.seconds)} on {device} (measured {measured} tokens/s)"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
