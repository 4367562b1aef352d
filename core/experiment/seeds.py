"""A list of seeds as a person writes it, such as "1, 5, 99" or "10-14", and back."""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.errors import InvalidInput
from core.text import short
from core.types import MAX_SAMPLES, MAX_SEED


def read(text: str) -> tuple[int, ...]:
    """The seeds in the order in which they are written; () of blank text.

    Raises:
        InvalidInput: a part is neither a number nor a range, is out of bounds or comes twice, or there are too many.
    """
    found: list[int] = []
    for part in re.split(r"[,;\s]+", re.sub(r"\s*[-–]\s*(?=\d)", "-", text.strip())):
        if part:
            found += _range(part)
        if len(found) > MAX_SAMPLES:
            raise InvalidInput(f"There are more than {MAX_SAMPLES} seeds in the list. Use fewer.")
    twice = next((seed for seed in found if found.count(seed) > 1), None)
    if twice is not None:
        raise InvalidInput(f"The seed {twice} is listed twice, which would only make a copy. List it once.")
    return tuple(found)


def written(seeds: Sequence[int]) -> str:
    """The list in its shortest form: three or more that follow each other become a range."""
    groups: list[list[int]] = []
    for seed in seeds:
        if groups and seed == groups[-1][-1] + 1:
            groups[-1].append(seed)
        else:
            groups.append([seed])
    parts = [f"{group[0]}-{group[-1]}" if len(group) > 2 else ", ".join(map(str, group)) for group in groups]
    return ", ".join(parts)


def _range(part: str) -> range:
    found = re.fullmatch(r"([0-9]{1,19})(?:-([0-9]{1,19}))?", part)
    if found is None:
        raise InvalidInput(f"'{short(part)}' in the list of seeds is no number. Write it like 1, 5, 99 or 10-14.")
    first, last = int(found[1]), int(found[2] or found[1])
    if last > MAX_SEED:
        raise InvalidInput(f"A seed is a whole number from 0 to {MAX_SEED}.")
    if not 0 <= last - first <= MAX_SAMPLES:
        raise InvalidInput(f"The range {part} must go up, by at most {MAX_SAMPLES}.")
    return range(first, last + 1)
