"""A program that a test kills: an engine and a history at work, which prints every cell that a snapshot shows as final.

python -m tests.support.engine_to_kill DATABASE_URL RUNS CELLS [slow-checks]

With slow-checks, the first run's answers have ten checks each that take long; the others have one that is quick.
"""

from __future__ import annotations

import os
import random
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from core.engine import Engine
from core.history import History
from core.settings import Settings
from core.types import Check, Event, Finished, Input, Request, Run
from tests.support.fakes import Models, Stopped, lookup, output, run


def answer(requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
    """Answers a batch row by row, a moment apart."""
    pause = threading.Event()
    for i in range(len(requests)):
        pause.wait(random.uniform(0.0, 0.004))
        yield Finished(i, output(f"{random.random()} " * 8))


SLOW_CHECKS = Check.of(*(f"regex:^(?:.|.)*[^ -~{i}]$" for i in range(10)))


def planned(name: str, cells: int, slow: bool) -> Run:
    plain = run(name, *["local"] * cells)
    checks = SLOW_CHECKS if slow else Check.of("contains:x")
    return replace(plain, experiment=replace(plain.experiment, inputs=(Input(checks=checks),)))


def main(url: str, runs: int, cells: int, slow: bool = False) -> None:
    engine = Engine(
        Models(max_batch=4, local=answer), History(url), Settings(data=Path()), lookup=lookup, remote_threads=1
    )
    names = [f"r{i}" for i in range(runs)]
    for name in names:
        engine.submit(name, planned(name, cells, slow and name == "r0"), {})
    print("begun", flush=True)
    shown: set[tuple[str, int]] = set()
    while len(shown) < runs * cells:
        for name in names:
            for cell in engine.snapshot(name, name).cells:
                if cell.state.final and (name, cell.index) not in shown:
                    shown.add((name, cell.index))
                    os.write(1, f"{name} {cell.index} {cell.state.value}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), "slow-checks" in sys.argv)
    sys.stdin.read()
