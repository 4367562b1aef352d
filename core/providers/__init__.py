"""What a model is, to the rest of the house, and the one door to it.

A provider is imported when a model of its own is opened, never before: this module costs nothing to import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from types import ModuleType
from typing import Protocol, cast

from core.catalog.servers import Server
from core.settings import Secrets, Settings
from core.types import Event, ModelSpec, Progress, Request

Report = Callable[[Progress], None]
"""Told how far opening a model has come: bytes of a download, or a word such as "reading weights"."""


class Model(Protocol):
    """A model that answers batches. `generate` yields events, each with the index of its request in the batch.

    Every request ends in exactly one Finished or Failed. `stopped(i)` is asked once a token (or step); a request for
    which it is true ends within that token, with what it has, as Finished with finish="cancelled".
    """

    max_batch: int

    def generate(self, requests: Sequence[Request], stopped: Callable[[int], bool]) -> Iterator[Event]: ...

    def close(self) -> None: ...


def open_model(spec: ModelSpec, settings: Settings, report: Report = lambda progress: None) -> Model:
    """Load a local model through its provider.

    Raises:
        HubUnreachable, ModelRefused: the model cannot be had; the message says why and what to do.
    """
    provider = import_module(f"core.providers.{spec.provider}")
    return cast(Model, provider.open_model(spec, settings, report))


def open_remote(spec: ModelSpec, settings: Settings, secrets: Secrets) -> Model:
    """A remote model, spoken to with one of these keys: the one under its server's id, and no other.

    Raises:
        KeyRefused: its server needs a key and there is none.
        ModelRefused: this deployment does not allow its server.
    """
    return cast(Model, _provider(spec.provider).open_model(spec, settings, secrets))


def list_models(server: Server, settings: Settings, secrets: Secrets) -> tuple[str, ...]:
    """The names of the models that a server offers for generating, as it orders them.

    Raises:
        KeyRefused, QuotaSpent, Unreachable, RemoteError: as for an answer.
        ModelRefused: this deployment does not allow the server.
    """
    return cast(tuple[str, ...], _provider(server.provider).list_models(server, settings, secrets))


def _provider(name: str) -> ModuleType:
    return import_module(f"core.providers.{name}")
