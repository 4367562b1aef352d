"""A killed server has lost nothing that it showed as final."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from core.history import History

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


def test_slow_checks_of_one_owner_delay_no_others_cell_on_its_way_to_the_file(tmp_path: Path) -> None:
    """20 cells x 10 slow checks of one owner, and 20 cells of another, killed when the last of them is seen final."""
    url = f"sqlite:///{tmp_path / 'history.db'}"
    seen = killed(url, after=40, runs=2, cells=20, options=("slow-checks",))
    assert len(seen) == 40
    with closing(sqlite3.connect(tmp_path / "history.db")) as raw:
        assert seen <= set(raw.execute('SELECT run_id, "index", state FROM cells'))
    history = History(url)
    waiting = [cell.run_id for cell in history.ungraded(100)]
    history.close()
    assert waiting.count("r0") > 0, "all was written before the checks were done, and a next start grades the rest"


def killed(
    url: str, after: int, runs: int = 3, cells: int = 100, options: tuple[str, ...] = ()
) -> set[tuple[str, int, str]]:
    """The cells that a server had shown as final when it was killed, as soon as it had shown `after` of them."""
    command = [sys.executable, "-m", "tests.support.engine_to_kill", url, str(runs), str(cells), *options]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdin is not None
    assert server.stdout is not None
    assert server.stdout.readline() == "begun\n"
    lines = [server.stdout.readline() for _ in range(after)]
    server.kill()
    lines += server.stdout.read().splitlines()
    server.stdout.close()
    server.stdin.close()
    server.wait()
    shown = [line.split() for line in lines if line.count(" ") == 2]
    return {(run, int(index), state) for run, index, state in shown}
