"""Settings of other tools, once their words for them are known: checked, and notes for what cannot be used here.

Nothing that another tool wrote is refused for one bad field; it is left out, and a note says so.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from core.png_metadata.settings import MAX_PROMPT, MAX_SEED, ImageSettings
from core.text import clean

_BEGINS_JSON = re.compile(r"""\[?\s*\{\s*(?:"[^"]{0,80}"|'[^']{0,80}')\s*:""")

MAX_JSON = 2_000_000
"""Bytes of JSON that another tool wrote, such as a graph of nodes."""


def table_of(text: str) -> dict[str, Any] | None:
    """The JSON object that a text is; None where it is something else."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        table = json.loads(text, parse_constant=lambda constant: None)  # NaN, which some tools write
    except (ValueError, RecursionError):
        return None
    return table if isinstance(table, dict) else None


def is_json(text: str) -> bool:
    """Whether a text was meant as an object or a list of JSON, or of Python's, whole or not.

    A prompt's wildcards, such as {red|blue}, and changes, such as [red:blue:0.5], are none."""
    text = text.strip()
    if _BEGINS_JSON.match(text):
        return True
    try:
        return text.startswith("[") and isinstance(json.loads(text), list)
    except ValueError:
        return False
    except RecursionError:
        return True


def settings_of(values: Mapping[str, object], notes: tuple[str, ...] = ()) -> ImageSettings:
    """Image settings of values by their names here: prompt, negative_prompt, steps, guidance_scale, size, scheduler,
    seed and model. What is missing or None is not in the file; numbers may be written as text."""
    all_notes = list(notes)
    parameters: dict[str, str | int | float] = {}
    for name, (label, read) in _PARAMETERS.items():
        value = values.get(name)
        if value is None or value == "":
            continue
        readable = read(value)
        if readable is None:
            all_notes.append(f"{label} in the file cannot be read; what was set here stays.")
        else:
            parameters[name] = readable
    model = values.get("model")
    return ImageSettings(
        prompt=_prompt("prompt", values, all_notes) or "",
        negative_prompt=_prompt("negative_prompt", values, all_notes),
        parameters=parameters,
        seed=_seed(values.get("seed"), all_notes),
        model=clean(model)[:200] if isinstance(model, str) else "",
        notes=tuple(all_notes),
    )


def _prompt(name: str, values: Mapping[str, object], notes: list[str]) -> str | None:
    label = name.replace("_", " ")
    text = values.get(name)
    if text is None:
        return None
    if not isinstance(text, str):
        notes.append(f"The {label} in the file is no text; what was typed here stays.")
        return None
    text = clean(text).strip()
    if len(text) > MAX_PROMPT:
        notes.append(f"The {label} in the file has {len(text)} characters; it was cut after {MAX_PROMPT}.")
    return text[:MAX_PROMPT]


def _seed(value: object, notes: list[str]) -> int | None:
    if value is None or value == "":
        return None
    seed = _whole(value)
    if seed is None or seed > MAX_SEED:
        notes.append("The seed in the file is no whole number that can be used here; the one that was set stays.")
        return None
    return seed


def _whole(value: object) -> int | None:
    """A whole number, not below 0, as number or as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(value) if re.fullmatch(r"[0-9]{1,20}", value.strip(), re.ASCII) else None
    if isinstance(value, float) and value.is_integer() and value < 2**53:
        value = int(value)
    return value if isinstance(value, int) and value >= 0 else None


def _steps(value: object) -> int | None:
    steps = _whole(value)
    return steps if steps is not None and steps < 1_000_000 else None


def _guidance(value: object) -> float | None:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,6}(?:\.[0-9]{1,20})?", value.strip(), re.ASCII):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1_000_000:
        return None
    return float(value) if math.isfinite(value) else None


def _size(value: object) -> str | None:
    """Width and height in pixels, as "512x768", "512 x 768" or "(512, 768)"."""
    match = re.fullmatch(r"\(?([0-9]{1,5})\s*(?:[x×,]|\s)\s*([0-9]{1,5})\)?", str(value).strip(), re.ASCII)
    return f"{match[1]}x{match[2]}" if match else None


def _words(value: object) -> str | None:
    return clean(value).strip()[:80] or None if isinstance(value, str) and "\n" not in value.strip() else None


_PARAMETERS: Mapping[str, tuple[str, Any]] = {
    "steps": ("Steps", _steps),
    "guidance_scale": ("CFG scale", _guidance),
    "size": ("Size", _size),
    "scheduler": ("Sampler", _words),
}
"""Labels as most tools write them, and readers."""
