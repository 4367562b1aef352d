"""The container's limits come before the host's, in both versions of cgroups."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from core import device
from core.settings import Settings

HOST = psutil.virtual_memory().total


def written(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("name", "text", "limit"),
    [
        ("memory_dot_max", "1500000000\n", 1_500_000_000),
        ("memory_dot_max", "max\n", HOST),
        ("memory_dot_max", "nonsense", HOST),
        ("memory__memory_dot_limit_in_bytes", "700000000\n", 700_000_000),
        ("memory__memory_dot_limit_in_bytes", "9223372036854771712\n", HOST),
    ],
)
def test_memory_limit(tmp_path: Path, name: str, text: str, limit: int) -> None:
    assert device.memory_limit(written(tmp_path, **{name: text})) == limit


def test_memory_without_a_container_is_the_hosts(tmp_path: Path) -> None:
    assert device.memory_limit(tmp_path) == HOST


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({"cpu_dot_max": "150000 100000\n"}, 1),
        ({"cpu_dot_max": "50000 100000\n"}, 1),
        ({"cpu_dot_max": "400000 100000\n"}, 4),
        ({"cpu_dot_max": "max 100000\n"}, 8),
        ({"cpu_dot_max": "6400000 100000\n"}, 8),
        ({"cpu__cpu_dot_cfs_quota_us": "200000", "cpu__cpu_dot_cfs_period_us": "100000"}, 2),
        ({"cpu__cpu_dot_cfs_quota_us": "-1", "cpu__cpu_dot_cfs_period_us": "100000"}, 8),
    ],
)
def test_threads_keep_to_the_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], count: int
) -> None:
    monkeypatch.setattr(device, "_cores", lambda: 8)
    found, why = device.threads(cgroup=written(tmp_path, **files))
    assert found == count
    assert ("quota" in why) == (count < 8)


def test_threads_that_are_set_win(tmp_path: Path) -> None:
    assert device.threads(3, written(tmp_path, cpu_dot_max="100000 100000")) == (3, "DIPTYCH_THREADS")


def test_cores_are_those_of_this_process() -> None:
    assert device.threads(cgroup=Path("/nowhere"))[0] == len(os.sched_getaffinity(0))


def test_choice_on_a_cpu_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    chosen = device.choose(Settings(data=tmp_path, threads=1))
    assert (chosen.kind, chosen.dtype, chosen.threads) == ("cpu", "float32", 1)
    assert "1 CPU thread (DIPTYCH_THREADS)" in chosen.reason


def test_device_pool_and_repository_import_nothing_heavy() -> None:
    code = (
        "import sys, core.device, core.worker.pool, core.repository;"
        "print({'torch', 'transformers', 'huggingface_hub'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
