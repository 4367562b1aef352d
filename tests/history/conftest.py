"""A history in a file of its own, a run to keep in it, and a clock."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.engine.grading import outcome
from core.experiment import Experiment, Input, Variant, run
from core.history import History
from core.types import Cell, CellResult, Check, Output, Run, State, Token

ME, YOU = "owner-a", "owner-b"


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'data' / 'history.db'}"


@pytest.fixture
def history(url: str, clock: Clock) -> Iterator[History]:
    opened = History(url, clock=clock)
    yield opened
    opened.close()


def made(run_id: str = "r1", **changes: Any) -> Run:
    given: dict[str, Any] = {
        "page": "playground",
        "variants": (Variant(name="A", user="What is {{sum}}?", system="Add."), Variant(name="B", user="{{sum}}=")),
        "models": ("tiny-text",),
        "inputs": (Input(values={"sum": "20+3"}, checks=Check.of("contains:23")), Input(values={"sum": "1+1"})),
        "samples": 2,
        "parameters": {"temperature": 0.7, "stop": ("END",)},
        "seed": 5,
        "title": "Sums",
    }
    return run(Experiment(**(given | changes)), run_id)


def done(cell: Cell, text: str = "23", **changes: Any) -> CellResult:
    output = Output(
        text=text,
        finish="stop",
        prompt_tokens=6,
        output_tokens=4,
        seconds=0.5,
        first_token_seconds=0.1,
        tokens=(Token("2", -0.25), Token("", -1.0), Token("3", -math.inf)),
        provenance={
            "rendered_prompt": "What?",
            "source": "tiny-text",
            "revision": "main",
            "batch_size": 4,
            "device": "cpu",
        },
    )
    return CellResult(index=cell.index, state=State.DONE, tokens=4, output=replace(output, **changes))


def keep(history: History, owner: str = ME, planned: Run | None = None, text: str = "23") -> Run:
    planned = planned or made()
    history.begin(owner, planned)
    for cell in planned.cells:
        history.finish(planned, cell, done(cell, text))
    history.end(planned.id, State.DONE)
    grade_all(history)
    return planned


def grade_all(history: History) -> None:
    """Grade what waits to be graded, as an engine does."""
    for cell in history.ungraded(1000):
        history.graded(cell.run_id, cell.cell, outcome(cell))


def kill(history: History) -> None:
    """Leave a history as a killed process does: its lock is let go, and nothing more is written."""
    history._closed.set()
    history._server.release(left=False)
    history._database.close()


def file_of(url: str) -> Path:
    path = Path(url.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
