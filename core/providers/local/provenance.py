"""What a replay of a local answer needs to know, as plain JSON values.

Plain by type, not by likeness: `torch.__version__` looks like text, but is a TorchVersion, and whoever unpickles one
imports torch.
"""

from __future__ import annotations

import math
import platform
from collections.abc import Mapping

from core.device import Device
from core.types import ModelSpec

Plain = str | int | float | bool | list["Plain"] | dict[str, "Plain"] | None


def provenance(
    spec: ModelSpec, device: Device, packages: Mapping[str, object], batch_size: int = 1, **more: object
) -> dict[str, Plain]:
    """The fields that every local provider's answers have.

    Args:
        packages: versions of the libraries that computed the answer, by name.
        more: the provider's own fields.

    Raises:
        TypeError, ValueError: a value is not plain and has no plain form.
    """
    fields = {
        "source": spec.source,
        "revision": spec.revision,
        "versions": {"python": platform.python_version(), **packages},
        "batch_size": batch_size,
        "device": device.kind,
        "dtype": device.dtype,
        "threads": device.threads,
        **more,
    }
    return {name: plain(value) for name, value in fields.items()}


def plain(value: object) -> Plain:
    """The value in exactly JSON's types: subclasses of them become their base, tuples become lists.

    Raises:
        TypeError: it is of another type, or a key is not text.
        ValueError: a number is not finite.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return "".join(value)  # str() of a subclass may be of that subclass
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError("a provenance holds finite numbers only")
        return float(value)
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {"".join(key): plain(entry) for key, entry in value.items()}
    raise TypeError(f"a provenance holds plain values only, not {type(value).__name__}")
