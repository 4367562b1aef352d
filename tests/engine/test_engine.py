"""The engine: turns, batches, cancel, deadlines, failures and what pages and the sink are told of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Busy, HistoryUnavailable, InvalidInput, ModelRefused, NotFound
from core.settings import Secret
from core.types import Event, Failed, Finished, Progress, Request, Snapshot, State
from tests.engine.conftest import House, Start
from tests.support.fakes import PATIENCE, Gate, Models, Stopped, echo, fail_second, output, raising, run, until

DONE, FAILED, CANCELLED, TIMEOUT = State.DONE, State.FAILED, State.CANCELLED, State.TIMEOUT

# Answers, batches, turns


def test_every_cell_is_answered_and_given_to_the_sink_once(start: Start) -> None:
    house = start()
    house.submit("r", *["local"] * 7)
    snapshot = house.ended("r")
    assert snapshot.state is DONE
    assert [cell.text for cell in snapshot.cells] == [f"r/{i}!" for i in range(7)]
    assert [cell.tokens for cell in snapshot.cells] == [10] * 7
    assert house.sink.begun == [("ann", "r")]
    assert sorted(house.sink.finished) == [("r", i, DONE) for i in range(7)]
    assert house.sink.ends == [("r", DONE)]
    assert snapshot.progress == 1.0
    assert snapshot.eta == 0.0


def test_batches_hold_one_models_cells_in_order_and_are_the_same_again(start: Start) -> None:
    house = start()
    cells = ["local"] * 4 + ["local2"] * 4
    house.submit("r", *cells)
    house.ended("r")
    first = [[name.split("/")[1] for name in batch] for batch in house.models.batches]
    assert first == [["0", "1", "2"], ["3"], ["4", "5", "6"], ["7"]]
    house.models.batches.clear()
    house.submit("s", *cells)
    house.ended("s")
    assert [[name.split("/")[1] for name in batch] for batch in house.models.batches] == first
    assert all(model.closed for model in house.models.models)


def test_one_local_batch_at_a_time_and_as_many_remote_ones_as_threads(start: Start) -> None:
    local, remote = Gate(), Gate()
    house = start(Models(local=local, remote=remote), remote_threads=3)
    house.submit("r", *["local"] * 6, *["remote"] * 6)
    until(lambda: house.models.running == {True: 1, False: 3})
    assert sorted(Counter(cell.state for cell in house.look("r").cells).items()) == [
        (State.QUEUED, 6),
        (State.RUNNING, 6),
    ]
    local.opened.set()
    remote.opened.set()
    assert house.states("r") == [DONE] * 12
    assert house.models.peak == {True: 1, False: 3}


def test_a_slow_local_run_does_not_block_a_remote_one(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("slow")
    assert gate.entered.wait(PATIENCE)
    house.submit("quick", "remote", owner="bob")
    assert house.states("quick", "bob") == [DONE]


def test_another_owners_single_cell_comes_after_one_batch_of_seventy_two(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("long", *["local"] * 72)
    assert gate.entered.wait(PATIENCE)
    house.submit("short", owner="bob")
    house.submit("other", *["local"] * 4, owner="cyd")
    gate.opened.set()
    house.ended("long")
    order = [batch[0].split("/")[0] for batch in house.models.batches]
    assert order[:6] == ["long", "short", "other", "long", "other", "long"]


def test_submitting_single_cells_again_and_again_wins_no_extra_turns(start: Start) -> None:
    gates = {f"local{i}": Gate() for i in range(4)}
    house = start(Models(max_batch=1, **gates))
    house.submit("a0", "local0")
    assert gates["local0"].entered.wait(PATIENCE)
    house.submit("b", "local1", "local2", owner="bob")
    house.submit("c", "local", "local", owner="cyd")
    house.submit("a1", "local3")
    gates["local0"].opened.set()
    for gate in gates.values():
        gate.opened.set()
    house.ended("c", "cyd")
    house.ended("b", "bob")
    house.ended("a1")
    assert [batch[0] for batch in house.models.batches] == ["a0/0", "b/0", "c/0", "a1/0", "b/1", "c/1"]


def test_one_owners_runs_come_in_order(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate, local2=echo))
    house.submit("first", *["local"] * 6)
    assert gate.entered.wait(PATIENCE)
    house.submit("second", "local2")
    gate.opened.set()
    house.ended("second")
    assert [batch[0] for batch in house.models.batches] == ["first/0", "first/3", "second/0"]


# Limits


def test_empty_large_and_ambiguous_runs_are_refused(start: Start) -> None:
    house = start(max_cells=3)
    with pytest.raises(InvalidInput, match="nothing to run"):
        house.engine.submit("ann", replace(run("r"), cells=()), {})
    with pytest.raises(InvalidInput, match="4 cells; at most 3"):
        house.submit("r", *["local"] * 4)
    with pytest.raises(InvalidInput, match="same index"):
        house.engine.submit("ann", replace(run("r"), cells=run("r").cells * 2), {})
    assert house.sink.begun == []
    assert house.engine.active("ann") == ()


def test_a_third_waiting_run_of_one_owner_is_refused_with_the_estimate(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("running")
    assert gate.entered.wait(PATIENCE)
    house.submit("one")
    house.submit("two")
    with pytest.raises(Busy, match="2 runs waiting") as busy:
        house.submit("three")
    assert busy.value.eta is None
    assert house.engine.active("ann") == ("running", "one", "two")
    house.submit("bobs", owner="bob")
    assert [house.look(name).position for name in ("running", "one", "two")] == [0, 1, 2]
    assert house.look("bobs", "bob").position == 0, "ann was served last"
    house.engine.cancel("one", "ann")
    house.submit("three")
    assert ("ann", "three") in house.sink.begun


def test_fifty_threads_submitting_at_once(start: Start) -> None:
    house = start(max_waiting=1000, keep=100)
    ready = threading.Barrier(50)

    def submit(i: int) -> None:
        ready.wait(PATIENCE)
        house.submit(f"r{i}", "local", "remote", owner=f"owner{i}")

    threads = [threading.Thread(target=submit, args=(i,)) for i in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert all(house.states(f"r{i}", f"owner{i}") == [DONE, DONE] for i in range(50))
    assert Counter(house.sink.finished) == Counter((f"r{i}", j, DONE) for i in range(50) for j in range(2))
    assert sorted(house.sink.ends) == sorted((f"r{i}", DONE) for i in range(50))


def test_submitting_the_same_run_twice_runs_it_once(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    assert house.submit("r") == house.submit("r") == "r"
    with pytest.raises(InvalidInput):
        house.submit("r", owner="eve")
    gate.opened.set()
    house.ended("r")
    assert house.models.batches == [["r/0"]]


def test_only_the_latest_ended_runs_stay_in_memory(start: Start) -> None:
    house = start(keep=2)
    for i in range(4):
        house.submit(f"r{i}")
        house.ended(f"r{i}")
    until(lambda: len(house.sink.ends) == 4)
    for gone in ("r0", "r1"):
        with pytest.raises(NotFound):
            house.look(gone)
    assert house.look("r3").state is DONE


# Owners


def test_a_run_under_way_goes_on_under_another_owner(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("r")
    house.submit("eves", owner="eve")
    house.engine.change_owner("ann", "bob")
    with pytest.raises(NotFound):
        house.engine.snapshot("r", "ann")
    assert house.engine.active("bob") == ("r",)
    assert house.engine.active("eve") == ("eves",)
    gate.opened.set()
    assert house.states("r", "bob") == [DONE]


def test_another_owners_run_looks_like_one_that_never_was(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("r")
    calls: list[Callable[[str, str], object]] = [
        house.engine.snapshot,
        house.engine.cancel,
        lambda name, owner: house.engine.cancel(name, owner, 0),
        lambda name, owner: house.engine.retry(name, owner, 0, {}),
        lambda name, owner: house.engine.wait(name, owner, 0),
    ]
    for call in calls:
        with pytest.raises(NotFound) as foreign:
            call("r", "eve")
        with pytest.raises(NotFound) as unknown:
            call("never", "eve")
        assert str(foreign.value) == str(unknown.value)
    with pytest.raises(NotFound):
        house.engine.cancel("r", "ann", 7)
    assert house.engine.active("eve") == ()
    gate.opened.set()
    assert house.states("r") == [DONE]


# Cancel


def test_cancel_in_the_queue(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("running")
    assert gate.entered.wait(PATIENCE)
    house.submit("waiting", "local", "local")
    house.engine.cancel("waiting", "ann", 1)
    house.engine.cancel("waiting", "ann")
    assert house.states("waiting") == [CANCELLED, CANCELLED]
    gate.opened.set()
    house.ended("running")
    assert house.models.batches == [["running/0"]]


def test_cancel_while_loading_frees_the_lane_and_never_runs(start: Start) -> None:
    models = Models()
    models.loading["local"] = threading.Event()
    house = start(models)
    house.submit("r", "local", "local")
    assert models.load_begun.wait(PATIENCE)
    loading = house.look("r")
    assert (loading.state, loading.note, loading.progress) == (State.LOADING, "Reading weights (Local)", 0.25)
    house.engine.cancel("r", "ann")
    assert house.states("r") == [CANCELLED, CANCELLED]
    assert house.look("r").state is CANCELLED
    house.submit("next", "local2")
    assert house.states("next") == [DONE]
    assert [batch[0] for batch in models.batches] == ["next/0"]


def test_cancelling_the_loading_cell_leaves_its_neighbours_to_run(start: Start) -> None:
    models = Models()
    models.loading["local"] = threading.Event()
    house = start(models)
    house.submit("r", "local", "local", "local")
    assert models.load_begun.wait(PATIENCE)
    house.engine.cancel("r", "ann", 0)
    models.loading["local"].set()
    assert house.states("r") == [CANCELLED, DONE, DONE]
    assert models.batches == [["r/1", "r/2"]]
    assert house.look("r").state is DONE


def test_cancel_while_running_keeps_the_partial_text(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("r", *["local"] * 5)
    assert gate.entered.wait(PATIENCE)
    house.engine.cancel("r", "ann")
    snapshot = house.ended("r")
    assert [cell.state for cell in snapshot.cells] == [CANCELLED] * 5
    assert [cell.text for cell in snapshot.cells] == ["half"] * 3 + [""] * 2
    assert snapshot.cells[0].output is not None
    assert snapshot.cells[0].output.finish == "cancelled"
    assert house.sink.results["r", 0].text == "half"
    assert house.sink.ends == [("r", CANCELLED)]


def test_cancel_one_running_cell_lets_the_others_finish(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("r", *["local"] * 3)
    assert gate.entered.wait(PATIENCE)
    house.engine.cancel("r", "ann", 1)
    until(lambda: house.look("r").cells[1].state is CANCELLED)
    gate.opened.set()
    snapshot = house.ended("r")
    assert [(cell.state, cell.text) for cell in snapshot.cells] == [
        (DONE, "whole"),
        (CANCELLED, "half"),
        (DONE, "whole"),
    ]
    assert snapshot.state is DONE


def test_cancel_twice_and_too_late_changes_nothing(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("r", "local", "local")
    assert gate.entered.wait(PATIENCE)
    house.engine.cancel("r", "ann")
    house.engine.cancel("r", "ann")
    before = house.ended("r")
    house.engine.cancel("r", "ann")
    house.engine.cancel("r", "ann", 0)
    assert house.look("r") is before
    assert Counter(house.sink.finished) == Counter({("r", 0, CANCELLED): 1, ("r", 1, CANCELLED): 1})
    house.submit("done", "remote")
    assert house.ended("done").state is DONE
    house.engine.cancel("done", "ann")
    assert house.look("done").state is DONE


def test_an_answer_that_came_whole_in_spite_of_a_cancel_is_kept_as_done(start: Start) -> None:
    gate = Gate(obedient=False)
    house = start(Models(local=gate))
    house.submit("r")
    assert gate.entered.wait(PATIENCE)
    house.engine.cancel("r", "ann")
    assert gate.checked.wait(PATIENCE)
    gate.opened.set()
    assert house.ended("r").cells[0].text == "whole"
    assert house.states("r") == [DONE]


# Failures


def test_a_failed_cell_does_not_fail_its_neighbours(start: Start) -> None:
    house = start(Models(local=fail_second))
    house.submit("r", *["local"] * 3)
    snapshot = house.ended("r")
    assert [cell.state for cell in snapshot.cells] == [DONE, FAILED, DONE]
    assert [cell.error_kind for cell in snapshot.cells] == ["", "PromptTooLong", ""]
    assert snapshot.cells[1].error == "This one is too long."
    assert snapshot.state is DONE


def test_a_model_that_cannot_open_fails_its_cells_and_no_others(start: Start) -> None:
    models = Models()
    models.failing["local"] = ModelRefused("The model needs 9 GB; 4 GB are allowed.")
    house = start(models)
    house.submit("r", *["local"] * 5, "local2", "unknown", "remote")
    snapshot = house.ended("r")
    assert [cell.state for cell in snapshot.cells] == [FAILED] * 5 + [DONE, FAILED, DONE]
    assert {cell.error for cell in snapshot.cells[:5]} == {"The model needs 9 GB; 4 GB are allowed."}
    assert snapshot.cells[6].error == "There is no model 'unknown' here."
    assert models.opened.count("local") == 1
    house.submit("all", "local")
    assert house.ended("all").state is FAILED


@pytest.mark.parametrize("error", [ValueError("my prompt, my key"), SystemExit(3), KeyboardInterrupt(), MemoryError()])
def test_an_exception_in_a_model_fails_its_batch_only_and_is_not_quoted(start: Start, error: BaseException) -> None:
    house = start(Models(max_batch=3, local=raising(error)))
    house.submit("r", *["local"] * 3, "local2")
    snapshot = house.ended("r")
    assert [cell.state for cell in snapshot.cells] == [FAILED, FAILED, DONE, DONE]
    assert snapshot.cells[0].text == "half"
    assert type(error).__name__ in snapshot.cells[0].error
    assert "my" not in snapshot.cells[0].error
    house.submit("next", "local2")
    assert house.states("next") == [DONE]


def test_an_exception_while_opening_is_not_quoted_either(start: Start) -> None:
    models = Models()
    models.failing["remote"] = RuntimeError("Illegal header value sk-bad")
    house = start(models)
    house.submit("r", "remote")
    error = house.ended("r").cells[0].error
    assert "RuntimeError" in error
    assert "sk-bad" not in error


def test_a_model_that_forgets_a_cell_fails_it(start: Start) -> None:
    house = start(Models(local=lambda requests, stopped: iter(())))
    house.submit("r")
    assert "without an answer" in house.ended("r").cells[0].error


def test_keys_reach_the_opener_and_are_forgotten_at_the_end(start: Start) -> None:
    house = start()
    house.engine.submit("ann", run("r", "remote"), {"gemini": Secret("k")})
    house.ended("r")
    assert house.models.secrets == [{"gemini": Secret("k")}]
    assert house.engine._ledger.jobs["r"].secrets == {}


# Deadlines


def test_waiting_too_long_in_the_queue(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate), queue_seconds=60, run_seconds=1000)
    house.submit("running", *["local"] * 5)
    assert gate.entered.wait(PATIENCE)
    house.submit("waiting")
    house.clock.now += 59
    assert house.look("waiting").state is State.QUEUED
    house.clock.now += 2
    until(lambda: house.look("waiting").cells[0].state is TIMEOUT)
    assert "60 s" in house.ended("waiting").cells[0].error
    gate.opened.set()
    assert house.states("running") == [DONE] * 5, "a run whose batch is under way is not waiting"


def test_loading_too_long(start: Start) -> None:
    models = Models()
    models.loading["local"] = threading.Event()
    house = start(models, load_seconds=30)
    house.submit("r", "local", "local", "local2")
    assert models.load_begun.wait(PATIENCE)
    house.clock.now += 31
    snapshot = house.ended("r")
    assert [cell.state for cell in snapshot.cells] == [TIMEOUT, TIMEOUT, DONE]
    assert "Loading the model took longer than 30 s" in snapshot.cells[0].error


def test_running_too_long_keeps_what_there_is(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate), run_seconds=30)
    house.submit("r", "local", "local2")
    assert gate.entered.wait(PATIENCE)
    house.clock.now += 31
    snapshot = house.ended("r")
    assert [cell.state for cell in snapshot.cells] == [TIMEOUT, DONE]
    assert snapshot.cells[0].text == "half"
    assert snapshot.cells[0].output is not None
    assert "longer than 30 s" in snapshot.cells[0].error


@pytest.mark.parametrize("why", [TIMEOUT, CANCELLED])
def test_a_model_that_does_not_obey_is_not_waited_for(start: Start, why: State) -> None:
    gate = Gate(obedient=False)
    house = start(Models(local=gate), run_seconds=30)
    house.submit("r")
    assert gate.entered.wait(PATIENCE)
    if why is CANCELLED:
        house.engine.cancel("r", "ann")
    else:
        house.clock.now += 31
    assert house.look("r").state is State.RUNNING
    house.clock.now += 31
    assert house.ended("r").cells[0].state is why
    assert house.ended("r").cells[0].text == "half"
    gate.opened.set()
    house.submit("next", "local2")
    house.ended("next")
    assert Counter(house.sink.finished)["r", 0, why] == 1
    assert house.look("r").cells[0].text == "half"


def test_a_clock_that_goes_backwards_ends_nothing(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("r")
    assert gate.entered.wait(PATIENCE)
    house.clock.now -= 500
    assert house.look("r").elapsed == 0.0
    gate.opened.set()
    assert house.states("r") == [DONE]


# The sink


@pytest.mark.parametrize("error", [HistoryUnavailable("The disk is full."), OSError("/secret/path")])
def test_a_run_that_cannot_be_written_down_is_refused(start: Start, error: Exception) -> None:
    house = start()
    house.sink.failing, house.sink.error = {"begin"}, error
    with pytest.raises(HistoryUnavailable) as refused:
        house.submit("r")
    assert "/secret" not in str(refused.value)
    assert house.engine.active("ann") == ()
    house.sink.failing = set()
    house.submit("r")
    assert house.states("r") == [DONE]


def test_a_run_has_ended_only_when_its_end_is_written(start: Start) -> None:
    house = start()
    asked, allowed = threading.Event(), threading.Event()
    house.sink.end = lambda run_id, state: (asked.set(), allowed.wait(PATIENCE))  # type: ignore[method-assign]
    house.submit("r")
    assert asked.wait(PATIENCE)
    assert house.look("r").state is State.RUNNING
    assert house.engine.active("ann") == ("r",)
    allowed.set()
    assert house.ended("r").state is DONE
    assert house.engine.active("ann") == ()


# Retry


def test_retry_runs_one_failed_cell_again(start: Start) -> None:
    house = start(Models(local=fail_second))
    house.submit("r", *["local"] * 3)
    assert house.states("r") == [DONE, FAILED, DONE]
    before = house.look("r").version
    house.engine.retry("r", "ann", 1, {"gemini": Secret("k")})
    snapshot = house.ended("r")
    assert [cell.state for cell in snapshot.cells] == [DONE] * 3
    assert snapshot.cells[1].error == ""
    assert snapshot.version > before
    assert house.models.batches == [["r/0", "r/1", "r/2"], ["r/1"]]
    assert house.models.secrets[-1] == {"gemini": Secret("k")}
    assert house.sink.finished[-1] == ("r", 1, DONE)
    assert house.sink.ends == [("r", DONE), ("r", DONE)]
    with pytest.raises(InvalidInput, match="has its answer"):
        house.engine.retry("r", "ann", 1, {})


def test_retry_while_the_batch_that_failed_the_cell_still_runs(start: Start) -> None:
    gate, models = Gate(), Models()
    house = start(models)

    def first_fails(requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        models.behaviours["local"] = echo
        yield Failed(0, "This one is too long.")
        yield from gate([*requests], lambda i: stopped(i))
        raise ValueError

    models.behaviours["local"] = first_fails
    house.submit("r", "local", "local")
    assert gate.entered.wait(PATIENCE)
    until(lambda: house.look("r").cells[0].state is FAILED)
    house.engine.retry("r", "ann", 0, {})
    assert house.look("r").cells[0].state is State.QUEUED
    gate.opened.set()
    snapshot = house.ended("r")
    assert [(cell.state, cell.text) for cell in snapshot.cells] == [(DONE, "r/0!"), (DONE, "whole")]
    assert models.batches == [["r/0", "r/1"], ["r/0"]]


def test_retry_of_a_cell_that_is_under_way_or_waits_changes_nothing(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("r", *["local"] * 4)
    assert gate.entered.wait(PATIENCE)
    house.engine.retry("r", "ann", 0, {})
    house.engine.retry("r", "ann", 3, {})
    gate.opened.set()
    assert house.states("r") == [DONE] * 4
    assert house.models.batches == [["r/0", "r/1", "r/2"], ["r/3"]]


def test_retry_counts_as_a_waiting_run(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate, local2=fail_second, max_batch=2))
    house.submit("r", "local2", "local2")
    assert house.states("r") == [DONE, FAILED]
    house.submit("running")
    assert gate.entered.wait(PATIENCE)
    house.submit("one")
    house.submit("two")
    with pytest.raises(Busy):
        house.engine.retry("r", "ann", 1, {})
    assert house.look("r").state is DONE


ACTS = st.lists(st.tuples(st.sampled_from(["submit", "cancel", "cancel one", "retry", "look"]), st.integers(0, 3)))


@given(acts=ACTS)
@hypothesis.settings(
    max_examples=60, deadline=None, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
def test_whatever_visitors_do_every_cell_ends_once_per_attempt(tmp_path: Path, acts: list[tuple[str, int]]) -> None:
    house = House(
        Models(max_batch=2, local2=fail_second), tmp_path, 2, 1000, max_waiting_per_owner=1000, max_waiting=1000
    )
    runs: list[tuple[str, str]] = []
    attempts: Counter[tuple[str, int]] = Counter()
    for act, number in acts:
        owner, name = runs[number % len(runs)] if runs else ("", "")
        try:
            if act == "submit":
                runs.append((f"owner{number}", f"r{len(runs)}"))
                house.submit(runs[-1][1], "local", "local2", "local2", "remote", owner=runs[-1][0])
                attempts.update((runs[-1][1], i) for i in range(4))
            elif act == "cancel" and name:
                house.engine.cancel(name, owner)
            elif act == "cancel one" and name:
                house.engine.cancel(name, owner, number)
            elif act == "retry" and name:
                if house.look(name, owner).cells[number].state.final:
                    house.engine.retry(name, owner, number, {})
                    attempts[name, number] += 1
            elif name:
                house.look(name, owner)
        except InvalidInput:
            assert act == "retry"
    for owner, name in runs:
        house.ended(name, owner)
    house.engine.close()
    told = Counter((name, index) for name, index, _ in house.sink.finished)
    assert told == attempts
    last = {(name, index): state for name, index, state in house.sink.finished}
    for owner, name in runs:
        assert [last[name, i] for i in range(4)] == [cell.state for cell in house.look(name, owner).cells]


# The end


def test_closing_interrupts_what_is_unfinished_and_writes_it(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("r", *["local"] * 4)
    house.submit("waiting", owner="bob")
    assert gate.entered.wait(PATIENCE)
    house.engine.close()
    assert Counter(house.sink.finished) == Counter(
        [*(("r", i, State.INTERRUPTED) for i in range(4)), ("waiting", 0, State.INTERRUPTED)]
    )
    assert house.sink.results["r", 0].text == "half"
    assert sorted(house.sink.ends) == [("r", State.INTERRUPTED), ("waiting", State.INTERRUPTED)]
    with pytest.raises(Busy, match="closing down"):
        house.submit("late")


# What pages see


def test_versions_grow_and_equal_versions_are_equal(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("r", *["local"] * 9)
    seen: list[Snapshot] = []

    def watch() -> None:
        while not seen or not seen[-1].state.final:
            seen.append(house.look("r"))

    watchers = [threading.Thread(target=watch) for _ in range(2)]
    for watcher in watchers:
        watcher.start()
    assert gate.entered.wait(PATIENCE)
    house.clock.now += 5
    gate.opened.set()
    house.ended("r")
    for watcher in watchers:
        watcher.join(PATIENCE)
    by_version: dict[int, Snapshot] = {}
    for snapshot in seen:
        assert by_version.setdefault(snapshot.version, snapshot) is snapshot
    ordered = [by_version[version] for version in sorted(by_version)]
    finals = [sum(cell.state.final for cell in snapshot.cells) for snapshot in ordered]
    assert finals == sorted(finals)
    assert len(by_version) == len(set(map(id, seen)))


def test_nothing_new_is_the_same_snapshot_and_elapsed_counts_seconds(start: Start) -> None:
    gate = Gate()
    house = start(Models(local=gate))
    house.submit("r")
    assert gate.entered.wait(PATIENCE)
    first = house.look("r")
    house.clock.now += 0.4
    assert house.look("r") is first
    house.clock.now += 1.0
    second = house.look("r")
    assert (second.version, second.elapsed) == (first.version + 1, 1.0)
    assert second.cells[0] is first.cells[0]


def test_a_long_first_batch_is_estimated_while_it_runs(start: Start) -> None:
    models = Models(max_batch=8)
    house = start(models)
    reached, go = threading.Event(), threading.Event()

    def half(requests: Sequence[Request], stopped: object) -> Iterator[Event]:
        house.clock.now += 8
        for i in range(4):
            yield Finished(i, output("early"))
        reached.set()
        go.wait(PATIENCE)
        for i in range(4, 8):
            yield Finished(i, output("late"))

    models.behaviours["local"] = half  # type: ignore[assignment]
    house.submit("r", *["local"] * 10)
    assert reached.wait(PATIENCE)
    assert house.look("r").eta == 2 * 10 - 8, "2 s a cell, of which the batch has had its first 8 s"
    go.set()
    house.ended("r")


def test_estimates_come_from_what_was_measured(start: Start) -> None:
    models = Models(max_batch=2)
    house = start(models)

    def slow(requests: object, stopped: object) -> Iterator[object]:
        house.clock.now += 4
        yield from echo(requests, stopped)  # type: ignore[arg-type]

    models.behaviours["local"] = slow  # type: ignore[assignment]
    assert house.engine.speed("local") is None
    house.submit("r", "local", "local")
    house.ended("r")
    assert house.engine.speed("local") == 5.0, "20 tokens in 4 s"
    gate = models.behaviours["local"] = Gate()
    house.submit("long", *["local"] * 6)
    assert gate.entered.wait(PATIENCE)
    house.submit("short", "local", owner="bob")
    house.submit("unmeasured", "local2", owner="cyd")
    house.clock.now += 1
    assert house.look("short", "bob").eta == 9, "its own 2 s, as much for each of the others, and 3 s of a batch"
    assert house.look("unmeasured", "cyd").eta is None
    assert house.look("long").eta == 13 + 8, "2 s a cell less the second gone, bob's 2 s, and 8 s for cyd at most"


# Images, which have steps and previews instead of text


def drawing(reached: threading.Event, go: threading.Event) -> Callable[[Sequence[Request], Stopped], Iterator[Event]]:
    """Draws two steps of four, waits, and ends with what it has if it is stopped by then."""

    def draw(requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        yield Progress(0, 0.0, 4.0, "step 1 of 4")
        yield Progress(0, 1.0, 4.0, "step 1 of 4, about 3 s left", b"first")
        yield Progress(0, 2.0, 4.0, "step 2 of 4, about 2 s left", b"second")
        reached.set()
        assert go.wait(PATIENCE)
        if stopped(0):
            yield Finished(0, replace(output("", "cancelled", 2), images=(b"second",), notes=("Stopped at step 2.",)))
            return
        yield Progress(0, 4.0, 4.0, "step 4 of 4, decoding")
        yield Finished(0, replace(output("", tokens=4), images=(b"whole",)))

    return draw


@pytest.mark.parametrize("cancelled", [False, True])
def test_a_step_with_its_preview_is_in_the_snapshot_until_the_image_is_there(start: Start, cancelled: bool) -> None:
    reached, go = threading.Event(), threading.Event()
    house = start(Models(max_batch=1, local=drawing(reached, go)))
    house.submit("r")
    assert reached.wait(PATIENCE)
    until(lambda: house.look("r").cells[0].preview == b"second")
    snapshot = house.look("r")
    cell = snapshot.cells[0]
    assert (cell.state, cell.fraction, cell.note) == (State.RUNNING, 0.5, "step 2 of 4, about 2 s left")
    assert snapshot.progress == 0.5
    assert house.look("r").cells[0] is cell
    if cancelled:
        house.engine.cancel("r", "ann")
    go.set()
    ended = house.ended("r").cells[0]
    assert ended.state is (CANCELLED if cancelled else DONE)
    assert (ended.fraction, ended.note, ended.preview) == (0.0, "", b"")
    assert ended.output is not None
    assert ended.output.images == ((b"second",) if cancelled else (b"whole",))
    assert house.sink.results["r", 0].output == ended.output


def test_a_step_without_a_preview_keeps_the_last_one(start: Start) -> None:
    done = threading.Event()

    def draw(requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        yield Progress(0, 1.0, 4.0, "step 1 of 4", b"first")
        yield Progress(0, 5.0, 4.0, "step 2 of 4")
        yield Progress(0, 1.0, 0.0, "still")
        assert done.wait(PATIENCE)
        yield Finished(0, output("", tokens=4))

    house = start(Models(max_batch=1, local=draw))
    house.submit("r")
    until(lambda: house.look("r").cells[0].note == "still")
    cell = house.look("r").cells[0]
    assert (cell.preview, cell.fraction) == (b"first", 0.0), "of nothing, nothing is done"
    done.set()
    house.ended("r")


def test_an_image_models_speed_is_in_steps(start: Start) -> None:
    models = Models(max_batch=1)
    house = start(models)

    def draw(requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        house.clock.now += 8
        yield Finished(0, output("", tokens=20))

    models.behaviours["local"] = draw
    house.submit("r")
    house.ended("r")
    assert house.engine.speed("local") == 2.5
