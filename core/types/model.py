"""What a model is, before it is opened: what it makes, where it comes from, which controls it has."""

from __future__ import annotations

from dataclasses import dataclass
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
    `fills` a gap in code. `unit_seconds` is what a step of an image, or a second of sound, takes on a CPU with two
    cores, roughly, until this machine has been measured; 0: not known. `frame_rate` is how many frames of its own a
    second of sound has. `ignores` are parameters that its makers say it takes and does not use.
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
    unit_seconds: float = 0.0
    frame_rate: float = 0.0
