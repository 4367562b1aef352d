"""Going on with a run that has left the memory."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import InvalidInput, NotFound
from core.types import CellResult, State
from tests.engine.conftest import House, Start
from tests.support.fakes import Gate, Models, output, run

DONE, FAILED, INTERRUPTED = State.DONE, State.FAILED, State.INTERRUPTED
STATES = [DONE, FAILED, INTERRUPTED, State.RUNNING, DONE]


def saved() -> dict[int, CellResult]:
    """What the history has of a run whose server was killed."""
    return {
        i: CellResult(index=i, state=state, text=f"old {i}", output=output(f"old {i}") if state is DONE else None)
        for i, state in enumerate(STATES)
    }


def resumed(house: House, **options: object) -> list[tuple[State, str]]:
    house.engine.resume("ann", run("r", *["local"] * 5), saved(), {}, **options)  # type: ignore[arg-type]
    return [(cell.state, cell.text) for cell in house.ended("r").cells]


def test_only_what_has_no_answer_runs_again(start: Start) -> None:
    house = start()
    assert resumed(house) == [(DONE, "old 0"), (DONE, "r/1!"), (DONE, "r/2!"), (DONE, "r/3!"), (DONE, "old 4")]
    assert house.models.batches == [["r/1", "r/2", "r/3"]]
    assert house.sink.begun == [("ann", "r")]
    assert sorted(house.sink.finished) == [("r", i, DONE) for i in (1, 2, 3)]
    assert house.sink.ends == [("r", DONE)]


def test_one_cell_runs_again_and_the_others_stay_as_they_are(start: Start) -> None:
    house = start()
    assert resumed(house, cells=[1, 3]) == [
        (DONE, "old 0"),
        (DONE, "r/1!"),
        (INTERRUPTED, "old 2"),
        (DONE, "r/3!"),
        (DONE, "old 4"),
    ]
    assert house.look("r").state is INTERRUPTED
    assert house.models.batches == [["r/1", "r/3"]]


def test_the_snapshot_shows_the_old_answers_at_once(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.engine.resume("ann", run("r", *["local"] * 5), saved(), {})
    first = house.look("r").cells[0]
    assert (first.state, first.text, first.output) == (DONE, "old 0", output("old 0"))
    gate.opened.set()
    house.ended("r")


def test_a_run_that_is_still_in_memory_goes_on_there(start: Start) -> None:
    house = start()
    house.submit("r", "local", "unknown", "local")
    assert house.states("r") == [DONE, FAILED, DONE]
    house.engine.resume("ann", run("r", "local", "unknown", "local"), {}, {})
    assert house.states("r") == [DONE, FAILED, DONE]
    assert sorted(house.sink.finished) == [("r", 0, DONE), ("r", 1, FAILED), ("r", 1, FAILED), ("r", 2, DONE)]


def test_nothing_to_resume_and_unknown_cells_are_refused(start: Start) -> None:
    house = start()
    done = {i: CellResult(index=i, state=DONE) for i in range(2)}
    with pytest.raises(InvalidInput, match="has its answer"):
        house.engine.resume("ann", run("r", "local", "local"), done, {})
    with pytest.raises(InvalidInput, match="has its answer"):
        house.engine.resume("ann", run("r", *["local"] * 5), saved(), {}, [0, 4])
    with pytest.raises(NotFound, match="no cell 7"):
        house.engine.resume("ann", run("r", "local", "local"), {}, {}, [7])
    with pytest.raises(InvalidInput, match="nothing to run"):
        house.engine.resume("ann", replace(run("r", "local"), cells=()), {}, {})
    assert house.sink.begun == []


def test_another_owner_cannot_resume_a_run_that_is_in_memory(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("r", "local")
    with pytest.raises(InvalidInput, match="cannot be submitted again"):
        house.engine.resume("eve", run("r", "local"), {}, {})
    gate.opened.set()
    house.ended("r")
