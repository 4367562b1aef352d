"""What of a recipe a model here can take, and sentences for what it cannot.

Knows how other tools call models and samplers. Nothing here reads a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from core import catalog
from core.png_metadata.settings import ImageSettings
from core.types import Modality, ModelSpec, Parameter, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A recipe in the terms of one model of the catalog; `parameters` has only what that model takes."""

    model: str
    prompt: str
    parameters: dict[str, Value]
    seed: int | None
    notes: tuple[str, ...]


def fit(recipe: ImageSettings, chosen: str) -> Fitted:
    """The recipe for its own model where that is here, else for the chosen one."""
    notes = list(recipe.notes)
    row = model(recipe.model) or model(recipe.source)
    renamed = catalog.successor(recipe.model)[1]
    notes += [renamed] if renamed else []
    if row is None:
        row = catalog.spec(chosen)
        if recipe.model or recipe.source:
            called = _short(recipe.model or recipe.source)
            notes.append(f"It was made with '{called}', which is not here: {row.name} stays chosen.")
    asked: dict[str, Value] = {**recipe.parameters, "negative_prompt": recipe.negative_prompt}
    parameters: dict[str, Value] = {}
    for parameter in row.parameters:
        if parameter.name in asked:
            value, note = _value(parameter, asked[parameter.name], row)
            parameters |= {} if value is None else {parameter.name: value}
            notes += [note] if note else []
    if recipe.negative_prompt.strip() and "negative_prompt" not in parameters:
        notes.append(f"{row.name} takes no negative prompt; it is left out.")
    return Fitted(model=row.id, prompt=recipe.prompt, parameters=parameters, seed=recipe.seed, notes=tuple(notes))


def model(called: str) -> ModelSpec | None:
    """The image model that goes by this id, repository, old repository or file name; None where none does."""
    if not called or ":" in called:
        return None
    row = catalog.find(called)
    if row is not None:
        return row if row.modality is Modality.IMAGE else None
    wanted = _bare(called.rsplit("/", 1)[-1])
    for row in catalog.CATALOG:
        names = {_bare(name) for name in (row.id, row.name, row.source.rsplit("/", 1)[-1])}
        if row.modality is Modality.IMAGE and (wanted in names or _FILES.get(wanted) in names):
            return row
    return None


def _value(parameter: Parameter, value: Value, row: ModelSpec) -> tuple[Value, str]:
    """(the value in the parameter's terms or None, a sentence where it is not the one that was asked for)."""
    if parameter.kind == "choice":
        fitting = {_bare(choice): choice for choice in parameter.choices}
        wanted = _bare(str(value))
        found = fitting.get(wanted) or fitting.get(_SAMPLERS.get(wanted, ""))
        if found is None:
            stays = f"{row.name} does not offer {parameter.label.lower()} '{_short(str(value))}'; what was set stays."
            return None, stays
        return found, ""
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


def _short(name: str) -> str:
    return name if len(name) <= 60 else name[:59] + "…"


_SAMPLERS = {
    _bare(theirs): _bare(ours)
    for theirs, ours in {
        "DPM++ 2M": "DPM++ 2M Karras",
        "dpmpp_2m": "DPM++ 2M Karras",
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
