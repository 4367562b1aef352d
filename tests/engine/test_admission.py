"""Which runs are queued, which are refused, and what the refusal says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from core.errors import Busy
from core.types import Event, Request, State
from tests.engine.conftest import House, Start
from tests.support.fakes import PATIENCE, Gate, Models, Stopped, echo


@pytest.mark.parametrize("visitors", [30, 50])
def test_many_visitors_at_once_are_queued_and_served(start: Start, visitors: int) -> None:
    gate = Gate()
    house = start(Models(local=gate), keep=100)
    owners = [f"owner{i}" for i in range(visitors)]
    for owner in owners:
        house.submit(f"run of {owner}", "local", "local", owner=owner)
    assert gate.entered.wait(PATIENCE)
    positions = sorted(house.look(f"run of {owner}", owner).position for owner in owners)
    assert positions == [0, *range(visitors - 1)], "one runs, one is next, the others know how many are ahead"
    gate.opened.set()
    for owner in owners:
        assert house.states(f"run of {owner}", owner) == [State.DONE, State.DONE]


def measured(house: House, seconds: float) -> Gate:
    """Let one run tell the engine how long a cell takes, then close a gate before the model."""

    def slow(requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        house.clock.now += seconds * len(requests)
        yield from echo(requests, stopped)

    house.models.behaviours["local"] = slow
    house.submit("first", owner="first")
    house.ended("first", "first")
    gate = Gate()
    house.models.behaviours["local"] = gate
    return gate


def test_what_others_hold_up_for_too_long_is_refused_with_the_time_to_come_back(start: Start) -> None:
    house = start(Models(max_batch=1), max_wait_seconds=120)
    gate = measured(house, 4.0)
    for i in range(4):
        house.submit(f"r{i}", *["local"] * 10, owner=f"owner{i}")
    assert gate.entered.wait(PATIENCE)
    with pytest.raises(Busy) as busy:
        house.submit("large", *["local"] * 10, owner="ann")
    assert busy.value.eta == 40.0, "four others take 40 s each, and 120 s are waited"
    assert str(busy.value) == (
        "Other visitors' runs would hold this one up for about 3 min; a run is queued here for up to 2 min. "
        "Come back in about 40 s, or run fewer cells."
    )
    assert house.engine.active("ann") == ()
    house.submit("small", *["local"] * 2, owner="ann")
    assert house.look("small", "ann").state is State.QUEUED, "two turns of each other owner are not long"
    gate.opened.set()
    assert house.states("small", "ann") == [State.DONE, State.DONE]


def test_a_run_that_takes_long_by_itself_is_not_refused(start: Start) -> None:
    house = start(Models(max_batch=1), max_wait_seconds=10)
    measured(house, 4.0).opened.set()
    house.submit("long", *["local"] * 50)
    assert house.states("long") == [State.DONE] * 50


def test_more_runs_than_may_wait_are_refused(start: Start) -> None:
    house = start(max_waiting=20)
    gate = measured(house, 4.0)
    house.submit("running")
    assert gate.entered.wait(PATIENCE)
    for i in range(20):
        house.submit(f"r{i}", owner=f"owner{i}")
    with pytest.raises(Busy, match=r"20 runs wait here already\. Try again when one has begun, in about 4 s\.") as busy:
        house.submit("r20", owner="owner20")
    assert busy.value.eta == 4.0
    assert [house.look(f"r{i}", f"owner{i}").position for i in range(20)] == list(range(20))
