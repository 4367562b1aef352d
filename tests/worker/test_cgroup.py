"""The server and all four built-in models in a real control group, where this machine lets one be made."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from core import device
from core.settings import ROOT
from tests.support.raw_client import RawClient, press, token, visitor
from tests.support.serving import eventually, served

SMALL, LARGE = 690_000_000, 2_700_000_000
PAGES = {"text": "Generate", "code": "Generate", "image": "Generate", "audio": "Generate"}


@contextmanager
def group(limit: int) -> Iterator[Path]:
    """A new group of version 1 or 2 below this process's own, with a limit of memory; skips where there is none."""
    folder = next((made for parent, name in _parents() if (made := _make(parent, name, limit))), None)
    if folder is None:
        pytest.skip("no memory control group can be made here, of version 1 or 2 (it takes root)")
    try:
        yield folder
    finally:
        eventually(lambda: not (folder / "cgroup.procs").read_text(), 30)
        folder.rmdir()


def _make(parent: Path, limit_name: str, limit: int) -> Path | None:
    folder = parent / f"diptych-test-{os.getpid()}-{limit}"
    try:
        folder.mkdir()
        (folder / limit_name).write_text(str(limit))
    except OSError:
        with suppress(OSError):
            folder.rmdir()
        return None
    return folder


def _parents() -> Iterator[tuple[Path, str]]:
    for folder in device.groups("memory"):
        if (folder / "memory.limit_in_bytes").exists():
            yield folder, "memory.limit_in_bytes"
        elif "memory" in _text(folder / "cgroup.subtree_control").split():
            yield folder, "memory.max"


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def joining(folder: Path) -> list[str]:
    """A command that puts its process into the group and becomes the command that follows it."""
    return ["sh", "-c", f'echo $$ > {folder}/cgroup.procs && exec "$@"', "sh"]


def run_once(client: RawClient, page: str, data: Path, before: int) -> str:
    """Press the page's button and wait for its run's end; its state."""
    client.rerun(page)
    client.rerun(page, [press(client, PAGES[page])])
    states: list[str] = []

    def ended() -> bool:
        with closing(sqlite3.connect(data / "history.db")) as database:
            states[:] = [state for (state,) in database.execute("select state from runs order by created")]
        return len(states) > before and states[-1] not in ("queued", "loading", "running")

    eventually(ended, 240)
    return states[-1]


@pytest.mark.timeout(1500)
def test_all_built_in_models_run_one_after_another_at_690_mb(tmp_path: Path) -> None:
    with (
        group(SMALL) as folder,
        served(tmp_path, prefix=joining(folder)) as server,
        visitor(server.url, token()) as client,
    ):
        pages = [*PAGES, "text"]
        assert [run_once(client, page, tmp_path, number) for number, page in enumerate(pages)] == ["done"] * len(pages)
        (worker,) = [one for one in psutil.Process(server.pid).children() if "core.worker" in " ".join(one.cmdline())]
        with closing(sqlite3.connect(tmp_path / "history.db")) as database:
            assert not [error for (error,) in database.execute("select error from cells") if error]
            ((second,),) = database.execute("select created from runs order by created limit 1 offset 1")
        assert worker.create_time() < second, "one process made them all: none was ended for its memory"


@pytest.mark.parametrize(
    ("limit", "model", "words"),
    [
        (SMALL, "smollm2-135m", "SmolLM2 135M Instruct needs"),
        (SMALL, "qwen2.5-0.5b", "Qwen2.5 0.5B Instruct needs"),
        (LARGE, "stable-diffusion-v1-5", "Stable Diffusion 1.5 needs"),
    ],
)
def test_what_does_not_fit_a_group_is_refused_with_its_numbers(limit: int, model: str, words: str) -> None:
    refused = _leased(limit, model)
    assert words in refused
    assert ("690 MB" if limit == SMALL else "2.7 GB") in refused


def test_smollm2_fits_2_7_gb() -> None:
    assert _leased(LARGE, "smollm2-135m") == "opened"


def _leased(limit: int, model: str) -> str:
    """What a pool in a process of such a group says of a model whose files are not read."""
    script = f"""
from core import catalog
from core.errors import ModelRefused
from core.worker.pool import Pool
pool = Pool(lambda spec, report: None, 0)
try:
    with pool.lease(catalog.find({model!r})):
        print("opened")
except ModelRefused as refused:
    print(refused)
"""
    with group(limit) as folder:
        command = [*joining(folder), sys.executable, "-W", "ignore", "-c", script]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip().splitlines()[-1]


def test_the_limit_of_a_nested_group_is_read() -> None:
    script = "from core import device; print(device.memory().limit, device.memory().free)"
    with group(SMALL) as folder:
        command = [*joining(folder), sys.executable, "-c", script]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    limit, free = map(int, done.stdout.split())
    assert SMALL - 1_000_000 < limit <= SMALL
    assert SMALL - 100_000_000 < free < SMALL
