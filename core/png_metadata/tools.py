"""Settings as other image tools write them: InvokeAI, NovelAI, and those that write JSON (Fooocus, SwarmUI).

ComfyUI's graphs have a file of their own. Each reader takes what is meant beyond doubt, and says what it leaves out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.errors import InvalidInput
from core.png_metadata import foreign
from core.png_metadata.settings import ImageSettings

_NAMES: Mapping[str, tuple[str, ...]] = {
    "prompt": ("prompt", "positive_prompt"),
    "negative_prompt": ("negative_prompt", "negativeprompt", "uc"),
    "steps": ("steps", "num_inference_steps"),
    "guidance_scale": ("guidance_scale", "cfg_scale", "cfgscale", "scale"),
    "size": ("resolution", "size"),
    "scheduler": ("sampler", "sampler_name", "scheduler"),
    "seed": ("seed",),
    "model": ("base_model", "model", "model_name", "model_weights", "use_stable_diffusion_model"),
}
"""Names of a setting elsewhere, by its name here."""


def from_table(table: Mapping[str, Any]) -> ImageSettings:
    """Settings of a flat table, whatever the tool calls them.

    Raises:
        InvalidInput: nothing of it is known here.
    """
    values = {
        name: next((table[other] for other in others if table.get(other) is not None), None)
        for name, others in _NAMES.items()
    }
    if isinstance(values["model"], Mapping):
        values["model"] = values["model"].get("model_name") or values["model"].get("name")
    if values["size"] is None and table.get("width") and table.get("height"):
        values["size"] = f"{table['width']}x{table['height']}"
    settings = foreign.settings_of(values)
    if not settings.prompt and settings.seed is None and not settings.parameters:
        raise InvalidInput("The settings in the file are JSON of another tool, of a kind that is not read here.")
    return settings


def from_json(table: Mapping[str, Any]) -> ImageSettings:
    """Settings of the JSON that Fooocus or SwarmUI writes into `parameters`; raises as `from_table`."""
    inner = table.get("sui_image_params")
    return from_table(inner if isinstance(inner, Mapping) else table)


def from_novelai(comment: Mapping[str, Any], description: str | None, source: str | None) -> ImageSettings:
    """Settings of NovelAI's `Comment`, with its `Description` as the prompt where the comment has none."""
    return from_table({**comment, "prompt": comment.get("prompt") or description, "model": source})


def from_sd_metadata(table: Mapping[str, Any]) -> ImageSettings:
    """Settings of InvokeAI's `sd-metadata` (versions 2.x); raises as `from_table`."""
    image = table.get("image")
    values = dict(image) if isinstance(image, Mapping) else {}
    prompts = values.get("prompt")
    if isinstance(prompts, list):
        texts = [one.get("prompt") for one in prompts if isinstance(one, Mapping)]
        # Several are blended by weights, which no single prompt says.
        values["prompt"] = texts[0] if len(texts) == 1 else None
    return from_table({**values, **_bracketed(values.get("prompt")), "model": table.get("model_weights")})


def from_dream(text: str) -> ImageSettings:
    """Settings of InvokeAI's first command line: `"a prompt [what not]" -s 50 -S 123 -W 512 -H 512 -C 7.5 -A k_lms`;
    raises as `from_table`."""
    match = re.match(r'\s*"((?:\\.|[^"\\]){0,20000})"(.*)', text, re.DOTALL)
    if match is None:
        raise InvalidInput("The settings in the file are InvokeAI's, but not in a form that can be read.")
    options = dict(re.findall(r"(?<!\S)-([sSWHCA])\s*(\S{1,80})", match[2][:10_000]))
    named = {"s": "steps", "S": "seed", "W": "width", "H": "height", "C": "cfg_scale", "A": "sampler"}
    values = {name: options.get(letter) for letter, name in named.items()}
    return from_table({**values, **_bracketed(re.sub(r"\\(.)", r"\1", match[1]))})


def _bracketed(prompt: object) -> dict[str, object]:
    """InvokeAI's former way of writing both prompts as one: what must not be seen stands in brackets."""
    if not isinstance(prompt, str):
        return {"prompt": prompt}
    negatives = re.findall(r"\[([^\[\]]*)\]", prompt)
    positive = re.sub(r"\s*\[[^\[\]]*\]", "", prompt)
    if not negatives or set(positive) & set("[]"):
        return {"prompt": prompt}
    return {
        "prompt": positive.strip(" ,"),
        "negative_prompt": ", ".join(text.strip(" ,") for text in negatives if text.strip(" ,")),
    }
