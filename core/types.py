"""The nouns that every room shares: models, requests, events, outputs, cells and runs.

Standard library only, and frozen: a value made here can cross a thread, a process or a pickle and mean the same.
Nothing here knows how a model generates, where a run is kept or how a page draws it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Value = str | int | float | bool | tuple[str, ...] | None
"""What a generation parameter may hold; tuples are lists of stop strings."""


class Modality(StrEnum):
    """What a model makes."""

    TEXT = "text"
    CODE = "code"
    IMAGE = "image"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One control of a model: its name on the wire, its widget and its bounds (inclusive)."""

    name: str
    label: str
    kind: Literal["int", "float", "lines", "choice", "text"]
    default: Value
    low: float | None = None
    high: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    help: str = ""
    advanced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One row of the catalog: everything about a model that is known before it is opened.

    Sizes are bytes; `context` is the longest prompt plus answer, in tokens (0: not known). `source` is a folder under
    models/ when `bundled`, a repository id on the Hugging Face hub, read at `revision`, when `local`, else the model's
    name on its `server`, whose key is handed over under the name `key`. `sees` images in a prompt, `draws` images,
    `fills` a gap in code. `ignores` are parameters that its makers say it takes and does not use.
    """

    id: str
    name: str
    modality: Modality
    provider: str
    source: str
    summary: str
    licence: str
    parameters: tuple[Parameter, ...]
    bundled: bool = False
    revision: str = "main"
    download_bytes: int = 0
    memory_bytes: int = 0
    context: int = 1024
    chat: bool = False
    local: bool = True
    server: str = ""
    key: str | None = None
    sees: bool = False
    draws: bool = False
    fills: bool = False
    ignores: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a prompt. A last message from the assistant is the beginning of the answer, to be continued."""

    role: Role
    text: str
    images: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a model is asked for: one prompt, one seed, one answer.

    With `chat` the model's chat template frames the messages, where it has one; without it the messages' texts,
    joined by blank lines, are the raw prompt.
    """

    messages: tuple[Message, ...]
    parameters: Mapping[str, Value]
    seed: int
    chat: bool = True


@dataclass(frozen=True, slots=True)
class Token:
    """One generated token: its text (possibly part of a character, then '') and its natural-log probability, which is
    the model's own, before temperature and filters."""

    text: str
    logprob: float


FinishReason = Literal["stop", "length", "cancelled"]  # by itself or a stop string; at the limit; stopped by somebody


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A finished answer. Times are seconds; `recipe` holds what only the provider knows and a replay needs.

    A local provider's recipe names rendered_prompt, source, revision, versions, batch_size, device and dtype; a remote
    one's source, model_version, versions and host. `output_tokens` counts what was paid for as output, the
    `thought_tokens` among them. `cost` is US dollars, None where a price is not known. `notes` are sentences about how
    the request was changed on its way, such as "temperature was not used by this model".
    """

    text: str
    finish: FinishReason
    prompt_tokens: int
    output_tokens: int
    seconds: float
    first_token_seconds: float | None = None
    tokens: tuple[Token, ...] = ()
    thought_tokens: int = 0
    cost: float | None = None
    notes: tuple[str, ...] = ()
    images: tuple[bytes, ...] = ()
    recipe: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delta:
    """More text of one answer; `index` is the request's place in its batch, `tokens` how many it has so far."""

    index: int
    text: str
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something without text has come: `done` of `total` units, and a word for what it is doing; `index` is
    None where that concerns the whole batch, such as loading the model."""

    index: int | None
    done: float
    total: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """One request's answer is complete."""

    index: int
    output: Output


@dataclass(frozen=True, slots=True)
class Failed:
    """One request could not be answered; its neighbours in the batch are not concerned.

    `error` is a sentence for a person, `kind` the class of error that said it.
    """

    index: int
    error: str
    kind: str = "DiptychError"


Event = Delta | Progress | Finished | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One request of a run and where it stands in the grid: variant x model x input x sample (all from 0)."""

    index: int
    variant: int
    model: str
    input: int
    sample: int
    request: Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A planned experiment on its way through the engine. `recipe` is the experiment as plain JSON values."""

    id: str
    page: str
    title: str
    cells: tuple[Cell, ...]
    recipe: Mapping[str, object]


class State(StrEnum):
    """The life of a cell, and of a run: the last five are final."""

    QUEUED = "queued"
    LOADING = "loading"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMEOUT = "timeout"
    INTERRUPTED = "interrupted"

    @property
    def final(self) -> bool:
        return self not in (State.QUEUED, State.LOADING, State.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellResult:
    """What is known of a cell: the text so far while it runs, the output or the error when it is final."""

    index: int
    state: State = State.QUEUED
    text: str = ""
    tokens: int = 0
    output: Output | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A run as the engine sees it at one moment; `version` grows with every change, so equal versions look the same.

    `position` counts the runs ahead (0: running or next); `eta` is the estimated seconds to the end, None while nothing
    is measured; `elapsed` seconds since submission; `note` says what is being done, such as loading a model.
    """

    run_id: str
    version: int
    state: State
    cells: tuple[CellResult, ...]
    position: int = 0
    eta: float | None = None
    elapsed: float = 0.0
    note: str = ""
    progress: float | None = None
