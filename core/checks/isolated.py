"""Checks whose time a person decides, judged in a process of their own that is killed when the time is over.

A pattern, a schema or nested code can be made to run for ever, and to keep every other thread of the process waiting
meanwhile; only its end stops that. `python -m core.checks` imports the standard library and `regex` (for schemas also
jsonschema and yaml), starts at first use, and ends at the deadline, when it idled, or when the server is gone.

    server: a line of JSON a request   {"name", "argument", "seconds"}, and to judge {"answer", "number"}
    child:  a line of JSON a reply     {"spent"} and {} where the argument is read, {"unreadable"}, {"unjudged"} or
                                       {"holds", "reason"}

The process gets no key, and little of the server's environment.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from threading import BoundedSemaphore, Event, Lock, Timer
from typing import Any

from core.checks.budget import CHECK_SECONDS, Budget
from core.checks.finding import Finding, Unjudged
from core.settings import ROOT

PROCESSES = 2
START_SECONDS = 30.0
WAIT_SECONDS = 60.0
"""Processes at a time; how long one may take to start, and how long a check waits for one to be free."""

COMMAND = (sys.executable, "-W", "ignore", "-m", "core.checks")
_PASSED = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "TEMP", "TMPDIR", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH")


class Late(Exception):
    """The process was killed at the deadline."""


class Died(Exception):
    """The process could not be started, or ended without a reply."""


class Process:
    """A child that judges one check at a time.

    Raises:
        Died: it did not start.
    """

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        try:
            self._child = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, env=environment
            )
            self._ask(b"", START_SECONDS)  # its first line says that it is ready
        except OSError:
            raise Died from None
        except (Late, Died):
            self.end()
            raise Died from None

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def ask(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        """The reply to a request; the process is killed when it takes longer.

        Raises:
            Late, Died: there is none.
        """
        reply: dict[str, Any] = json.loads(
            self._ask(json.dumps(request | {"seconds": seconds}).encode() + b"\n", seconds)
        )
        return reply

    def end(self) -> None:
        self._child.kill()
        self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe:
                with suppress(OSError):  # what was written last had nobody to read it
                    pipe.close()

    def _ask(self, line: bytes, seconds: float) -> bytes:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        late = Event()

        def end() -> None:
            late.set()
            self._child.kill()

        timer = Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            self._child.stdin.write(line)
            self._child.stdin.flush()
            reply = self._child.stdout.readline()
        except (OSError, ValueError):  # it ended, or was ended here
            reply = b""
        finally:
            timer.cancel()
            timer.join()
        if not reply:
            raise Late if late.is_set() else Died
        return reply


class Pool:
    """At most PROCESSES children, each started when it is needed and kept for the next check."""

    def __init__(self, start: Callable[[], Process] = Process) -> None:
        self._start = start
        self._slots = BoundedSemaphore(PROCESSES)
        self._idle: list[Process] = []
        self._lock = Lock()

    def ask(self, request: dict[str, Any], spend: Callable[[float], None] = lambda seconds: None) -> dict[str, Any]:
        """The reply of a free process within CHECK_SECONDS. One that dies is replaced once.

        Args:
            spend: called with the processor time that the reply took, or the time until the process ended.

        Raises:
            Late, Died: there is none.
        """
        if not self._slots.acquire(timeout=WAIT_SECONDS):
            raise Died
        try:
            try:
                return self._asked(request, spend)
            except Died:
                return self._asked(request, spend)
        finally:
            self._slots.release()

    def close(self) -> None:
        """End the idle processes; the next check starts another."""
        with self._lock:
            processes, self._idle = self._idle, []
        for process in processes:
            process.end()

    def _asked(self, request: dict[str, Any], spend: Callable[[float], None]) -> dict[str, Any]:
        process = self._free()
        began = time.monotonic()
        try:
            reply = process.ask(request, CHECK_SECONDS)
        except BaseException:
            process.end()
            spend(time.monotonic() - began)
            raise
        spend(reply.pop("spent"))
        with self._lock:
            self._idle.append(process)
        return reply

    def _free(self) -> Process:
        while True:
            with self._lock:
                process = self._idle.pop() if self._idle else None
            if process is None:
                return self._start()
            if process.alive:
                return process
            process.end()


_POOL = Pool()


def close() -> None:
    """End the processes that are idle; the next check starts another."""
    _POOL.close()


atexit.register(close)


def judge(name: str, argument: str, answer: str, number: Decimal | None, budget: Budget | None = None) -> Finding:
    """What the kind `name` of core.checks.kinds says of an answer. The seconds that it takes are spent from the budget.

    Raises:
        Unjudged: out of time, the process ended, or the budget has no time for another check.
    """
    if budget is not None and budget.left() < CHECK_SECONDS:
        raise out_of_time(budget)
    request = {"name": name, "argument": argument, "answer": answer, "number": None if number is None else str(number)}
    try:
        reply = _POOL.ask(request, (lambda seconds: None) if budget is None else budget.spend)
    except Late:
        raise Unjudged(f"not judged: this check took longer than {CHECK_SECONDS:g} s; simplify it") from None
    except Died:
        if budget is not None:
            budget.spend(CHECK_SECONDS)  # starting processes takes time too, and this may go on at every look
        raise Unjudged(f"not judged: {_NO_PROCESS}", final=False) from None
    if "holds" not in reply:
        raise Unjudged(reply.get("unjudged") or f"the check {reply.get('unreadable')}")
    return Finding(reply["holds"], reply["reason"])


def out_of_time(budget: Budget) -> Unjudged:
    """What to raise for a check that a budget has no time for."""
    shortest = budget.shortest()
    return Unjudged(shortest.reason, final=not shortest.refills)


_NO_PROCESS = "the process that judges this check could not be started, or ended; look again, or simplify the check"


def unreadable(name: str, argument: str) -> str:
    """Why the argument of a check cannot be read, as the middle of a sentence; "" where it can, or nobody can say."""
    try:
        return _unreadable(name, argument)
    except Died:
        return ""


@lru_cache(maxsize=2048)
def _unreadable(name: str, argument: str) -> str:
    try:
        return str(_POOL.ask({"name": name, "argument": argument}).get("unreadable", ""))
    except Late:
        return f"takes over {CHECK_SECONDS:g} s to be read; simplify it"
