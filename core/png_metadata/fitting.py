"""What of an image's settings a model here can take, and sentences for what it cannot.

Knows how other tools call models and samplers. Nothing here reads a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core import catalog
from core.png_metadata.settings import ImageSettings
from core.text import short
from core.types import Modality, ModelSpec, Parameter, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Image settings in the terms of one model of the catalog; `parameters` has only what that model takes.

    `prompt` is empty, `seed` None, and a parameter missing, where the settings do not have them.
    """

    model: str
    prompt: str
    parameters: dict[str, Value]
    seed: int | None
    notes: tuple[str, ...]


def fit(settings: ImageSettings, selected: str) -> Fitted:
    """The settings for their own model where that is here, else for the selected one."""
    notes = list(settings.notes)
    row = model(settings.model) or model(settings.source)
    renamed = catalog.successor(settings.model)[1]
    notes += [renamed] if renamed else []
    if row is None:
        row = catalog.spec(selected)
        if settings.model or settings.source:
            name = short(settings.model or settings.source, 60)
            notes.append(f"It was made with '{name}', which is not here: {row.name} stays chosen.")
    asked: dict[str, Value] = {**settings.parameters}
    if settings.negative_prompt is not None:
        asked["negative_prompt"] = settings.negative_prompt
    parameters: dict[str, Value] = {}
    for parameter in row.parameters:
        if parameter.name in asked:
            value, note = _value(parameter, asked[parameter.name], row)
            parameters |= {} if value is None else {parameter.name: value}
            notes += [note] if note else []
    if (settings.negative_prompt or "").strip() and "negative_prompt" not in parameters:
        notes.append(f"{row.name} takes no negative prompt; it is left out.")
    return Fitted(model=row.id, prompt=settings.prompt, parameters=parameters, seed=settings.seed, notes=tuple(notes))


def model(name: str) -> ModelSpec | None:
    """The image model that goes by this id, repository, old repository or file name; None where none does."""
    if not name or ":" in name:
        return None
    row = catalog.find(name)
    if row is not None:
        return row if row.modality is Modality.IMAGE else None
    bare = _bare(name.rsplit("/", 1)[-1])
    for row in catalog.CATALOG:
        names = {_bare(one) for one in (row.id, row.name, row.source.rsplit("/", 1)[-1])}
        if row.modality is Modality.IMAGE and (bare in names or _FILES.get(bare) in names):
            return row
    return None


def _value(parameter: Parameter, value: Value, row: ModelSpec) -> tuple[Value, str]:
    """(the value in the parameter's terms or None, a sentence where it is not the one that was asked for)."""
    if parameter.kind == "choice":
        choices = {_bare(choice): choice for choice in parameter.choices}
        bare = _bare(str(value))
        choice = choices.get(bare) or choices.get(_SAMPLERS.get(bare, ""))
        if choice is None:
            name = short(str(value), 60)
            return None, f"{row.name} does not offer {parameter.label.lower()} '{name}'; what was set stays."
        return choice, ""
    if parameter.kind in ("int", "float"):
        return _number(parameter, value)
    return (value, "") if isinstance(value, str) else (None, "")


def _number(parameter: Parameter, value: Value) -> tuple[Value, str]:
    if not isinstance(value, int | float) or parameter.low is None or parameter.high is None:
        return None, ""
    cast = int if parameter.kind == "int" else float
    near = cast(min(max(value, parameter.low), parameter.high))
    return near, "" if near == value else f"{parameter.label} {value:g} is not possible here; {near:g} is the nearest."


def _bare(name: str) -> str:
    """A name without what tools write differently: case, signs between words, a file's ending."""
    name = re.sub(r"\.(safetensors|ckpt)$", "", name.strip().lower())
    return re.sub(r"[\s_./-]+", "", name)


_SAMPLERS = {
    _bare(theirs): _bare(ours)
    for theirs, ours in {
        "DPM++ 2M": "DPM++ 2M Karras",
        "dpmpp_2m": "DPM++ 2M Karras",
        "dpmpp_2m_k": "DPM++ 2M Karras",
        "k_dpmpp_2m": "DPM++ 2M Karras",
        "uni_pc": "UniPC",
        "k_euler": "Euler",
        "LCM Karras": "LCM",
        "UniPC Karras": "UniPC",
    }.items()
}
"""How samplers are called elsewhere, and here."""

_FILES = {
    _bare(theirs): _bare(ours)
    for theirs, ours in {
        "v1-5-pruned-emaonly": "stable-diffusion-v1-5",
        "v1-5-pruned-emaonly-fp16": "stable-diffusion-v1-5",
        "v1-5-pruned": "stable-diffusion-v1-5",
        "sd-v1-5": "stable-diffusion-v1-5",
        "sd15": "stable-diffusion-v1-5",
        "LCM_Dreamshaper_v7_4k": "lcm-dreamshaper-v7",
    }.items()
}
"""How the files of models are called elsewhere, and the model's name here."""
