"""The container's limits come before the host's, in both versions of cgroups."""

from __future__ import annotations

import mmap
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


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A process that is told no group."""
    return tmp_path / "no membership"


@pytest.mark.parametrize(
    ("name", "text", "limit"),
    [
        ("memory_dot_max", "1500000000\n", 1_500_000_000),
        ("memory_dot_high", "1400000000\n", 1_400_000_000),
        ("memory_dot_max", "max\n", HOST),
        ("memory_dot_max", "nonsense", HOST),
        ("memory__memory_dot_limit_in_bytes", "700000000\n", 700_000_000),
        ("memory__memory_dot_limit_in_bytes", "9223372036854771712\n", HOST),
    ],
)
def test_memory_limit(tmp_path: Path, nowhere: Path, name: str, text: str, limit: int) -> None:
    assert device.memory(written(tmp_path, **{name: text}), nowhere).limit == limit


def test_memory_without_a_container_is_the_hosts(tmp_path: Path, nowhere: Path) -> None:
    assert device.memory(tmp_path, nowhere).limit == HOST
    assert 0 < device.memory(tmp_path, nowhere).free < HOST


V1 = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_cache {}\ntotal_shmem {}\ntotal_rss 5\n"
V2 = "memory.max", "memory.current", "anon 5\nfile {}\nshmem {}\n"


@pytest.mark.parametrize(("names", "root"), [(V1, "memory"), (V2, ""), (V2, "unified")])
def test_what_files_have_cached_is_free_and_shared_memory_is_not(
    tmp_path: Path, names: tuple[str, str, str], root: str
) -> None:
    own = tmp_path / root / "a" / "b"
    own.mkdir(parents=True)
    limit, usage, stat = names
    (own / limit).write_text("690000000\n")
    (own / usage).write_text("500000000\n")
    (own / "memory.stat").write_text(stat.format(120_000_000, 20_000_000))
    (tmp_path / "membership").write_text("4:memory:/a/b\n" if names is V1 else "0::/a/b\n")
    assert device.memory(tmp_path, tmp_path / "membership") == device.Memory(690_000_000, 290_000_000)


@pytest.mark.parametrize(
    ("limits", "free"),
    [
        ({"": 4_000, "a": 690, "a/b": 3_000}, 690),
        ({"": 4_000, "a": 3_000, "a/b": 690}, 690),
        ({"": 690, "a": 3_000}, 690),
        ({"a/b": 690}, 690),
        ({"a/other": 690, "a": 3_000}, 3_000),
    ],
)
@pytest.mark.parametrize(("names", "root"), [(V1, "memory"), (V2, "")])
def test_the_tightest_of_a_process_groups_counts_and_no_other(
    tmp_path: Path, names: tuple[str, str, str], root: str, limits: dict[str, int], free: int
) -> None:
    for group, limit in limits.items():
        (tmp_path / root / group).mkdir(parents=True, exist_ok=True)
        (tmp_path / root / group / names[0]).write_text(f"{limit * 1_000_000}\n")
    (tmp_path / root / "a" / "b").mkdir(parents=True, exist_ok=True)
    (tmp_path / "membership").write_text("9:cpu,memory:/a/b\n" if names is V1 else "0::/a/b\n")
    assert device.memory(tmp_path, tmp_path / "membership").limit == free * 1_000_000


def test_a_container_whose_membership_is_told_by_the_hosts_path(tmp_path: Path) -> None:
    """Its own group is mounted as the root; the nested one below it is found all the same."""
    written(tmp_path, memory__memory_dot_limit_in_bytes="2000000000")
    (tmp_path / "memory" / "nested").mkdir()
    (tmp_path / "memory" / "nested" / "memory.limit_in_bytes").write_text("690000000")
    (tmp_path / "membership").write_text("4:memory:/docker/0123abcd/nested\n0::/../../x\n")
    assert device.memory(tmp_path, tmp_path / "membership").limit == 690_000_000
    (tmp_path / "membership").write_text("4:memory:/docker/0123abcd\n")
    assert device.memory(tmp_path, tmp_path / "membership").limit == 2_000_000_000


@pytest.mark.parametrize("text", ["", "nonsense", ":::", "0:", "4:memory:", "0::/../..", "\n\n"])
def test_a_membership_that_cannot_be_read_leaves_the_roots(tmp_path: Path, text: str) -> None:
    written(tmp_path, memory_dot_max="690000000")
    (tmp_path / "membership").write_text(text)
    assert device.memory(tmp_path, tmp_path / "membership").limit == 690_000_000


def test_a_nested_groups_quota_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_cores", lambda: 8)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "cpu.max").write_text("200000 100000")
    (tmp_path / "cpu.max").write_text("400000 100000")
    (tmp_path / "membership").write_text("0::/a\n")
    assert device.threads(0, tmp_path, tmp_path / "membership") == (2, "the container's quota is 2 CPUs")


def test_own_bytes_grow_with_what_is_kept() -> None:
    before = device.own_bytes()
    with mmap.mmap(-1, 50_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as kept:  # never what others freed
        for _ in range(50):
            kept.write(b"x" * 1_000_000)
        assert 45_000_000 < device.own_bytes() - before < 60_000_000


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
    assert device.threads(3, written(tmp_path, cpu_dot_max="100000 100000"), tmp_path / "none") == (
        3,
        "DIPTYCH_THREADS",
    )


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
