"""The text `parameters` that image tools write into a PNG file and read from it.

    prompt, on as many lines as it has
    Negative prompt: what must not be seen
    Steps: 20, Sampler: DPM++ 2M Karras, CFG scale: 7, Seed: 1, Size: 512x512, Model: ..., Version: ...

The settings are the last line that begins with `Steps:`, and what follows: a tool may wrap them, and extensions write
lines of their own behind them. Source: AUTOMATIC1111/stable-diffusion-webui, modules/infotext_utils.py
(parse_generation_parameters).
"""

from __future__ import annotations

import json
import re

from core.png_metadata import foreign
from core.png_metadata.settings import ImageSettings
from core.text import clean

MAX_SETTINGS = 20_000
"""Characters of settings that are looked at."""

MAX_CANDIDATES = 20
"""Lines that are tried as the settings' first."""

_NEGATIVE = "Negative prompt:"
_NAME = r"\w[\w \-/]{0,40}"
# A value ends at a comma, or at a line that begins with another name.
_PAIR = re.compile(
    rf'({_NAME}):\s*("(?:\\.|[^\\"]){{0,4000}}"(?=\s*(?:,|\n|$))|(?:[^,\n]|\n(?!{_NAME}:)){{0,2000}})', re.DOTALL
)
_STEPS = re.compile(rf"^(?:{_NAME}:[^,\n]*,[^\S\n]*){{0,20}}Steps:[^\S\n]*[^\s,]*[^\S\n]*(?:,|$)", re.MULTILINE)
_TEMPLATE = re.compile(r"^(?:Negative )?Template:", re.MULTILINE)
_LEAST = 3
"""With fewer names than this, a line belongs to the prompt."""

_SURE = {"Sampler", "CFG scale", "Seed", "Size", "Model", "Model hash", "Version"}
"""Names that tell settings from a prompt which looks like them."""


def write(settings: ImageSettings, size: tuple[int, int]) -> str:
    """The settings in the common form; `size` is (width, height) of the image in pixels."""
    asked = settings.parameters
    named = {
        "Steps": asked.get("steps"),
        "Sampler": asked.get("scheduler"),
        "CFG scale": asked.get("guidance_scale"),
        "Seed": settings.seed,
        "Size": f"{size[0]}x{size[1]}",
        "Model": settings.source or settings.model,
        "Version": "Diptych",
    }
    last = ", ".join(f"{name}: {_quoted(value)}" for name, value in named.items() if value not in (None, ""))
    negative = (settings.negative_prompt or "").strip()
    lines = [settings.prompt, *([f"{_NEGATIVE} {settings.negative_prompt}"] if negative else []), last]
    return clean("\n".join(lines))


def read(text: str) -> ImageSettings:
    """What another tool wrote, as far as it is understood; `notes` say what is not. Any text at all may come in."""
    text = clean(text).strip()
    start = _settings_start(text)
    words, rest = text[:start], text[start : start + MAX_SETTINGS]
    notes: tuple[str, ...] = ()
    template = _TEMPLATE.search(rest)
    if template is not None:
        rest = rest[: template.start()]
        notes = ("The file also has the template that the prompt was made from; it is not read.",)
    pairs: dict[str, str] = {}
    for name, value in _PAIR.findall(rest):
        pairs.setdefault(name.strip(), _unquoted(value))
    prompt, marked, negative = _split_negative(words)
    return foreign.settings_of(
        {
            "prompt": prompt,
            "negative_prompt": negative if marked else None,
            "steps": pairs.get("Steps"),
            "guidance_scale": pairs.get("CFG scale"),
            "size": pairs.get("Size"),
            "scheduler": _scheduler(pairs),
            "seed": pairs.get("Seed"),
            "model": pairs.get("Model"),
        },
        notes,
    )


def _settings_start(text: str) -> int:
    """Where the settings begin; the text's end where it has none."""
    quoted: list[tuple[int, int]] = []
    start = len(text)
    for match in list(_STEPS.finditer(text))[-MAX_CANDIDATES:]:
        pairs = list(_PAIR.finditer(text, match.start(), match.start() + MAX_SETTINGS))
        if _TEMPLATE.search(text, min(start, match.start()), match.end()):
            continue  # a line of the template
        if _are_settings(pairs) and not any(first < match.start() < last for first, last in quoted):
            start = match.start()
            quoted = [pair.span(2) for pair in pairs if pair[2].startswith('"')]
    if start < len(text):
        return start
    last = text.rfind("\n") + 1
    return last if _are_settings(list(_PAIR.finditer(text, last, last + MAX_SETTINGS))) else len(text)


def _are_settings(pairs: list[re.Match[str]]) -> bool:
    """Whether names and values are a tool's settings and not a prompt that looks like them."""
    values = {pair[1].strip(): pair[2].strip() for pair in pairs}
    return len(values) >= _LEAST and len(values.keys() & _SURE) >= (1 if values.get("Steps", "").isdecimal() else 2)


def _split_negative(words: str) -> tuple[str, bool, str]:
    """(prompt, whether there is a negative one, it): it begins with the first line that says so."""
    match = re.search(rf"^[^\S\n]*{_NEGATIVE}", words, re.MULTILINE)
    return (words[: match.start()], True, words[match.end() :]) if match else (words, False, "")


def _scheduler(pairs: dict[str, str]) -> str | None:
    sampler, schedule = pairs.get("Sampler"), pairs.get("Schedule type", "").strip()
    if sampler and schedule not in ("", "Automatic"):
        return f"{sampler.strip()} {schedule}"  # newer versions say it apart: "DPM++ 2M" and "Karras"
    return sampler


def _quoted(value: object) -> str:
    """As the web UI does it: what holds a comma, a colon or a line end is written as a JSON text."""
    text = str(value)
    unclear = set(text) & set(",:\n") or (text[:1] == text[-1:] == '"')
    return json.dumps(text, ensure_ascii=False) if unclear else text


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    try:
        text = json.loads(value, strict=False)
    except ValueError:
        return value
    return text if isinstance(text, str) else value
