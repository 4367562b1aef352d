"""An engine on a real history: locked, slow to grade, and gone on with."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from core.engine import Engine, writer
from core.errors import InvalidInput, NotFound
from core.experiment import Experiment, Input, Variant, plan
from core.experiment import run as planned_run
from core.history import History
from core.pictures import reference
from core.settings import Settings
from core.types import Check, ModelSpec, Run, State
from tests.history.conftest import done
from tests.support.fakes import PATIENCE, Gate, Models, lookup, run, until

DONE = State.DONE


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def history(path: Path) -> Iterator[History]:
    opened = History(f"sqlite:///{path}", busy_seconds=0.05)
    yield opened
    opened.close()


def start(history: History, models: Models) -> Engine:
    return Engine(models, history, Settings(data=Path()), lookup=lookup)


def experiment(models: tuple[str, ...] = ("tiny-text",), samples: int = 4) -> Experiment:
    return Experiment(
        page="playground",
        variants=(Variant(name="A", user="Say {{word}}"),),
        models=models,
        inputs=(Input(values={"word": "one"}, checks=Check.of("contains:one")), Input(values={"word": "two"})),
        samples=samples,
        parameters={"temperature": 0.7},
    )


def rows(path: Path, columns: str = "state") -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute(f'SELECT {columns} FROM cells ORDER BY run_id, "index"').fetchall()


def test_cells_that_finish_while_the_database_is_locked_are_written_when_it_is_free(
    history: History, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LONGEST_PAUSE", 0.05)
    gate = Gate()
    engine = start(history, Models(max_batch=8, local=gate))
    engine.submit("ann", run("r", *["local"] * 8), {})
    assert gate.entered.wait(PATIENCE)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    gate.opened.set()
    waiting = "finished, waiting to be written"
    until(lambda: [cell.note for cell in engine.snapshot("r", "ann").cells] == [waiting] * 8)
    snapshot = engine.snapshot("r", "ann")
    assert "Finished answers wait to be written. The history at" in snapshot.note
    assert "is in use by another program" in snapshot.note
    assert {cell.state for cell in snapshot.cells} == {State.RUNNING}
    assert rows(path) == [("queued",)] * 8
    other.execute("ROLLBACK")
    other.close()
    ended = engine.wait("r", "ann", PATIENCE)
    assert (ended.state, ended.note) == (DONE, "")
    assert rows(path) == [("done",)] * 8
    assert history.open("ann", "r").row.state is DONE
    engine.close()


def test_what_finished_is_graded_with_the_checks_of_its_input(history: History, path: Path) -> None:
    engine = start(history, Models())
    planned = planned_run(experiment(), "r")
    here = replace(planned, cells=tuple(replace(cell, model="local") for cell in planned.cells))
    engine.submit("ann", here, {})
    assert engine.wait("r", "ann", PATIENCE).state is DONE
    until(lambda: history.search("ann")[0].judged == 4)
    row = history.search("ann")[0]
    assert (row.done, row.passed, row.judged) == (8, 4, 4)
    assert not [left for (left,) in rows(path, "ungraded") if left]
    engine.close()


def test_what_a_killed_server_left_ungraded_is_graded_by_the_next(history: History) -> None:
    planned = planned_run(experiment(), "r")
    history.begin("ann", planned)
    for cell in planned.cells:
        history.finish(planned, cell, done(cell, "one"))
    history.end("r", DONE)
    assert history.search("ann")[0].judged == 0
    engine = start(history, Models())
    until(lambda: history.search("ann")[0].judged == 4)
    assert history.search("ann")[0].passed == 4
    engine.close()


def test_an_interrupted_run_is_resumed_after_a_restart(history: History) -> None:
    gate, models = Gate(), Models(max_batch=3)
    models.behaviours["tiny-text"] = gate
    first = Engine(models, history, Settings(data=Path()), lookup=local)
    planned = planned_run(experiment(), "r")
    first.submit("ann", planned, {})
    assert gate.entered.wait(PATIENCE)
    first.cancel("r", "ann", 0)
    until(lambda: first.snapshot("r", "ann").cells[0].state is State.CANCELLED)
    first.close()
    saved = history.open("ann", "r")
    assert saved.row.state is State.INTERRUPTED
    assert {result.state for result in saved.results} == {State.CANCELLED, State.INTERRUPTED}
    del models.behaviours["tiny-text"]
    models.batches.clear()
    second = Engine(models, history, Settings(data=Path()), lookup=local)
    again, results = history.planned("ann", "r")
    assert again.cells == planned.cells
    left = [index for index, result in results.items() if result.state is State.INTERRUPTED]
    second.resume("ann", again, results, {}, left)
    ended = second.wait("r", "ann", PATIENCE)
    assert [cell.state for cell in ended.cells] == [State.CANCELLED] + [DONE] * 7
    assert sum(map(len, models.batches)) == 7
    assert [result.state for result in history.open("ann", "r").results] == [State.CANCELLED] + [DONE] * 7
    second.resume("ann", again, {result.index: result for result in ended.cells}, {})
    assert second.wait("r", "ann", PATIENCE).state is DONE
    assert history.open("ann", "r").row.done == 8
    second.close()


def local(name: str) -> ModelSpec:
    """A row of a local model of any name."""
    return replace(lookup("local"), id=name)


def test_a_run_that_would_be_asked_otherwise_by_now_is_not_resumed(history: History, path: Path) -> None:
    planned = planned_run(experiment(), "r")
    history.begin("ann", planned)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute('UPDATE cells SET seed = 77 WHERE "index" = 3')
        raw.commit()
    with pytest.raises(InvalidInput, match="would ask something else by now"):
        history.planned("ann", "r")
    with pytest.raises(NotFound):
        history.planned("eve", "r")


def test_a_planned_run_has_its_title_page_and_pictures(history: History) -> None:
    image = b"\x89PNG\r\n\x1a\n picture"
    asked = replace(experiment(("gemini:gemini-4-hydrogen",)), images=(reference(image),))
    planned: Run = planned_run(asked, "r", pictures={reference(image): image})
    history.begin("ann", planned)
    history.rename("ann", "r", "Renamed")
    again, results = history.planned("ann", "r")
    assert again == replace(planned, title="Renamed")
    assert again.cells[0].request.messages[-1].images == (image,)
    assert plan(again.experiment, pictures={reference(image): image}) == again.cells
    assert set(results) == set(range(8))
