"""What the libraries and each built-in model take of memory, in a process of their own: `python -m benchmarks.memory`.

The sizes in core/worker/libraries.py and `memory_bytes` of the built-in models in core/catalog are rounded up from it.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from core import catalog, device
from core.providers import open_model
from core.settings import ROOT, Settings
from core.types import Message, ModelSpec, Request
from core.worker import libraries


def measured(spec: ModelSpec) -> Iterator[tuple[str, int]]:
    """Bytes that this process holds after each step of a first answer."""
    yield "a process without libraries", device.own_bytes()
    for name, _ in libraries.LIBRARIES[spec.provider]:
        __import__(name)
        yield f"import {name}", device.own_bytes()
    settings = Settings(data=Path(ROOT / "data"), offline=True)
    model = open_model(spec, settings)
    yield "open", device.own_bytes()
    parameters = {row.name: row.default for row in spec.parameters}
    requests = [
        Request(messages=(Message("user", "Once"),), parameters=parameters, seed=n) for n in range(model.max_batch)
    ]
    peak = max(device.own_bytes() for _ in model.generate(requests, lambda index: False))
    yield f"answer a batch of {model.max_batch} (peak)", peak


def main() -> None:
    if len(sys.argv) == 2:
        before = 0
        for step, held in measured(catalog.spec(sys.argv[1])):
            print(f"  {step:48} {held / 1e6:6.0f} MB  {(held - before) / 1e6:+6.0f}")
            before = held
        return
    for row in catalog.CATALOG:
        if row.bundled:
            print(row.name, flush=True)
            subprocess.run([sys.executable, "-W", "ignore", "-m", "benchmarks.memory", row.id], cwd=ROOT, check=True)


if __name__ == "__main__":
    main()
