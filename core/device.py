"""What this machine offers: the kind of device, its threads and its memory, each with the reason in words.

Asks this process's control groups (version 2 and version 1, its own and those above it) before the host: a container
sees the host's cores and memory, and is throttled or killed at its own limit. Knows nothing of models. torch is
imported only inside `choose`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from core.settings import Settings

CGROUP = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
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


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of the tightest limit that this process stands under, and how many of them are free.

    What files have cached counts as free: the system takes it back when it is needed."""

    limit: int
    free: int


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


def threads(wanted: int = 0, cgroup: Path = CGROUP, membership: Path = MEMBERSHIP) -> tuple[int, str]:
    """How many CPU threads to use and why: those wanted, else this process's cores under the container's quota."""
    if wanted > 0:
        return wanted, "DIPTYCH_THREADS"
    cores = _cores()
    quotas = [quota for group in groups("cpu", cgroup, membership) if (quota := _quota(group)) is not None]
    if quotas and min(quotas) < cores:
        return max(1, int(min(quotas))), f"the container's quota is {min(quotas):g} CPUs"
    return cores, f"{cores} core{'s' if cores > 1 else ''} available"


def memory(cgroup: Path = CGROUP, membership: Path = MEMBERSHIP) -> Memory:
    """The memory that this process may still take: the least of what the host and each of its groups have free."""
    host = psutil.virtual_memory()
    levels = [Memory(int(host.total), int(host.available))]
    levels += [level for group in groups("memory", cgroup, membership) if (level := _memory(group)) is not None]
    return Memory(min(level.limit for level in levels), max(0, min(level.free for level in levels)))


def own_bytes() -> int:
    """Bytes that this process alone holds: not what it shares with others through files, such as libraries' code."""
    held = psutil.Process().memory_info()
    return int(held.rss - getattr(held, "shared", 0))


def groups(controller: str, cgroup: Path = CGROUP, membership: Path = MEMBERSHIP) -> Iterator[Path]:
    """Folders of the groups that this process is in for a controller, in both versions, from its own up to the root.

    A container may see its own group as the root, while its membership is told by the host's path: then the path's
    first parts are not there."""
    for line in [*_text(membership).splitlines(), "0::/", f"0:{controller}:/"]:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not (controller in controllers.split(",") or (number == "0" and not controllers)):
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for root in (cgroup, cgroup / "unified") if not controllers else (cgroup / controller,):
            candidates = (root.joinpath(*parts[first:]) for first in range(len(parts) + 1))
            own = next((folder for folder in candidates if folder.is_dir()), root)
            yield own
            yield from (folder for folder in own.parents if folder.is_relative_to(root))


def _memory(group: Path) -> Memory | None:
    """What one group limits and has free, None where it limits nothing."""
    names = ("memory.max", "memory.high", "memory.limit_in_bytes")
    limits = [limit for name in names if (limit := _number(group / name)) is not None and 0 < limit < UNLIMITED]
    if not limits:
        return None
    used = _number(group / "memory.current") or _number(group / "memory.usage_in_bytes") or 0
    lines = [line.split() for line in _text(group / "memory.stat").splitlines()]
    stat = {line[0]: int(line[1]) for line in lines if len(line) == 2 and line[1].isdigit()}
    files = stat.get("file", stat.get("total_cache", 0)) - stat.get("shmem", stat.get("total_shmem", 0))
    return Memory(min(limits), min(limits) - used + max(0, files))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def _quota(group: Path) -> float | None:
    """A group's CPU quota in cores, None without one."""
    line = _text(group / "cpu.max").split()
    if len(line) == 2 and line[0].isdigit() and line[1].isdigit() and int(line[1]):
        return int(line[0]) / int(line[1])
    quota, period = _number(group / "cpu.cfs_quota_us"), _number(group / "cpu.cfs_period_us")
    return quota / period if quota and period and quota > 0 else None


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.removeprefix("-").isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
