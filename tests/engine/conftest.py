"""An engine with its fakes, closed after each test."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.engine import Engine
from core.engine.writer import MAX_UNWRITTEN
from core.settings import Settings
from core.types import Snapshot, State
from tests.support.fakes import PATIENCE, Clock, Gate, Memory, Models, lookup, run

Start = Callable[..., "House"]


class House:
    """An engine with its fakes, and short words for what every test does with it."""

    def __init__(
        self,
        models: Models,
        folder: Path,
        remote_threads: int,
        keep: int,
        unwritten_bytes: int = MAX_UNWRITTEN,
        **limits: float,
    ) -> None:
        self.models, self.sink, self.clock = models, Memory(), Clock()
        settings = replace(Settings(data=folder), **limits)  # type: ignore[arg-type]
        self.engine = Engine(
            models,
            self.sink,
            settings,
            self.clock,
            lookup=lookup,
            remote_threads=remote_threads,
            keep=keep,
            unwritten_bytes=unwritten_bytes,
        )

    def submit(self, name: str, *cells: str, owner: str = "ann") -> str:
        return self.engine.submit(owner, run(name, *cells), {})

    def ended(self, name: str, owner: str = "ann") -> Snapshot:
        snapshot = self.engine.wait(name, owner, PATIENCE)
        assert snapshot.state.final, f"{name} has not ended: {snapshot}"
        return snapshot

    def states(self, name: str, owner: str = "ann") -> list[State]:
        return [cell.state for cell in self.ended(name, owner).cells]

    def look(self, name: str, owner: str = "ann") -> Snapshot:
        return self.engine.snapshot(name, owner)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    houses: list[House] = []
    before = set(threading.enumerate())

    def make(models: Models | None = None, remote_threads: int = 2, keep: int = 50, **limits: float) -> House:
        houses.append(House(models or Models(), tmp_path, remote_threads, keep, **limits))  # type: ignore[arg-type]
        return houses[-1]

    yield make
    for house in houses:
        for gate in house.models.behaviours.values():
            if isinstance(gate, Gate):
                gate.opened.set()
        for load in house.models.loading.values():
            load.set()
        house.engine.close()
    left = set(threading.enumerate()) - before
    assert not [thread.name for thread in left if thread.name.startswith("diptych")]
