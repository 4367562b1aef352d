"""The models that Diptych offers: one row each, readable before anything is loaded.

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
    """(a model's current id, a sentence on why it changed); a current id comes back as it is, with ''."""
    return ALIASES.get(model_id, (model_id, ""))


def spec(model_id: str) -> ModelSpec:
    """The row with this id or with its successor; a remote model (`server:name`) gets a new row.

    Raises:
        UnknownModel: no row and no server has this id; the message lists the rows.
    """
    current_id, _ = successor(model_id)
    for row in CATALOG:
        if row.id == current_id:
            return row
    if ":" in model_id:
        return remote(*servers.parts(model_id))
    model_ids = ", ".join(row.id for row in CATALOG)
    raise UnknownModel(f"There is no model '{model_id[:40]}' here. Choose one of: {model_ids}.")


def find(model_id: str) -> ModelSpec | None:
    """As `spec`, but None for an unknown model."""
    try:
        return spec(model_id)
    except UnknownModel:
        return None


def remote(server: Server, name: str) -> ModelSpec:
    """The row of a model on a server, with the parameters that it takes (core.catalog.traits)."""
    traits, source = traits_of(server, name), servers.bare(name)
    is_custom = server.id.startswith(CUSTOM)
    return ModelSpec(
        id=f"{CUSTOM}:{name}@{server.base_url}" if is_custom else f"{server.id}:{name}",
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
    """The parameters for several models at once: all that any model takes, within the bounds of every model that takes
    it.

    A choice without a common value is left out; each model then takes its own default.
    """
    shared: dict[str, Parameter] = {}
    for row in (row for model in specs for row in model.parameters):
        shared[row.name] = _within(shared[row.name], row) if row.name in shared else row
    return tuple(row for row in shared.values() if row.kind != "choice" or row.choices)


def _within(first: Parameter, second: Parameter) -> Parameter:
    if first.kind == "choice":
        choices = tuple(choice for choice in first.choices if choice in second.choices)
        return replace(
            first, choices=choices, default=first.default if first.default in choices else next(iter(choices), "")
        )
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return first
    low, high = max(first.low, second.low), min(first.high, second.high)
    default = min(max(first.default, low), high) if isinstance(first.default, int | float) else first.default
    return replace(first, low=low, high=high, default=default)


def _narrowed(row: Parameter, thinking: tuple[str, ...]) -> Parameter:
    return replace(row, choices=("default", *thinking)) if row.name == "thinking" else row
