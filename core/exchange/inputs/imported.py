"""What a file of inputs comes to: rows, variants and checks, and in sentences what is assumed or left out.

Knows nothing of file formats.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.errors import InvalidInput
from core.text import clean, short
from core.types import Check, Input, Variant

MAX_COLUMNS = 100
MAX_NAME = 200
MAX_VARIANTS = 6
"""Limits: columns of a file, characters of a column's name, variants that are taken."""

MAX_VARIANT_NAME = 60
DESCRIPTION = "__description"
"""The value of a row that says what the row is about; promptfoo's column of this name."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of the file that is not taken over: where it stands ("Line 3"), and in a sentence what it is and why."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What is taken from a file of the named kind.

    `checks` and `threshold` are for all rows. `columns` say of each column (or field) what it becomes; `notes` are
    sentences on what is assumed; `left_out` lists what is not taken over.
    """

    kind: str
    inputs: tuple[Input, ...] = ()
    variants: tuple[Variant, ...] = ()
    checks: tuple[Check, ...] = ()
    threshold: float | None = None
    columns: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


class AmbiguousDelimiter(InvalidInput):
    """A table may be separated by several delimiters; `candidates` are the ones that fit."""

    def __init__(self, sentence: str, candidates: Sequence[str]) -> None:
        super().__init__(sentence)
        self.candidates = tuple(candidates)


def finished(imported: Imported) -> Imported:
    """The same with texts that a prompt can hold, variants with distinct names, and at most MAX_VARIANTS of them."""
    variants, extra = imported.variants[:MAX_VARIANTS], imported.variants[MAX_VARIANTS:]
    left_out = tuple(
        LeftOut(f"Prompt {number}", f"'{short(clean(variant.name))}': at most {MAX_VARIANTS} variants are compared.")
        for number, variant in enumerate(extra, start=MAX_VARIANTS + 1)
    )
    return replace(
        imported,
        inputs=tuple(_clean_row(row) for row in imported.inputs),
        variants=_named_apart(variants),
        checks=tuple(_clean_check(check) for check in imported.checks),
        left_out=tuple(sorted((*imported.left_out, *left_out), key=_line)),
    )


def _line(entry: LeftOut) -> int:
    """The line that an entry stands on; 0 where it names none."""
    match = re.match(r"Line (\d+)", entry.where)
    return int(match[1]) if match else 0


def _clean_row(row: Input) -> Input:
    values = {clean(name): clean(value) for name, value in row.values.items()}
    return replace(row, id=clean(row.id), values=values, checks=tuple(_clean_check(check) for check in row.checks))


def _clean_check(check: Check) -> Check:
    return replace(check, line=clean(check.line), metric=clean(check.metric))


def _named_apart(variants: Sequence[Variant]) -> tuple[Variant, ...]:
    taken: set[str] = set()
    result = []
    for number, variant in enumerate(variants, start=1):
        stem = short(" ".join(clean(variant.name).split()), MAX_VARIANT_NAME - 4) or f"Prompt {number}"
        name = next(name for name in (stem, *(f"{stem} {n}" for n in range(2, MAX_VARIANTS + 2))) if name not in taken)
        taken.add(name)
        result.append(replace(variant, name=name, user=clean(variant.user), system=clean(variant.system)))
    return tuple(result)
