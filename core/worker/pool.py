"""Loaded models within the memory there is: leased, kept for the next lease, evicted when another needs the room.

Room is made before a model is read: idle models are evicted, longest unused first, the memory is given back to the
system, and only then is the new one opened. A model in use is never evicted. One that cannot fit is refused with the
numbers.

The room is what the system says is free, measured each time (core.device.memory), or a budget that a deployment sets,
against which the catalog's sizes count. Used inside the worker process by one thread at a time, though a lease may
outlive the opening of another. Knows nothing of what a model does, only that it can be closed.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from core import device
from core.errors import ModelRefused, NeedsNewProcess
from core.providers import Model, Report
from core.repository import in_words
from core.types import ModelSpec
from core.worker import libraries

RESERVE = 60_000_000
"""Bytes of the free memory that no model is given: for the code of the libraries, which must stay in memory to run, and
for what the server takes meanwhile."""

Open = Callable[[ModelSpec, Report], Model]


@dataclass(slots=True)
class _Loaded:
    """`bytes`: what the process grew by when it was read."""

    spec: ModelSpec
    model: Model
    bytes: int
    users: int
    last_used: float


class Pool:
    """Models by their id, source and revision.

    Args:
        open: loads one model; what it raises reaches the lease.
        budget: bytes that the specs' `memory_bytes` may add up to; 0 measures what is free instead.
        clock: seconds, rising.
        memory: what is free, and under which limit.
    """

    def __init__(
        self,
        open: Open,
        budget: int,
        clock: Callable[[], float] = time.monotonic,
        memory: Callable[[], device.Memory] = device.memory,
    ) -> None:
        self.budget = budget
        self._open = open
        self._clock = clock
        self._memory = memory
        self._loaded: dict[tuple[str, str, str], _Loaded] = {}

    @property
    def used(self) -> int:
        """Bytes of the models that are loaded now, by their specs."""
        return sum(row.spec.memory_bytes for row in self._loaded.values())

    @property
    def models(self) -> tuple[str, ...]:
        """Ids of the models that are loaded, longest unused first."""
        return tuple(row.spec.id for row in sorted(self._loaded.values(), key=lambda row: row.last_used))

    @contextmanager
    def lease(self, spec: ModelSpec, report: Report = lambda progress: None) -> Iterator[Model]:
        """The model, loaded now or before; it stays loaded until the lease ends.

        Raises:
            NeedsNewProcess: it would fit into a new process; nothing was read.
            ModelRefused: it does not fit; nothing was read.
        """
        row = self._loaded.get(_key(spec))
        if row is None:
            row = self._load(spec, report)
        elif not self.budget:
            self._make_room(spec, max(0, spec.memory_bytes - row.bytes), keep=row)  # what answering takes
        row.users += 1
        try:
            yield row.model
        finally:
            row.users -= 1
            row.last_used = self._clock()

    def release_idle(self, seconds: float) -> int:
        """Evict models that nobody has used for `seconds`; returns how many."""
        now = self._clock()
        return self._evict([row for row in self._idle() if now - row.last_used >= seconds])

    def close(self) -> None:
        """Evict every model that is not in use."""
        self._evict(self._idle())

    def _load(self, spec: ModelSpec, report: Report) -> _Loaded:
        self._make_room(spec, spec.memory_bytes + (0 if self.budget else libraries.not_imported(spec.provider)))
        libraries.load(spec.provider)
        before = device.own_bytes()
        try:
            model = self._open(spec, report)
        except BaseException:
            # A half-read model leaves pages behind.
            _give_back()
            raise
        row = _Loaded(spec, model, max(0, device.own_bytes() - before), 0, self._clock())
        self._loaded[_key(spec)] = row
        return row

    def _make_room(self, spec: ModelSpec, need: int, keep: _Loaded | None = None) -> None:
        """Evict idle models, but for `keep`, until `need` bytes are free.

        Raises:
            ModelRefused: they cannot be; then nothing is evicted, but where less came free than was measured.
        """
        if need > self._free() and not self.budget:
            _give_back()
        idle = [row for row in self._idle() if row is not keep]
        if need > self._free() + sum(self._size(row) for row in idle):
            raise self._refusal(spec, need, [row for row in self._loaded.values() if row.users])
        leaving: list[_Loaded] = []
        while idle and need > self._free() + sum(self._size(row) for row in leaving):
            leaving.append(idle.pop(0))
        self._evict(leaving)
        while need > self._free():
            if not idle:
                raise self._refusal(spec, need, [row for row in self._loaded.values() if row.users])
            self._evict([idle.pop(0)])

    def _free(self) -> int:
        return self.budget - self.used if self.budget else max(0, self._memory().free - RESERVE)

    def _size(self, row: _Loaded) -> int:
        return row.spec.memory_bytes if self.budget else row.bytes

    def _refusal(self, spec: ModelSpec, need: int, busy: list[_Loaded]) -> ModelRefused:
        taken = sum(self._size(row) for row in busy)
        if self.budget and need > self.budget:
            return ModelRefused(
                f"{spec.name} needs {in_words(need)}, this deployment allows {in_words(self.budget)} for models. "
                "Choose a smaller model, or raise DIPTYCH_MEMORY_BUDGET on a larger machine."
            )
        if self.budget:
            return ModelRefused(
                f"{spec.name} needs {in_words(need)}; {in_words(taken)} of the {in_words(self.budget)} for models "
                "are in use by other runs. Try again when they have ended."
            )
        limit, free = self._memory().limit, self._free() + sum(self._size(row) for row in self._idle())
        anew = spec.memory_bytes + libraries.all_imported(spec.provider) <= self._free() + device.own_bytes()
        kind = NeedsNewProcess if anew and not busy else ModelRefused
        return kind(
            f"{spec.name} needs {in_words(need)} more; of the {in_words(limit)} that this deployment has, "
            f"{in_words(free)} can be had. Choose a smaller model, or give the deployment more memory."
        )

    def _idle(self) -> list[_Loaded]:
        """Models not in use, longest unused first."""
        return sorted((row for row in self._loaded.values() if not row.users), key=lambda row: row.last_used)

    def _evict(self, rows: list[_Loaded]) -> int:
        for row in rows:
            del self._loaded[_key(row.spec)]
            # A model that fails to close must not keep the next one from being loaded.
            with suppress(Exception):
                row.model.close()
        count = len(rows)
        rows.clear()
        if count:
            _give_back()
        return count


def _key(spec: ModelSpec) -> tuple[str, str, str]:
    return spec.id, spec.source, spec.revision


def _give_back() -> None:
    """Collect what was dropped and give the pages to the system: glibc keeps them otherwise (pytorch issue 68114)."""
    gc.collect()
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL("libc.so.6").malloc_trim(0)
