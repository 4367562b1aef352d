"""What this machine offers: the kind of device, its threads and its memory, each with the reason in words.

Asks the container (cgroup v2, then v1) before the host, because a container sees the host's cores and memory and is
throttled or killed at its own. Knows nothing of models. torch is imported only inside `choose`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from core.settings import Settings

CGROUP = Path("/sys/fs/cgroup")
UNLIMITED = 1 << 60
"""Limits from here on mean "no limit": cgroup v1 writes the largest page-aligned 63-bit number."""

SMALL = 100_000_000
"""Models of at most so many bytes run on one thread. With 2.9 million parameters and 16 rows of text a second thread
brought 13 %; where another process wanted that core, waiting for it at every product made a batch 7 times slower."""


@dataclass(frozen=True, slots=True)
class Device:
    """Where models run: `kind` is "cpu", "cuda" or "mps"; `dtype` what is computed in; `reason` a sentence."""

    kind: str
    dtype: str
    threads: int
    reason: str


def choose(settings: Settings) -> Device:
    """The best device here, and why. Imports torch."""
    import torch

    count, why = threads(settings.threads)
    if torch.cuda.is_available():
        name = torch.cuda.get_device_name(0)
        return Device("cuda", "float32", count, f"{name} found; computing in float32 for answers that can be repeated.")
    if torch.backends.mps.is_available():
        return Device("mps", "float32", count, "Apple GPU found; computing in float32.")
    unit = "thread" if count == 1 else "threads"
    reason = f"No GPU found; {count} CPU {unit} ({why}), float32 because half precision is slow on a CPU."
    return Device("cpu", "float32", count, reason)


def suited(place: Device, weight: int, settings: Settings) -> Device:
    """The same device for a model of so many bytes: a small one takes one CPU thread, unless a number was set."""
    if place.kind != "cpu" or settings.threads or weight > SMALL:
        return place
    return replace(place, threads=1, reason=f"{place.reason} One thread for so small a model.")


def threads(wanted: int = 0, cgroup: Path = CGROUP) -> tuple[int, str]:
    """How many CPU threads to use and why: those wanted, else this process's cores under the container's quota."""
    if wanted > 0:
        return wanted, "DIPTYCH_THREADS"
    cores, quota = _cores(), _quota(cgroup)
    if quota is not None and quota < cores:
        return max(1, int(quota)), f"the container's quota is {quota:g} CPUs"
    return cores, f"{cores} core{'s' if cores > 1 else ''} available"


def memory_limit(cgroup: Path = CGROUP) -> int:
    """Bytes that all processes here may use together: the smaller of the container's limit and the host's memory."""
    host = int(psutil.virtual_memory().total)
    limits = (_number(cgroup / "memory.max"), _number(cgroup / "memory" / "memory.limit_in_bytes"))
    return min([host, *(limit for limit in limits if limit is not None and 0 < limit < UNLIMITED)])


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def _quota(cgroup: Path) -> float | None:
    """The container's CPU quota in cores, None without one."""
    line = _text(cgroup / "cpu.max").split()
    if len(line) == 2 and line[0].isdigit() and line[1].isdigit() and int(line[1]):
        return int(line[0]) / int(line[1])
    quota, period = _number(cgroup / "cpu" / "cpu.cfs_quota_us"), _number(cgroup / "cpu" / "cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.removeprefix("-").isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
