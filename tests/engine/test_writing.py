"""What is written, when, and what is shown meanwhile: slow, locked, failing and dying sinks."""

from __future__ import annotations

import threading

import pytest

from core.engine import writer
from core.errors import Busy, HistoryUnavailable, NotFound
from core.types import Cell, CellResult, Run, State
from tests.engine.conftest import House, Start
from tests.support.fakes import PATIENCE, Gate, Memory, Models, until

DONE, RUNNING = State.DONE, State.RUNNING


class Held(Memory):
    """A sink that commits a run's cells only when it is let go."""

    def __init__(self, *slow: str) -> None:
        super().__init__()
        self.slow = set(slow)
        self.asked, self.go = threading.Event(), threading.Event()

    def finish(self, ran: Run, cell: Cell, result: CellResult) -> None:
        if ran.id in self.slow:
            self.asked.set()
            assert self.go.wait(PATIENCE)
        super().finish(ran, cell, result)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts follow each other quickly."""
    monkeypatch.setattr(writer, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(writer, "LONGEST_PAUSE", 0.01)


def held(house: House, *slow: str) -> Held:
    """Put a slow sink behind a house's engine."""
    sink = Held(*slow)
    house.sink = house.engine._sink = house.engine._ledger.writer._sink = sink
    return sink


def test_a_cell_is_shown_final_only_once_it_is_written(start: Start) -> None:
    house = start()
    sink = held(house, "r")
    house.submit("r", "local", "remote")
    assert sink.asked.wait(PATIENCE)
    until(lambda: all(cell.text for cell in house.look("r").cells))
    seen = house.look("r")
    assert [(cell.state, cell.output, cell.note) for cell in seen.cells] == [(RUNNING, None, "saving")] * 2
    assert sorted(cell.text for cell in seen.cells) == ["r/0!", "r/1!"]
    assert (seen.state, seen.position, seen.eta, seen.progress) == (RUNNING, 0, 0.0, 1.0)
    assert house.engine.active("ann") == ("r",)
    assert house.engine.wait("r", "ann", 0.01).state is RUNNING
    assert house.look("r") is seen, "nothing visible changed"
    sink.go.set()
    assert house.states("r") == [DONE, DONE]
    assert [cell.note for cell in house.look("r").cells] == ["", ""]
    assert house.engine.active("ann") == ()


def test_a_stopped_and_a_failed_cell_wait_to_be_written_too(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    sink = held(house, "r")
    house.submit("r", "local", "unknown")
    assert gate.entered.wait(PATIENCE)
    house.engine.cancel("r", "ann", 0)
    assert sink.asked.wait(PATIENCE)
    assert not [cell for cell in house.look("r").cells if cell.state.final]
    sink.go.set()
    assert house.states("r") == [State.CANCELLED, State.FAILED]


def test_retry_and_cancel_of_a_cell_that_is_being_written_change_nothing(start: Start) -> None:
    house = start()
    sink = held(house, "r")
    house.submit("r", "unknown")
    assert sink.asked.wait(PATIENCE)
    house.engine.retry("r", "ann", 0, {})
    house.engine.cancel("r", "ann")
    sink.go.set()
    assert house.states("r") == [State.FAILED]
    assert house.sink.finished == [("r", 0, State.FAILED)]


def test_a_sink_that_cannot_write_for_now_loses_nothing_and_says_so(start: Start, quick: None) -> None:
    house = start(max_waiting_per_owner=10)
    house.sink.failing = {"finish", "end"}
    house.submit("r", *["local"] * 6, "remote", "remote")
    until(lambda: [cell.note for cell in house.look("r").cells] == ["finished, waiting to be written"] * 8)
    seen = house.look("r")
    assert seen.note == "Finished answers wait to be written. The disk is full."
    assert {cell.state for cell in seen.cells} == {RUNNING}
    assert [cell.text for cell in seen.cells] == [f"r/{i}!" for i in range(8)]
    house.sink.failing = {"end"}
    until(lambda: len(house.sink.finished) == 8)
    assert house.engine.active("ann") == ("r",)
    house.sink.failing = set()
    assert house.states("r") == [DONE] * 8
    assert house.look("r").note == ""
    assert sorted(house.sink.finished) == [("r", i, DONE) for i in range(8)], "each once"
    assert house.sink.ends == [("r", DONE)]


def test_one_runs_trouble_holds_up_no_other_run(start: Start, quick: None) -> None:
    house = start()

    class Choosy(Memory):
        def finish(self, ran: Run, cell: Cell, result: CellResult) -> None:
            if ran.id == "stuck" and self.failing:
                raise HistoryUnavailable("The disk is full.")
            super().finish(ran, cell, result)

    house.sink = house.engine._sink = house.engine._ledger.writer._sink = Choosy()
    house.sink.failing = {"something"}
    house.submit("stuck", "local", "local")
    until(lambda: "disk" in house.look("stuck").note)
    house.submit("next", owner="bob")
    assert house.states("next", "bob") == [DONE]
    assert house.look("next", "bob").note == ""
    house.sink.failing = set()
    assert house.states("stuck") == [DONE, DONE]
    assert [entry for entry in house.sink.finished if entry[0] == "stuck"] == [("stuck", 0, DONE), ("stuck", 1, DONE)]


def test_too_much_that_waits_to_be_written_lets_nothing_new_begin(start: Start, quick: None) -> None:
    house = start(Models(max_batch=1), unwritten_bytes=4_000)
    house.sink.failing = {"finish"}
    house.submit("r", *["local"] * 10)
    until(lambda: len(house.models.batches) == 2)
    until(lambda: "fill the 0 MB" in house.look("r").note)
    assert [cell.state for cell in house.look("r").cells[2:]] == [State.QUEUED] * 8
    with pytest.raises(Busy, match="when the history can be written"):
        house.submit("more", owner="bob")
    assert len(house.models.batches) == 2
    house.sink.failing = set()
    assert house.states("r") == [DONE] * 10
    house.submit("more", owner="bob")
    assert house.states("more", "bob") == [DONE]


@pytest.mark.parametrize("error", [NotFound("There is no such run in this history."), ValueError("my prompt")])
def test_what_can_never_be_written_is_not_shown_as_kept(start: Start, quick: None, error: Exception) -> None:
    house = start()
    house.sink.failing, house.sink.error = {"finish"}, error
    house.submit("r")
    cell = house.ended("r").cells[0]
    assert (cell.state, cell.text) == (State.FAILED, "r/0!")
    assert cell.error.startswith("The history could not keep this.")
    assert "my prompt" not in cell.error + house.look("r").note
    assert "save what you need" in house.look("r").note
    house.sink.failing = set()
    house.submit("next")
    assert house.states("next") == [DONE]
    assert house.look("next").note == ""


def test_closing_writes_what_waited(start: Start, quick: None) -> None:
    house = start()
    house.sink.failing = {"finish"}
    house.submit("r", "local", "local")
    until(lambda: bool(house.look("r").note))
    house.sink.failing = set()
    house.engine.close()
    assert sorted(house.sink.finished) == [("r", 0, DONE), ("r", 1, DONE)]
    assert house.sink.ends == [("r", DONE)]


def test_closing_does_not_wait_for_ever(start: Start, quick: None, caplog: pytest.LogCaptureFixture) -> None:
    house = start()
    house.sink.failing = {"finish"}
    house.submit("r", "local", "local")
    until(lambda: bool(house.look("r").note))
    house.engine.close(0.05)
    assert "of run r could not be written" in caplog.text
    assert not [cell for cell in house.look("r").cells if cell.state.final]


def test_a_result_is_counted_by_what_it_holds() -> None:
    from core.engine.jobs import size
    from tests.support.fakes import output

    plain = CellResult(index=0, state=DONE, text="x" * 500)
    assert 500 < size(plain) < 5_000
    from dataclasses import replace

    large = replace(plain, output=replace(output("x"), images=(b"x" * 10_000, b"y" * 10_000), audio=b"z" * 30_000))
    assert 50_000 < size(large) < 55_000
