"""A killed server has lost nothing that it showed as final."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
KILLS = 5


def test_every_cell_that_was_seen_final_is_in_the_file(tmp_path: Path) -> None:
    for attempt in range(KILLS):
        file = tmp_path / f"{attempt}.db"
        seen = killed(f"sqlite:///{file}", after=random.randrange(1, 120))
        raw = sqlite3.connect(file)
        kept = {(run, index, state) for run, index, state in raw.execute('SELECT run_id, "index", state FROM cells')}
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        raw.close()
        assert seen, "the process was killed before it showed anything"
        assert seen <= kept, f"shown as final, and not in the file: {sorted(seen - kept)}"


def killed(url: str, after: int) -> set[tuple[str, int, str]]:
    """The cells that a server had shown as final when it was killed, as soon as it had shown `after` of them."""
    command = [sys.executable, "-m", "tests.support.engine_to_kill", url, "3", "100"]
    server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    assert server.stdout.readline() == "begun\n"
    lines = [server.stdout.readline() for _ in range(after)]
    server.kill()
    lines += server.stdout.read().splitlines()
    server.stdout.close()
    server.wait()
    cells = [line.split() for line in lines if line.count(" ") == 2]
    return {(run, int(index), state) for run, index, state in cells}
