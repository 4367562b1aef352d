"""Checks that a person can make run for ever: stopped, told from others, and out of everybody's way."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from core.checks import Budget, check, isolated, parse
from core.checks.budget import CHECK_SECONDS, Budgets
from core.checks.isolated import COMMAND, Died, Late, Pool, Process
from core.errors import CheckError

SLOW = r"regex:^(?:.|.)*[^ -~À]$"
STEEP, TURNING = r"regex:(a|aa)+$", r"regex:(?:\D+|<\d+>)*[!?]$"
HOSTILE = "ab c " * 12


@pytest.fixture
def process() -> Iterator[Process]:
    started = Process()
    yield started
    started.end()


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "core.checks" in child.cmdline()]


@pytest.mark.parametrize("line", [SLOW, r"regex:^(a+)+$", r"regex:(.*)*x", STEEP, TURNING])
def test_a_pattern_without_end_is_stopped_and_other_threads_go_on(line: str) -> None:
    answer = HOSTILE + "a" * 19_000 + "!!1"
    check("regex:warm", "up")
    gaps: list[float] = []
    done = threading.Event()

    def watch() -> None:
        last = time.perf_counter()
        while not done.wait(0.005):
            gaps.append(time.perf_counter() - last)
            last = time.perf_counter()

    watcher = threading.Thread(target=watch)
    watcher.start()
    began = time.perf_counter()
    outcomes = [check(f"{negated}{line}", answer) for negated in ("", "not-")]
    spent = time.perf_counter() - began
    done.set()
    watcher.join()
    assert spent < 2 * CHECK_SECONDS + 6
    if outcomes[0].judged:  # the engine saw through it
        assert [outcome.passed for outcome in outcomes] == [False, True]
    else:
        assert [outcome.passed for outcome in outcomes] == [False, False]
        assert outcomes[1].reason == "not judged: this check took longer than 1 s; simplify it"
    assert outcomes[0].judged is not line.startswith((SLOW, STEEP, TURNING))
    assert max(gaps, default=0) < 1


def large(letter: str) -> str:
    """A check whose pattern takes gigabytes, and on most machines over a second, to compile."""
    return "regex:" + "(?:(?:" * 2 + letter + "{1000}){900}){900}" + "b" + "){9})"


# Which of its two bounds such a pattern meets first depends on the machine: each test takes the other one away.
def test_a_pattern_that_takes_long_to_compile_holds_nobody_up_and_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check("regex:warm", "warm").passed
    with monkeypatch.context() as patch:
        patch.setattr(isolated, "CHECK_SECONDS", 0.1)
        with pytest.raises(CheckError, match=r"takes over 0\.1 s to be read; simplify it"):
            parse(large("a"))
    assert check("regex:a+", "aa").passed


def test_a_pattern_that_takes_much_memory_to_compile_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "CHECK_SECONDS", 60.0)
    with pytest.raises(CheckError, match="takes too much memory to be read; simplify it"):
        parse(large("c"))
    assert check("regex:a+", "aa").passed


def test_the_slow_do_not_stop_the_quick() -> None:
    lines = [SLOW, "contains:ab", SLOW, r"regex:^ab", "max-words:99"]
    outcomes = [check(line, HOSTILE + "!") for line in lines]
    assert [outcome.passed for outcome in outcomes] == [False, True, False, True, True]
    assert [outcome.judged for outcome in outcomes] == [False, True, False, True, True]
    assert outcomes[0].reason == "not judged: this check took longer than 1 s; simplify it"


@pytest.mark.parametrize(
    "line", ["Paris", "contains:a", "number:3", "is-json", "contains-json:a", "levenshtein(3):abc"]
)
def test_common_checks_need_no_process(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "_POOL", None)
    assert check(line, "a 3").reason


def test_the_process_is_light_and_has_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "fakekey")
    isolated.close()
    assert check("regex:a", "a").passed
    (child,) = children()
    assert child.memory_info().rss < 100e6
    maps = Path(f"/proc/{child.pid}/maps")
    if maps.exists():
        loaded = maps.read_text("utf-8")
        assert not [name for name in ("torch", "numpy", "PIL", "pandas", "streamlit") if f"/{name}/" in loaded]
    assert "OPENAI_API_KEY" not in child.environ()


def test_a_process_that_dies_is_replaced() -> None:
    assert check("regex:a", "a").passed
    for child in children():
        child.kill()
        child.wait()
    assert check("regex:b", "b").passed


def test_a_process_that_cannot_be_started_fails_the_check_for_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolated, "_POOL", Pool(lambda: Process(("false",))))
    outcome = check("regex:never-started", "a")
    assert (outcome.passed, outcome.judged, outcome.final) == (False, False, False)
    assert outcome.reason.startswith("not judged: ")


def test_a_process_is_ended_at_the_deadline(process: Process) -> None:
    request = {"name": "regex", "argument": SLOW.removeprefix("regex:"), "answer": HOSTILE + "!", "number": None}
    with pytest.raises(Late):
        process.ask(request, 0.2)
    process.end()
    assert not process.alive
    with pytest.raises(Died):
        process.ask(request, 0.2)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers of the kernel's here")
def test_a_process_whose_server_is_gone_ends_by_itself() -> None:
    child = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=isolated.ROOT)
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline() == b'"ready"\n'
    child.stdin.write(
        b'{"name": "regex", "argument": "^(?:.|.)*[^ -~]$", "answer": "' + b"ab c " * 12 + b'!", "number": null, '
        b'"seconds": 0.1}\n'
    )
    child.stdin.close()
    assert child.wait(timeout=30) == -signal.SIGALRM
    child.stdout.close()
    child = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=isolated.ROOT)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(timeout=30) == os.EX_OK


def test_many_threads_share_two_processes() -> None:
    outcomes: list[bool] = []

    def judge(number: int) -> None:
        outcomes.append(check(rf"regex:^a{{{number}}}$", "a" * number).passed)

    threads = [threading.Thread(target=judge, args=(number,)) for number in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [True] * 12
    assert 1 <= len(children()) <= isolated.PROCESSES


def test_a_budget_that_is_spent_judges_no_more() -> None:
    budget = Budget(CHECK_SECONDS, "this answer")
    assert check(r"regex:^\w+ x$", "budget x", budget=budget).passed
    assert budget.left() < CHECK_SECONDS
    outcome = check(r"regex:^\w+ x$", "budget x", budget=budget)
    assert (outcome.passed, outcome.judged, outcome.final) == (False, False, True)
    assert outcome.reason == "not judged: the checks of this answer took 1 s in all; simplify the slow ones"
    assert check("contains:x", "budget x", budget=budget).passed


def test_a_budget_spends_from_those_above_it_and_fills_again() -> None:
    now = [0.0]
    owner = Budget(10, "this visitor's runs", refill=0.1, clock=lambda: now[0])
    cells = [Budget(3, "this answer", owner, clock=lambda: now[0]) for _ in range(4)]
    for cell in cells[:3]:
        cell.spend(3.0)
    assert [cell.left() for cell in cells] == [0, 0, 0, 1.0]
    assert cells[0].shortest() is cells[0]
    cells[3].spend(2.0)
    assert cells[3].shortest() is owner
    now[0] += 50
    assert owner.left() == pytest.approx(4)
    assert cells[3].left() == pytest.approx(1)
    now[0] += 1_000
    assert owner.full()


def test_budgets_are_kept_by_key_and_whole_ones_forgotten() -> None:
    budgets = Budgets(5, "this visitor's runs", refill=0.0, most=3)
    budgets.of("spent").spend(4)
    for key in "abcdef":
        assert budgets.of(key).left() == 5
    assert budgets.of("spent").left() == pytest.approx(1)


@pytest.mark.parametrize("pattern", ["(?R)", r"(?R)?\w+(?R)", "(?:(?R))+"])
def test_a_pattern_that_calls_itself_without_end_takes_neither_the_time_nor_the_memory_of_the_server(
    pattern: str,
) -> None:
    before = psutil.Process().memory_info().rss
    outcome = check(f"not-regex:{pattern}", "ab" * 5_000)
    assert (outcome.passed, outcome.judged) == (False, False)
    assert outcome.reason.startswith("not judged: ")
    assert psutil.Process().memory_info().rss - before < 50e6
    assert check("regex:a", "a").passed
