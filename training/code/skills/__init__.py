"""Filters and maps of an item, each as words, as code, and as a function. Knows no source.

A skill's ``act`` is written independently of its code and computes the expected results.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Filter:
    """``words`` hold {0} for the items ("even {0}"), ``clause`` is said of one item, {k} is the parameter."""

    slug: str
    words: tuple[str, ...]
    clause: str
    code: tuple[str, ...]
    act: Callable[[Any, Any], bool]


@dataclass(frozen=True)
class Map:
    """``words`` hold {0} for the items ("the squares of {0}"), ``single`` is the value of one ("its square")."""

    slug: str
    words: tuple[str, ...]
    single: str
    code: tuple[str, ...]
    act: Callable[[Any, Any], Any]
    kind: str = "number"


EVERY = Filter("", ("{0}",), "", ("",), lambda x, k: True)
SAME_NUMBER = Map("", ("{0}",), "", ("{x}",), lambda x, k: x)
SAME_WORD = Map("", ("{0}",), "", ("{x}",), lambda x, k: x, "word")
