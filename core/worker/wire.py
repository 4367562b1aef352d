"""Messages as bytes: pickles of plain values and of the values that core.types and core.worker.messages define.

Anything else is refused by type, on the way out and on the way in. A library's own type must not cross: reading one
imports its library, and the server stays free of torch. What subclasses a plain type is not plain (torch's version is
a subclass of str).
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterator
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from types import ModuleType
from typing import Any

from core import types
from core.settings import Settings
from core.worker import messages


def pack(message: object) -> bytes:
    """The message as bytes.

    Raises:
        TypeError: it holds a value of another type.
    """
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=5).dump(message)
    return buffer.getvalue()


def unpack(data: bytes) -> object:
    """The message that `pack` made.

    Raises:
        pickle.UnpicklingError: it names another type, or is none.
    """
    try:
        return _Unpickler(io.BytesIO(data)).load()
    except pickle.UnpicklingError:
        raise
    except Exception as error:  # a damaged pickle raises nearly anything
        raise pickle.UnpicklingError(f"no message ({type(error).__name__})") from None


def _classes(module: ModuleType) -> Iterator[type]:
    for value in vars(module).values():
        if isinstance(value, type) and (is_dataclass(value) or issubclass(value, Enum)):
            yield value


_ALLOWED = {*_classes(types), *_classes(messages), Settings, type(Path())}
_BY_NAME = {(kind.__module__, kind.__qualname__): kind for kind in _ALLOWED}


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: object) -> Any:
        """Asked for everything but exact plain values (None, bool, int, float, str, bytes, tuple, list, dict, set)."""
        kind = obj if isinstance(obj, type) else type(obj)
        if kind not in _ALLOWED:
            raise TypeError(f"a {kind.__module__}.{kind.__qualname__} does not cross to the server")
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        try:
            return _BY_NAME[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"a message names {module}.{name}") from None
