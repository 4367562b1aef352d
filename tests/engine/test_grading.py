"""Grading: after writing, apart from it, and fair to every owner."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from core.engine import grading
from core.engine.grading import Grader
from core.errors import HistoryUnavailable
from core.experiment.ungraded import Ungraded
from core.types import Cell, CellResult, Check, Experiment, Input, Run, State, Variant
from tests.engine.conftest import Start
from tests.support.fakes import PATIENCE, Memory, output, request, run, until

DONE = State.DONE


class Slow:
    """In the place of `outcome`: the cells of some owners wait until they are let go."""

    def __init__(self, *slow: str) -> None:
        self.slow = set(slow)
        self.graded: list[tuple[str, str, int]] = []
        self.begun: list[str] = []
        self.go = threading.Event()

    def __call__(self, cell: Ungraded) -> bool:
        self.begun.append(cell.owner)
        if cell.owner in self.slow:
            assert self.go.wait(PATIENCE)
        self.graded.append((cell.owner, cell.run_id, cell.cell.index))
        return cell.cell.index % 2 == 0


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    one = Slow("ann", "cyd")
    monkeypatch.setattr(grading, "outcome", one)
    yield one
    one.go.set()


@pytest.fixture
def grader() -> Iterator[Grader]:
    one = Grader(Memory())
    yield one
    one.close(PATIENCE)


EXPERIMENT = Experiment(
    page="text",
    variants=(Variant(name="A", user="Hi"),),
    models=("local",),
    inputs=(Input(checks=Check.of("contains:!", "max-words:5")), Input()),
)


def checked(name: str, cells: int = 1, row: int = 0) -> Run:
    """A run whose input has checks (row 0) or none (row 1)."""
    plain = run(name, *["local"] * cells)
    return replace(plain, experiment=EXPERIMENT, cells=tuple(replace(cell, input=row) for cell in plain.cells))


def ungraded(owner: str, name: str, index: int = 0, text: str = "a!") -> Ungraded:
    cell = Cell(index=index, variant=0, model="local", input=0, sample=index, request=request("Hi"))
    result = CellResult(index=index, state=DONE, output=output(text))
    return Ungraded(owner=owner, run_id=name, experiment=EXPERIMENT, cell=cell, result=result)


def test_a_finished_cell_is_written_first_and_graded_after(start: Start, slow: Slow) -> None:
    house = start()
    house.engine.submit("ann", checked("r", 3), {})
    snapshot = house.engine.wait("r", "ann", PATIENCE)
    assert (snapshot.state, [cell.state for cell in snapshot.cells]) == (DONE, [DONE] * 3)
    assert sorted(house.sink.finished) == [("r", i, DONE) for i in range(3)]
    assert house.sink.grades == {}
    slow.go.set()
    until(lambda: house.sink.grades == {("r", 0): True, ("r", 1): False, ("r", 2): True})


def test_the_checks_of_the_input_decide(start: Start) -> None:
    house = start()
    house.engine.submit("ann", checked("r", 2), {})
    until(lambda: house.sink.grades == {("r", 0): True, ("r", 1): True})
    house.engine.submit("ann", checked("none", 2, row=1), {})
    house.ended("none")
    house.submit("plain")
    house.ended("plain")
    assert set(house.sink.grades) == {("r", 0), ("r", 1)}, "what has no checks is not graded"


def test_slow_checks_of_one_owner_hold_up_no_others_writing_or_grading(start: Start, slow: Slow) -> None:
    house = start(remote_threads=1)
    house.engine.submit("ann", checked("slow", 20), {})
    house.ended("slow")
    house.engine.submit("bob", checked("quick", 3), {})
    assert house.ended("quick", "bob").state is DONE
    until(lambda: len(house.sink.grades) == 3)
    assert {name for name, _ in house.sink.grades} == {"quick"}
    assert slow.begun.count("ann") == 1, "one owner has one thread"
    slow.go.set()
    until(lambda: len(house.sink.grades) == 23)


def test_owners_take_turns(grader: Grader, slow: Slow) -> None:
    """Two owners hold both threads; the third waits for one cell, not for all of theirs."""
    for i in range(5):
        grader.add(ungraded("ann", "a", i))
        grader.add(ungraded("cyd", "c", i))
    until(lambda: sorted(slow.begun) == ["ann", "cyd"])
    grader.add(ungraded("bob", "b"))
    slow.go.set()
    until(lambda: len(slow.graded) == 11)
    place = [owner for owner, _, _ in slow.graded].index("bob")
    assert place <= 4, "behind the two that were under way, and at most as many that began beside it"


def test_what_is_left_from_before_is_graded_at_the_start(slow: Slow) -> None:
    sink = Memory()
    sink.left_ungraded = [ungraded("bob", "old", i) for i in range(250)]
    grader = Grader(sink)
    until(lambda: len(sink.grades) == 250)
    assert sink.left_ungraded == []
    grader.close(PATIENCE)


def test_what_is_too_much_to_hold_is_read_from_the_sink_later(slow: Slow) -> None:
    sink = Memory()
    grader = Grader(sink, limit=20_000)
    cells = [ungraded("ann", "r", i, "x" * 4_000) for i in range(10)]
    until(lambda: not grader._more)
    sink.left_ungraded = list(cells)
    for cell in cells:
        grader.add(cell)
    assert len(grader._held) == 2
    slow.go.set()
    until(lambda: len(sink.grades) == 10)
    grader.close(PATIENCE)


def test_a_sink_that_fails_is_asked_again_and_nothing_is_lost(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grading, "PAUSE", 0.005)
    slow.go.set()
    sink = Memory()
    sink.failing, sink.error = {"graded"}, HistoryUnavailable("It is locked.")
    cell = ungraded("ann", "r")
    sink.left_ungraded = [cell]
    grader = Grader(sink)
    until(lambda: len(slow.graded) > 2)
    assert sink.grades == {}
    sink.failing = set()
    until(lambda: sink.grades == {("r", 0): True})
    grader.close(PATIENCE)


def test_a_mistake_in_grading_one_cell_costs_no_other(
    grader: Grader, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(cell: Ungraded) -> bool:
        if cell.cell.index == 0:
            raise ZeroDivisionError("my prompt")
        return True

    monkeypatch.setattr(grading, "outcome", broken)
    grader.add(ungraded("ann", "r", 0))
    grader.add(ungraded("ann", "r", 1))
    sink = grader._sink
    assert isinstance(sink, Memory)
    until(lambda: sink.grades == {("r", 1): True})
    assert "cell 0 of run r was not graded: ZeroDivisionError" in caplog.text
    assert "my prompt" not in caplog.text


def test_closing_does_not_wait_for_slow_checks(start: Start, slow: Slow) -> None:
    house = start()
    house.engine.submit("ann", checked("r", 3), {})
    house.ended("r")
    until(lambda: slow.begun == ["ann"])
    house.engine.close(0.05)
    assert house.sink.grades == {}
    slow.go.set()
    until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("diptych-grader")])
