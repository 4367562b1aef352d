"""The models that Diptych offers: one row each, known before anything is loaded.

A hub model is read only from the repository and revision that its row pins. Adding a model is adding a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from core.catalog import servers
from core.catalog.audio import MUSIC_PARAMETERS, SPEECH_PARAMETERS
from core.catalog.parameters import IMAGE_PARAMETERS, PRESETS, REMOTE_PARAMETERS, TEXT_PARAMETERS
from core.catalog.rows import ALIASES, CATALOG
from core.catalog.servers import CUSTOM, Server
from core.catalog.traits import traits_of
from core.catalog.values import checked, checked_seed, chosen
from core.errors import UnknownModel
from core.types import Modality, ModelSpec, Parameter

__all__ = [
    "ALIASES",
    "CATALOG",
    "IMAGE_PARAMETERS",
    "MUSIC_PARAMETERS",
    "PRESETS",
    "REMOTE_PARAMETERS",
    "SPEECH_PARAMETERS",
    "TEXT_PARAMETERS",
    "checked",
    "checked_seed",
    "chosen",
    "common",
    "fillers",
    "find",
    "remote",
    "spec",
    "successor",
]


def successor(model_id: str) -> tuple[str, str]:
    """The id that a model goes by now, and a sentence on why it changed; an id that is in use stays, with ''."""
    return ALIASES.get(model_id, (model_id, ""))


def spec(model_id: str) -> ModelSpec:
    """The row with this id, or with the one that it goes by now; a remote model (`server:name`) has one made for it.

    Raises:
        UnknownModel: no row has it and no server is called so; the message lists the rows that exist.
    """
    present, _ = successor(model_id)
    for row in CATALOG:
        if row.id == present:
            return row
    if ":" in model_id:
        return remote(*servers.parts(model_id))
    known = ", ".join(row.id for row in CATALOG)
    raise UnknownModel(f"There is no model '{model_id[:40]}' here. Choose one of: {known}.")


def find(model_id: str) -> ModelSpec | None:
    """The row that `spec` gives, None where there is none."""
    try:
        return spec(model_id)
    except UnknownModel:
        return None


def remote(server: Server, name: str) -> ModelSpec:
    """The row of a model on a server, with the controls that it is known to take."""
    traits, source = traits_of(server, name), servers.bare(name)
    own = server.id.startswith(CUSTOM)
    return ModelSpec(
        id=f"{CUSTOM}:{name}@{server.base_url}" if own else f"{server.id}:{name}",
        name=source,
        modality=Modality.TEXT,
        provider=server.provider,
        source=source,
        summary=f"{traits.summary or 'A model'} on {server.name}. What you send leaves this machine.",
        licence=f"terms of {server.name}",
        parameters=tuple(_narrowed(row, traits.thinking) for row in REMOTE_PARAMETERS if row.name in traits.takes),
        context=0,
        chat=True,
        local=False,
        server=server.id,
        key=server.id,
        sees=traits.sees,
        draws=traits.draws,
        ignores=tuple(sorted(traits.ignores)),
    )


def fillers() -> tuple[str, ...]:
    """Names of the repositories whose models fill a gap in code."""
    return tuple(row.source for row in CATALOG if row.fills)


def common(specs: Sequence[ModelSpec]) -> tuple[Parameter, ...]:
    """The controls for several models at once: every one that any of them takes, within the bounds of all that do.

    A choice that has nothing in common is left out; each model then takes its own default.
    """
    shared: dict[str, Parameter] = {}
    for row in (row for model in specs for row in model.parameters):
        shared[row.name] = _within(shared[row.name], row) if row.name in shared else row
    return tuple(row for row in shared.values() if row.kind != "choice" or row.choices)


def _within(one: Parameter, other: Parameter) -> Parameter:
    if one.kind == "choice":
        choices = tuple(choice for choice in one.choices if choice in other.choices)
        return replace(one, choices=choices, default=one.default if one.default in choices else next(iter(choices), ""))
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return one
    low, high = max(one.low, other.low), min(one.high, other.high)
    default = min(max(one.default, low), high) if isinstance(one.default, int | float) else one.default
    return replace(one, low=low, high=high, default=default)


def _narrowed(row: Parameter, thinking: tuple[str, ...]) -> Parameter:
    return replace(row, choices=("default", *thinking)) if row.name == "thinking" else row
