"""Several servers on one history: whose runs are interrupted, and when."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.history import History, servers
from core.types import State
from tests.history.conftest import ME, Clock, done, file_of, kill, made
from tests.support.fakes import until

ROOT = Path(__file__).resolve().parents[2]

Opened = Callable[..., History]


@pytest.fixture
def opened(url: str, clock: Clock) -> Iterator[Opened]:
    histories: list[History] = []

    def open_another(**options: float) -> History:
        histories.append(History(url, clock=clock, **options))  # type: ignore[arg-type]
        return histories[-1]

    yield open_another
    for history in histories:
        history.close()


def state(history: History) -> State:
    return history.search(ME)[0].state


def test_a_second_server_leaves_the_first_ones_runs_alone(opened: Opened) -> None:
    first = opened()
    planned = made()
    first.begin(ME, planned)
    second = opened()
    assert state(second) is State.RUNNING
    assert {result.state for result in second.open(ME, "r1").results} == {State.QUEUED}
    second.begin(ME, made("r2"))
    third = opened()
    assert {row.state for row in third.search(ME)} == {State.RUNNING}
    first.finish(planned, planned.cells[0], done(planned.cells[0]))
    first.end("r1", State.DONE)
    assert third.open(ME, "r1").row.state is State.DONE


@pytest.mark.parametrize("end", [kill, History.close])
def test_what_a_server_that_ended_ran_is_interrupted_at_once(opened: Opened, end: Callable[[History], None]) -> None:
    first, other = opened(), opened()
    first.begin(ME, made())
    other.begin("somebody", made("theirs"))
    end(first)
    second = opened()
    assert state(second) is State.INTERRUPTED
    assert second.search("somebody")[0].state is State.RUNNING


def test_a_killed_process_is_known_to_be_dead_at_once(opened: Opened, url: str) -> None:
    script = (
        "import os, sys; from core.history import History; from tests.history.conftest import ME, made; "
        "History(sys.argv[1]).begin(ME, made()); print('begun', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, url]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdout.readline() == "begun\n"
        assert state(opened()) is State.RUNNING
        server.kill()
        server.wait()
    assert state(opened()) is State.INTERRUPTED
    assert not list(file_of(url).parent.glob("*.lock")), "what a dead server leaves is cleared away"


def without_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on another database or system: only the time at which a server was seen says that it is alive."""
    monkeypatch.setattr(servers, "fcntl", None)


def test_without_a_lock_a_server_that_is_not_seen_for_long_is_dead(
    opened: Opened, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_locks(monkeypatch)
    first = opened()
    first.begin(ME, made())
    first._closed.set()
    clock.now += servers.STALE_SECONDS - 10
    assert state(opened()) is State.RUNNING
    clock.now += 20
    second = opened()
    assert state(second) is State.INTERRUPTED


def test_a_server_that_runs_something_is_seen_again_and_again(
    opened: Opened, clock: Clock, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_locks(monkeypatch)
    first = opened(beat_seconds=0.005)
    raw = sqlite3.connect(file_of(url))

    def seen() -> list[float]:
        return [time for (time,) in raw.execute("SELECT seen FROM servers")]

    assert seen() == []
    first.begin(ME, made())
    before = seen()
    clock.now += 1000
    until(lambda: seen() > before)
    assert state(opened()) is State.RUNNING
    first.end("r1", State.DONE)
    raw.close()


def test_a_server_that_stays_open_notices_that_another_died(
    opened: Opened, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "STALE_SECONDS", 0.01)
    first, second = opened(), opened(beat_seconds=0.005)
    first.begin(ME, made())
    kill(first)
    until(lambda: state(second) is State.INTERRUPTED)


def test_a_run_goes_on_on_another_server_only_when_the_first_is_dead(opened: Opened) -> None:
    first, second = opened(), opened()
    planned = made()
    first.begin(ME, planned)
    first.finish(planned, planned.cells[0], done(planned.cells[0]))
    with pytest.raises(InvalidInput, match="under way on another server"):
        second.begin(ME, planned)
    kill(first)
    third = opened()
    third.begin(ME, planned)
    assert state(third) is State.RUNNING
    assert state(opened()) is State.RUNNING, "it belongs to the server that took it over"


def test_a_closed_history_leaves_no_lock_behind(opened: Opened, url: str) -> None:
    history = opened()
    history.begin(ME, made())
    assert len(list(file_of(url).parent.glob("*.lock"))) == 1
    history.close()
    assert not list(file_of(url).parent.glob("*.lock"))


def test_the_lock_of_a_foreign_name_stays_beside_the_database(tmp_path: Path) -> None:
    server = servers.Server(tmp_path / "history.db")
    assert server._lock_file("../../etc/passwd").parent == tmp_path
