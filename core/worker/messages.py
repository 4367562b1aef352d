"""The messages between the server and its worker process: small frozen values (as bytes: `core.worker.wire`).

    server -> worker                             worker -> server
    Settings (once, first; without keys)
    Open(job, spec)                load it       Event(job, Progress) *, then Opened(job, max_batch)
    Generate(job, spec, requests)  answer        Event(job, Delta | Progress | Finished | Failed) *, then Done(job)
    Stop(job, index)               end a row; index None: all of the job, or the load

Instead of its last message every job may end in Refused(job, kind, sentence). One job at a time; `job` counts up, so
that what belongs to an earlier job is recognised and dropped. Nothing else crosses: no keys, no exceptions.
"""

from __future__ import annotations

from dataclasses import dataclass

from core import errors, types
from core.types import ModelSpec, Request


@dataclass(frozen=True, slots=True)
class Open:
    job: int
    spec: ModelSpec


@dataclass(frozen=True, slots=True)
class Generate:
    job: int
    spec: ModelSpec
    requests: tuple[Request, ...]


@dataclass(frozen=True, slots=True)
class Stop:
    job: int
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    job: int
    max_batch: int


@dataclass(frozen=True, slots=True)
class Event:
    job: int
    event: types.Event


@dataclass(frozen=True, slots=True)
class Done:
    job: int


@dataclass(frozen=True, slots=True)
class Refused:
    job: int
    kind: str
    sentence: str


Order = Open | Generate | Stop
Reply = Opened | Event | Done | Refused


def refusal(job: int, error: BaseException) -> Refused:
    """An exception on its way out of the worker. An unexpected one gives its class only: it may quote a prompt."""
    if isinstance(error, errors.DiptychError):
        return Refused(job, type(error).__name__, str(error))
    name = type(error).__name__
    if isinstance(error, MemoryError) or "OutOfMemory" in name:
        return Refused(job, "ModelError", f"The model ran out of memory ({name}). Try fewer tokens or a smaller model.")
    return Refused(job, "ModelError", f"The model failed ({name}). Try again; if it stays so, choose another model.")


def rebuilt(refused: Refused) -> errors.DiptychError:
    """The same error on the server's side; one of an unknown class is a ModelError."""
    kind = getattr(errors, refused.kind, None)
    if isinstance(kind, type) and issubclass(kind, errors.DiptychError):
        return kind(refused.sentence)
    return errors.ModelError(refused.sentence)
