"""One run of the history in a few words."""

from __future__ import annotations

from datetime import UTC

from core.experiment.verdict_words import letter
from core.history import RunRow
from core.text import short
from core.types import State


def facts(row: RunRow) -> str:
    """A run's time, size, its leader's pass rate, and its state where it is not done."""
    passed = f" · {leader(row)} pass" if row.leader else ""
    state = "" if row.state is State.DONE else f" · {row.state}"
    return f"{row.created.astimezone(UTC):%d %b %H:%M} UTC · {row.done} of {row.cells} answers{passed}{state}"


def leader(row: RunRow) -> str:
    """The rate of the column that passes most often, with its letter: A 88 %. A single column has its rate alone; ""
    where nothing was judged."""
    if row.leader is None:
        return ""
    rate = f"{100 * row.leader.rate:.0f} %"
    if row.leader.columns == 1:
        return rate
    model = f" on {short(row.leader.model)}" if len(row.models) > 1 else ""
    return f"{letter(row.leader.variant)}{model} {rate}"
