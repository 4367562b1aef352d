"""The text `parameters` that image tools write into a PNG file and read from it.

    prompt, on as many lines as it has
    Negative prompt: what must not be seen
    Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 1, Size: 512x512, Model: ..., Version: ...

Source: AUTOMATIC1111/stable-diffusion-webui, modules/infotext_utils.py (parse_generation_parameters).
"""

from __future__ import annotations

import json
import re

from core.png_metadata.settings import MAX_PROMPT, MAX_SEED, ImageSettings
from core.text import clean

MAX_LINE = 10_000
_NEGATIVE = "Negative prompt:"
_PAIR = re.compile(r'\s*(\w[\w \-/]{1,40}):\s*("(?:\\.|[^\\"]){1,2000}"|[^,]{0,2000})(?:,|$)')
_LEAST = 3  # with fewer names than this, the last line belongs to the prompt


def write(recipe: ImageSettings, size: tuple[int, int]) -> str:
    """The recipe in the common form; `size` is (width, height) of the image in pixels."""
    asked = recipe.parameters
    named = {
        "Steps": asked.get("steps"),
        "Sampler": asked.get("scheduler"),
        "CFG scale": asked.get("guidance_scale"),
        "Seed": recipe.seed,
        "Size": f"{size[0]}x{size[1]}",
        "Model": recipe.source or recipe.model,
        "Version": "Diptych",
    }
    last = ", ".join(f"{name}: {_quoted(value)}" for name, value in named.items() if value not in (None, ""))
    negative = f"\n{_NEGATIVE} {recipe.negative_prompt}" if recipe.negative_prompt.strip() else ""
    return clean(f"{recipe.prompt}{negative}\n{last}")


def read(text: str) -> ImageSettings:
    """What another tool wrote, as far as it is understood; `notes` say what is not. Any text at all may come in."""
    *lines, last = clean(text).strip().split("\n")
    pairs = {name.strip(): _unquoted(value) for name, value in _PAIR.findall(last[:MAX_LINE])}
    if len(pairs) < _LEAST:
        lines, pairs = [*lines, last], {}
    place = next((number for number, line in enumerate(lines) if line.strip().startswith(_NEGATIVE)), len(lines))
    negative = "\n".join(lines[place:]).strip().removeprefix(_NEGATIVE)
    notes: list[str] = []
    return ImageSettings(
        prompt="\n".join(lines[:place]).strip()[:MAX_PROMPT],
        negative_prompt=negative.strip()[:MAX_PROMPT],
        parameters=_parameters(pairs, notes),
        seed=_seed(pairs.get("Seed"), notes),
        model=pairs.get("Model", "")[:200],
        notes=tuple(notes),
    )


def _parameters(pairs: dict[str, str], notes: list[str]) -> dict[str, str | int | float]:
    found: dict[str, str | int | float] = {}
    for name, called, pattern, kind in (
        ("steps", "Steps", r"[0-9]{1,6}", int),
        ("guidance_scale", "CFG scale", r"[0-9]{1,6}(?:\.[0-9]{1,6})?", float),
        ("size", "Size", r"[0-9]{1,5}x[0-9]{1,5}", str),
        ("scheduler", "Sampler", r"[^\n]{1,80}", str),
    ):
        value = pairs.get(called, "").strip()
        if re.fullmatch(pattern, value):
            found[name] = kind(value)
        elif value:
            notes.append(f"{called} in the file cannot be read; what was set here stays.")
    kind_of = pairs.get("Schedule type", "").strip()  # newer versions say it apart: "DPM++ 2M" and "Karras"
    if "scheduler" in found and kind_of not in ("", "Automatic"):
        found["scheduler"] = f"{found['scheduler']} {kind_of}"[:80]
    return found


def _seed(value: str | None, notes: list[str]) -> int | None:
    if value is None:
        return None
    if re.fullmatch(r"[0-9]{1,19}", value.strip()) and int(value) <= MAX_SEED:
        return int(value)
    notes.append("The seed in the file is no whole number that can be used here; the one that was set stays.")
    return None


def _quoted(value: object) -> str:
    """As the web UI does it: what holds a comma, a colon or a line end is written as a JSON text."""
    told = str(value)
    return json.dumps(told, ensure_ascii=False) if set(told) & set(',:\n"') else told


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    try:
        told = json.loads(value)
    except ValueError:
        return value
    return told if isinstance(told, str) else value
