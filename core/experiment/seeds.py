"""Parsing and formatting of a list of seeds, such as "1, 5, 99" or "10-14"."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.errors import InvalidInput
from core.text import short
from core.types import MAX_SAMPLES, MAX_SEED


def read(text: str) -> tuple[int, ...]:
    """The seeds in their written order; () for blank text.

    Raises:
        InvalidInput: a part is neither a number nor a range, is out of bounds or comes twice, or there are too many.
    """
    seeds: list[int] = []
    for part in re.split(r"[,;\s]+", re.sub(r"\s*[-–]\s*(?=\d)", "-", text.strip())):
        if part:
            seeds += _range(part)
        if len(seeds) > MAX_SAMPLES:
            raise InvalidInput(f"There are more than {MAX_SAMPLES} seeds in the list. Use fewer.")
    repeated = next((seed for seed in seeds if seeds.count(seed) > 1), None)
    if repeated is not None:
        raise InvalidInput(f"The seed {repeated} is listed twice, which would only make a copy. List it once.")
    return tuple(seeds)


def to_text(seeds: Sequence[int]) -> str:
    """The list in its shortest form: three or more consecutive seeds become a range."""
    groups: list[list[int]] = []
    for seed in seeds:
        if groups and seed == groups[-1][-1] + 1:
            groups[-1].append(seed)
        else:
            groups.append([seed])
    parts = [f"{group[0]}-{group[-1]}" if len(group) > 2 else ", ".join(map(str, group)) for group in groups]
    return ", ".join(parts)


def _range(part: str) -> range:
    match = re.fullmatch(r"([0-9]{1,19})(?:-([0-9]{1,19}))?", part)
    if match is None:
        raise InvalidInput(f"'{short(part)}' in the list of seeds is no number. Write it like 1, 5, 99 or 10-14.")
    first, last = int(match[1]), int(match[2] or match[1])
    if last > MAX_SEED:
        raise InvalidInput(f"A seed is a whole number from 0 to {MAX_SEED}.")
    if not 0 <= last - first <= MAX_SAMPLES:
        raise InvalidInput(f"The range {part} must go up, by at most {MAX_SAMPLES}.")
    return range(first, last + 1)
