"""Reads words.toml, the words and forms that the generators choose from. Knows nothing of their meaning."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


def table(name: str) -> dict[str, Any]:
    """A data file of this folder."""
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))


@cache
def forms(family: str) -> dict[str, Any]:
    """A family's table in words.toml."""
    return dict(table("words")[family])


def words(family: str) -> dict[str, list[str]]:
    """A family's lists of words."""
    return forms(family)
