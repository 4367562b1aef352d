"""Many requests on their way: cells, runs, and how far they have come."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from core.types.answer import Output, Request
from core.types.experiment import Experiment


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One request of a run and where it stands in the grid: variant x model x setting x input x sample (all from 0).

    `setting` is which combination of parameter values it has (core.experiment.grid.settings).
    """

    index: int
    variant: int
    model: str
    input: int
    sample: int
    request: Request
    setting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A planned experiment on its way through the engine."""

    id: str
    page: str
    title: str
    cells: tuple[Cell, ...]
    experiment: Experiment


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
    """What is known of a cell: the text so far while it runs, the output or the error when it is final.

    `error_kind` is the class of the error (core.errors), "" where there is none or it is not known. While something
    without text is made, `fraction` is how much of it is done, `note` a word for that, and `preview` a
    PNG file of an image so far.
    """

    index: int
    state: State = State.QUEUED
    text: str = ""
    tokens: int = 0
    output: Output | None = None
    error: str = ""
    error_kind: str = ""
    fraction: float = 0.0
    note: str = ""
    preview: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A run as the engine sees it at one moment; `version` grows with every change, so equal versions look the same.
    `experiment` is what was asked. A cell is final here once its result is written, and running until then.

    `position` counts the runs ahead (0: running or next); `eta` is the estimated seconds to the end, None while nothing
    is measured; `elapsed` seconds since submission; `note` says what is being done, such as loading a model.
    """

    run_id: str
    experiment: Experiment
    version: int
    state: State
    cells: tuple[CellResult, ...]
    position: int = 0
    eta: float | None = None
    elapsed: float = 0.0
    note: str = ""
    progress: float | None = None
