"""How long an onlooker waits for the page while others' local runs go on, beside an otherwise empty app.

    python -m benchmarks.onlooker [--changes 40]

One Diptych and one empty Streamlit app (benchmarks/empty_app.py) are served on this machine. Visitors keep Diptych's
worker busy throughout. A raw websocket client of each, in turn, changes a number and waits until the script has ended,
so that the same load lies on both. Prints milliseconds, their ratio, and the CPU seconds of each server's process and
of the worker. The aim: a 95th percentile of at most 1.5 times the empty app's.
"""

from __future__ import annotations

import argparse
import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from tests.support.raw_client import RawClient, number, press, token, visitor
from tests.support.serving import Server, served

AIM = 1.5
WARM_UP = 5
PAUSE = 0.2
"""Seconds between an answer and the next change, at least."""

BUSY_VISITORS = 3
FEWEST_OPEN = 8
"""Cells that are queued or running at least, whenever a change is timed."""


class Load:
    """Visitors of Diptych whose runs leave the worker no pause. Each has one run at a time."""

    def __init__(self, server: Server, clients: Sequence[RawClient]) -> None:
        self._history = server.data / "history.db"
        self._clients = clients
        self.keep_up()

    def keep_up(self) -> None:
        """Start further answers where few are open."""
        while self._open() < FEWEST_OPEN:
            for client in self._clients:
                client.rerun("text")
                if client.has("button", "Generate"):
                    sizes = [number(client, "Samples", 16), number(client, "Max new tokens", 400)]
                    client.rerun("text", [*sizes, press(client, "Generate")])

    def _open(self) -> int:
        with closing(sqlite3.connect(self._history)) as database:
            (count,) = database.execute("select count(*) from cells where state in ('queued', 'running')").fetchone()
        return int(count)


def settle(client: RawClient) -> None:
    """Read what is still on its way, and pause as a person does between two changes."""
    with suppress(TimeoutError):
        while True:
            client.receive(PAUSE)


def changing(client: RawClient, page: str) -> Callable[[int], float]:
    """What changes the client's number for the nth time, and returns the seconds until the script has ended."""
    client.rerun(page)

    def change(n: int) -> float:
        settle(client)
        state = number(client, "Temperature", 0.5 + n % 10 / 10)
        start = time.perf_counter()
        client.rerun(page, [state])
        return time.perf_counter() - start

    return change


def report(name: str, seconds: list[float], cpu: float) -> float:
    """Print one app's row; its 95th percentile in seconds."""
    p95 = statistics.quantiles(seconds, n=20)[-1]
    print(f"| {name} | {statistics.median(seconds) * 1000:.0f} | {p95 * 1000:.0f} | {cpu:.2f} |")
    return p95


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def measure(diptych: Server, empty: Server, changes: int) -> float:
    """Print the table; the ratio of the 95th percentiles."""
    with ExitStack() as stack:
        onlooker, *others = [stack.enter_context(visitor(diptych.url, token())) for _ in range(1 + BUSY_VISITORS)]
        ours = changing(onlooker, "text")
        theirs = changing(stack.enter_context(visitor(empty.url, token())), "")
        load = Load(diptych, others)
        for n in range(WARM_UP):
            ours(n)
            theirs(n)
        processes = [psutil.Process(diptych.pid), psutil.Process(empty.pid), *diptych.workers()]
        before = [cpu_seconds(process) for process in processes]
        pairs: list[tuple[float, float]] = []
        for n in range(changes):
            load.keep_up()
            pairs.append((ours(n), theirs(n)))
        cpu = [cpu_seconds(process) - spent for process, spent in zip(processes, before, strict=True)]
    print("| app | p50, ms | p95, ms | CPU, s |\n|---|---|---|---|")
    ratio = report("Diptych", [one for one, _ in pairs], cpu[0]) / report("empty", [one for _, one in pairs], cpu[1])
    print(f"\nRatio of p95 {ratio:.2f} (aim {AIM}); the worker took {sum(cpu[2:]):.1f} CPU seconds.")
    return ratio


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--changes", type=int, default=40)
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "diptych", Path(folder) / "empty"
        ours.mkdir()
        theirs.mkdir()
        with served(ours) as diptych, served(theirs, script="benchmarks/empty_app.py") as empty:
            measure(diptych, empty, options.changes)


if __name__ == "__main__":
    main()
