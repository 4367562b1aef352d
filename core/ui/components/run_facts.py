"""One run of the history in a few words."""

from __future__ import annotations

from datetime import UTC

from core.history import RunRow
from core.types import State


def facts(row: RunRow) -> str:
    """A run's time, size, pass rate, and its state where it is not done."""
    passed = f" · {row.passed} of {row.judged} pass" if row.judged else ""
    state = "" if row.state is State.DONE else f" · {row.state}"
    return f"{row.created.astimezone(UTC):%d %b %H:%M} UTC · {row.done} of {row.cells} answers{passed}{state}"
