"""A program that a test kills: an engine and a history at work, which prints every cell that a snapshot shows as final.

python -m tests.support.engine_to_kill DATABASE_URL RUNS CELLS
"""

from __future__ import annotations

import os
import random
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from core.engine import Engine
from core.history import History
from core.settings import Settings
from core.types import Event, Finished, Request
from tests.support.fakes import Models, Stopped, lookup, output, run


def answer(requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
    """Answers a batch row by row, a moment apart."""
    pause = threading.Event()
    for i in range(len(requests)):
        pause.wait(random.uniform(0.0, 0.004))
        yield Finished(i, output("x" * 200))


def main(url: str, runs: int, cells: int) -> None:
    engine = Engine(
        Models(max_batch=4, local=answer), History(url), Settings(data=Path()), lookup=lookup, remote_threads=1
    )
    names = [f"r{i}" for i in range(runs)]
    for name in names:
        engine.submit(name, run(name, *["local"] * cells), {})
    print("begun", flush=True)
    shown: set[tuple[str, int]] = set()
    while len(shown) < runs * cells:
        for name in names:
            for cell in engine.snapshot(name, name).cells:
                if cell.state.final and (name, cell.index) not in shown:
                    shown.add((name, cell.index))
                    os.write(1, f"{name} {cell.index} {cell.state.value}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
