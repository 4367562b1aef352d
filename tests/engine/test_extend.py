"""A run that has ended gets more inputs or samples: only what is missing is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.engine import Engine
from core.errors import InvalidInput
from core.experiment import Experiment, Input, Variant
from core.experiment import run as planned_run
from core.history import History
from core.settings import Settings
from core.types import Check, Run, State
from tests.engine.conftest import Start
from tests.engine.test_history_sink import local
from tests.support.fakes import PATIENCE, Gate, Models, run, until

DONE, CANCELLED = State.DONE, State.CANCELLED


def experiment(inputs: int, samples: int = 1) -> Experiment:
    return Experiment(
        page="playground",
        variants=(Variant(name="A", user="Say {{word}}"), Variant(name="B", user="Write {{word}}")),
        models=("tiny-text",),
        inputs=tuple(Input(values={"word": f"w{n}"}, checks=Check.of("contains:Say")) for n in range(inputs)),
        samples=samples,
        parameters={"temperature": 0.7},
    )


class House:
    """An engine on a history, and short words for what a test does with both."""

    def __init__(self, history: History, models: Models) -> None:
        self.history, self.models = history, models
        self.engine = Engine(models, history, Settings(data=Path()), lookup=local)

    def grown(self, inputs: int, samples: int = 1) -> tuple[Run, dict[int, object]]:
        asked = experiment(inputs, samples)
        return self.history.grown("ann", "r", asked, max_cells=600, max_prompt_chars=8000)  # type: ignore[return-value]

    def extend(self, inputs: int, samples: int = 1) -> list[str]:
        """What was asked of the models for it."""
        self.models.batches.clear()
        run, results = self.grown(inputs, samples)
        self.engine.extend("ann", run, results, {})  # type: ignore[arg-type]
        assert self.engine.wait("r", "ann", PATIENCE).state is DONE
        return [asked for batch in self.models.batches for asked in batch]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    history = History(f"sqlite:///{tmp_path / 'history.db'}")
    one = House(history, Models())
    one.engine.submit("ann", planned_run(experiment(2), "r"), {})
    assert one.engine.wait("r", "ann", PATIENCE).state is DONE
    yield one
    one.engine.close()
    history.close()


def test_only_the_missing_cells_run_and_the_run_keeps_its_looks(house: House) -> None:
    assert sorted(house.extend(4)) == ["Say w2", "Say w3", "Write w2", "Write w3"]
    snapshot = house.engine.snapshot("r", "ann")
    assert [cell.text for cell in snapshot.cells] == [f"{word} w{n}!" for n in range(4) for word in ("Say", "Write")]
    assert len(house.extend(4, samples=2)) == 8
    assert house.history.looks("ann", "r") == (2, 4, 8)
    assert house.history.count("ann") == 1, "it is the same run"
    until(lambda: house.history.search("ann")[0].judged == 16)
    row = house.history.search("ann")[0]
    assert (row.done, row.passed, row.inputs, row.samples, row.state) == (16, 8, 4, 2, DONE)


def test_versions_of_snapshots_grow_with_the_run(house: House) -> None:
    before = house.engine.snapshot("r", "ann").version
    house.extend(3)
    assert house.engine.snapshot("r", "ann").version > before


def test_a_run_that_has_left_the_memory_is_extended(house: House) -> None:
    house.engine.close()
    other = House(house.history, Models())
    assert sorted(other.extend(3)) == ["Say w2", "Write w2"]
    other.engine.close()


def test_a_stopped_run_is_extended_with_what_it_never_answered(house: House) -> None:
    gate = Gate()
    house.models.behaviours["tiny-text"] = gate
    run, results = house.grown(5)
    house.engine.extend("ann", run, results, {})  # type: ignore[arg-type]
    assert gate.entered.wait(PATIENCE)
    with pytest.raises(InvalidInput, match="still going on"):
        house.engine.extend("ann", run, results, {})  # type: ignore[arg-type]
    house.engine.cancel("r", "ann")
    assert house.engine.wait("r", "ann", PATIENCE).state is CANCELLED
    del house.models.behaviours["tiny-text"]
    assert len(house.extend(6)) == 8
    assert house.history.looks("ann", "r") == (2, 6)


def test_nothing_missing_and_foreign_runs_are_refused(start: Start) -> None:
    house = start()
    house.submit("r", "local", "local")
    done = {cell.index: cell for cell in house.ended("r").cells}
    with pytest.raises(InvalidInput, match="add inputs or samples first"):
        house.engine.extend("ann", run("r", "local", "local"), done, {})
    with pytest.raises(InvalidInput, match="cannot be submitted again"):
        house.engine.extend("eve", run("r", *["local"] * 3), done, {})
    assert house.look("r").cells == tuple(done.values())


def test_an_extension_that_cannot_be_written_leaves_the_run_as_it_was(start: Start) -> None:
    house = start()
    house.submit("r", "local", "local")
    before = house.ended("r")
    house.sink.failing.add("begin")
    with pytest.raises(Exception, match="disk is full"):
        house.engine.extend("ann", run("r", *["local"] * 3), {cell.index: cell for cell in before.cells}, {})
    assert house.look("r").cells == before.cells
    house.sink.failing.clear()
    house.engine.extend("ann", run("r", *["local"] * 3), {cell.index: cell for cell in before.cells}, {})
    assert house.states("r") == [DONE] * 3
    assert house.models.batches == [["r/0", "r/1"], ["r/2"]]
