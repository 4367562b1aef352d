"""The parameters that models take, and presets of their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from core.types import Parameter

TEXT_PARAMETERS = (
    Parameter(
        name="max_new_tokens",
        label="Max new tokens",
        kind="int",
        default=64,
        low=1,
        high=256,
        step=1,
        help="The answer ends after this many tokens at the latest.",
    ),
    Parameter(
        name="temperature",
        label="Temperature",
        kind="float",
        default=0.7,
        low=0.0,
        high=2.0,
        step=0.05,
        help="0 always takes the likeliest token (greedy: every sample is the same). Higher is more varied.",
    ),
    Parameter(
        name="top_p",
        label="Top-p",
        kind="float",
        default=0.95,
        low=0.0,
        high=1.0,
        step=0.01,
        help="Keep the likeliest tokens that together hold this share of the probability. 1 keeps all.",
    ),
    Parameter(
        name="top_k",
        label="Top-k",
        kind="int",
        default=50,
        low=0,
        high=1000,
        step=1,
        help="Keep only this many of the likeliest tokens. 0 keeps all.",
    ),
    Parameter(
        name="min_p",
        label="Min-p",
        kind="float",
        default=0.0,
        low=0.0,
        high=1.0,
        step=0.01,
        help="Drop tokens less likely than this share of the likeliest one's probability. 0 drops none.",
        advanced=True,
    ),
    Parameter(
        name="repetition_penalty",
        label="Repetition penalty",
        kind="float",
        default=1.0,
        low=0.5,
        high=2.0,
        step=0.05,
        help="Above 1, tokens that were already used become less likely. 1 changes nothing.",
        advanced=True,
    ),
    Parameter(
        name="stop",
        label="Stop strings",
        kind="lines",
        default=(),
        help="One per line; write `\\n` for a line end within one. "
        "The answer ends before the first of them; it is not shown.",
        advanced=True,
    ),
)

IMAGE_PARAMETERS = (
    Parameter(
        name="negative_prompt",
        label="Negative prompt",
        kind="text",
        default="",
        help="What the image should not show. It needs a guidance above 1.",
    ),
    Parameter(
        name="steps",
        label="Steps",
        kind="int",
        default=20,
        low=1,
        high=50,
        step=1,
        help="How often the image is refined. Time grows with them; past 30 there is little to see.",
    ),
    Parameter(
        name="guidance_scale",
        label="Guidance",
        kind="float",
        default=7.5,
        low=0.0,
        high=20.0,
        step=0.5,
        help="How closely the prompt is followed. 1 and below switch guidance off and take half the time.",
    ),
    Parameter(
        name="size",
        label="Size",
        kind="choice",
        default="512x512",
        choices=("256x256", "384x384", "512x512", "512x768", "768x512"),
        help="Width x height in pixels. Half the side takes about a quarter of the time.",
    ),
    Parameter(
        name="scheduler",
        label="Scheduler",
        kind="choice",
        default="DPM++ 2M Karras",
        choices=("DPM++ 2M Karras", "UniPC", "Euler", "DDIM"),
        help="The rule by which noise is taken away step by step. The first two need the fewest steps.",
        advanced=True,
    ),
)
"""The parameters of local image models; a row narrows their bounds."""

_REMOTE_LENGTH = Parameter(
    name="max_new_tokens",
    label="Max new tokens",
    kind="int",
    default=1024,
    low=1,
    high=16_384,
    step=1,
    help="The answer ends after this many tokens at the latest. What a model thinks before it answers counts too.",
)

REMOTE_PARAMETERS = (
    _REMOTE_LENGTH,
    *(row for row in TEXT_PARAMETERS if row.name != "max_new_tokens"),
    Parameter(
        name="thinking",
        label="Thinking",
        kind="choice",
        default="default",
        choices=("default", "low", "medium", "high"),
        help="How much the model thinks before it answers. It costs time and output tokens.",
    ),
    Parameter(
        name="json_schema",
        label="JSON schema of the answer",
        kind="text",
        default="",
        help="A JSON schema that the answer must follow; leave it empty for free text.",
        advanced=True,
    ),
)
"""The parameters of remote models; the seed belongs to the experiment."""

PRESETS: dict[str, dict[str, float | int]] = {
    "Precise": {"temperature": 0.0, "top_p": 1.0, "top_k": 0, "min_p": 0.0},
    "Balanced": {"temperature": 0.7, "top_p": 0.95, "top_k": 50, "min_p": 0.0},
    "Creative": {"temperature": 1.1, "top_p": 0.98, "top_k": 0, "min_p": 0.02},
}


def adapted(
    rows: tuple[Parameter, ...], without: tuple[str, ...] = (), **changes: Mapping[str, Any]
) -> tuple[Parameter, ...]:
    """The rows for one model: some left out, some with another default, bounds or choices."""
    return tuple(replace(row, **changes.get(row.name, {})) for row in rows if row.name not in without)
