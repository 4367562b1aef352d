"""Loaded models under a byte budget: leased, kept for the next, let go when another needs the room.

Room is made before a model is read: idle models go, longest unused first, the memory is given back to the system, and
only then is the new one opened. A model in use never goes. One that cannot fit is refused with the numbers.

Used inside the worker process by one thread at a time, though a lease may outlive the opening of another. Knows nothing
of what a model does, only that it can be closed.
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
from core.errors import ModelRefused
from core.providers import Model, Report
from core.repository import in_words
from core.types import ModelSpec

MARGIN = 600_000_000
"""Bytes left to the interpreter, torch itself and the server where the budget is taken from the machine."""

Open = Callable[[ModelSpec, Report], Model]


@dataclass(slots=True)
class _Loaded:
    spec: ModelSpec
    model: Model
    users: int
    last_used: float


class Pool:
    """Models by their id, source and revision.

    Args:
        open: loads one model; what it raises reaches the lease.
        budget: bytes that the specs' `memory_bytes` may add up to; 0 takes the machine's limit less a margin.
        clock: seconds, rising.
    """

    def __init__(self, open: Open, budget: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.budget = budget or max(0, device.memory_limit() - MARGIN)
        self._open = open
        self._clock = clock
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
            ModelRefused: it does not fit; nothing was read.
        """
        row = self._loaded.get(_key(spec)) or self._load(spec, report)
        row.users += 1
        try:
            yield row.model
        finally:
            row.users -= 1
            row.last_used = self._clock()

    def release_idle(self, seconds: float) -> int:
        """Let go of models that nobody has used for `seconds`; returns how many went."""
        now = self._clock()
        return self._drop([row for row in self._idle() if now - row.last_used >= seconds])

    def close(self) -> None:
        """Let go of every model that is not in use."""
        self._drop(self._idle())

    def _load(self, spec: ModelSpec, report: Report) -> _Loaded:
        self._make_room(spec)
        try:
            model = self._open(spec, report)
        except BaseException:
            # A half-read model leaves pages behind.
            _give_back()
            raise
        row = _Loaded(spec, model, 0, self._clock())
        self._loaded[_key(spec)] = row
        return row

    def _make_room(self, spec: ModelSpec) -> None:
        need = spec.memory_bytes
        if need > self.budget:
            raise ModelRefused(
                f"{spec.name} needs {in_words(need)}, this deployment allows {in_words(self.budget)} for models. "
                "Choose a smaller model, or raise DIPTYCH_MEMORY_BUDGET on a larger machine."
            )
        busy = sum(row.spec.memory_bytes for row in self._loaded.values() if row.users)
        if need + busy > self.budget:
            raise ModelRefused(
                f"{spec.name} needs {in_words(need)}; {in_words(busy)} of the {in_words(self.budget)} for models "
                "are in use by other runs. Try again when they have ended."
            )
        leaving: list[_Loaded] = []
        for row in self._idle():
            if self.used - sum(gone.spec.memory_bytes for gone in leaving) + need <= self.budget:
                break
            leaving.append(row)
        self._drop(leaving)

    def _idle(self) -> list[_Loaded]:
        """Models not in use, longest unused first."""
        return sorted((row for row in self._loaded.values() if not row.users), key=lambda row: row.last_used)

    def _drop(self, rows: list[_Loaded]) -> int:
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
