"""Saving runs as files: one button for each format, made only when it is pressed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import streamlit as st

from core.exchange import FORMATS, Format
from core.history import SavedRun
from core.ui.session import owner
from core.ui.session.resources import history


def menu(run_ids: Sequence[str], key: str, *, created: datetime | None = None) -> None:
    """A button that opens the list of formats. Formats for one run are not offered for several.

    Args:
        run_ids: of this visitor; none disables the button.
        created: of the run, for the files' names; the present where there are several.
        key: for the widgets.
    """
    stem = file_stem(created or datetime.now(UTC))
    with st.popover("Export", icon=":material/download:", disabled=not run_ids):
        for kind in FORMATS:
            if len(run_ids) == 1 or kind.several:
                _button(kind, _writer(kind, tuple(run_ids)), f"{stem}.{kind.ending}", f"{key}.{kind.key}")
        if len(run_ids) > 1:
            st.caption("Choose one run for a report, a receipt or a promptfoo config.")


def file_stem(created: datetime) -> str:
    """The name of a run's files, without an ending."""
    return f"diptych-{created:%Y%m%d-%H%M%S}"


def _button(kind: Format, write: Callable[[], str | bytes], name: str, key: str) -> None:
    st.download_button(
        kind.label,
        write,
        name,
        kind.mime,
        key=key,
        icon=":material/download:",
        on_click="ignore",
        help=kind.help,
        type="tertiary",
        width="stretch",
    )


def _writer(kind: Format, run_ids: tuple[str, ...]) -> Callable[[], str | bytes]:
    """Reads the runs and writes the file, at the press. The owner is asked for now: a press has no page around it."""
    visitor = owner.current()

    def write() -> str | bytes:
        runs: list[SavedRun] = [history().open(visitor, run_id) for run_id in run_ids]
        return kind.write(runs)

    return write
