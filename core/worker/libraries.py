"""The libraries that a provider computes with: what importing them takes, and importing them ahead of a model.

A first model needs this room as well as its own, and what it takes itself is measured after its libraries are in. The
sizes are what a process grew by on Linux, x86-64 (benchmarks/memory.py).
"""

from __future__ import annotations

import sys
from importlib import import_module

_TORCH = ("torch", 140_000_000)
_TRANSFORMERS = ("transformers.modeling_utils", 130_000_000)
_DIFFUSERS = ("diffusers.pipelines.pipeline_utils", 50_000_000)

LIBRARIES: dict[str, tuple[tuple[str, int], ...]] = {
    "local_text": (_TORCH, _TRANSFORMERS),
    "local_audio": (_TORCH, _TRANSFORMERS),
    "local_image": (_TORCH, _TRANSFORMERS, _DIFFUSERS),
}
"""Modules by provider, with the bytes that each adds to those before it."""


PROCESS = 15_000_000
"""Bytes of a worker process that has imported none of them."""


def all_imported(provider: str) -> int:
    """Bytes of a new process with a provider's libraries."""
    return PROCESS + sum(size for _, size in LIBRARIES.get(provider, ()))


def not_imported(provider: str) -> int:
    """Bytes that importing what a provider still lacks will take."""
    return sum(size for name, size in LIBRARIES.get(provider, ()) if name not in sys.modules)


def load(provider: str) -> None:
    """Import what a provider computes with."""
    for name, _ in LIBRARIES.get(provider, ()):
        import_module(name)
