"""Pages as a person meets them, through Streamlit's own test harness.

One browser does all visits of a test: each brings the same cookie and nothing else of the visits before. A page is
filled, and read back, through what the history keeps of it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from streamlit.runtime.context import ContextProxy
from streamlit.testing.v1 import AppTest

from core.experiment import from_dict, to_dict
from core.types import Experiment
from core.ui.session import owner, resources

PLAYGROUND = "pages/compare/playground.py"
TEXT = "pages/create/text.py"
IMAGE = "pages/create/image.py"
AUDIO = "pages/create/audio.py"
CODE = "pages/create/code.py"
CHAT = "pages/create/chat.py"
HISTORY = "pages/records/history.py"

Visit = Callable[..., AppTest]


def use_one_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every visit brings the same cookie."""
    monkeypatch.setattr(ContextProxy, "cookies", {owner.COOKIE: "a" * 43})


def by_label(widgets: Iterable[Any], label: str) -> Any:
    return next(widget for widget in widgets if label in widget.label)


def said(app: AppTest) -> str:
    """All text that a person reads on the page."""
    parts = [*app.markdown, *app.caption, *app.title, *app.subheader, *app.error, *app.info]
    return "\n".join(str(part.value) for part in parts)


def press(app: AppTest, label: str) -> None:
    by_label(app.button, label).click()
    app.run()


def edit_table(app: AppTest, **edits: Any) -> None:
    """Report what an editor has changed since it started, as the browser does; the harness has no editor of its own.

    Args:
        edits: edited_rows, added_rows and deleted_rows.
    """
    states = app._tree.get_widget_states()
    state = states.widgets.add()
    state.id = app.dataframe[0].proto.id
    state.string_value = json.dumps({"edited_rows": {}, "added_rows": [], "deleted_rows": []} | edits)
    app._run(states)


def settle(app: AppTest) -> None:
    """Run the page until no answer is on its way; the harness does not poll by itself."""
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        if not any("Stop" in button.label for button in app.button):
            return
        time.sleep(0.1)  # the page has nothing to wait for but its next look
        app.run()
    raise AssertionError("the answer did not come")


def fill(experiment: Experiment) -> None:
    """Let the next visit find this experiment on its page."""
    resources.history().keep_draft(_owner(), experiment.page, to_dict(experiment))


def on_page(page: str) -> Experiment:
    """What the controls of a page say."""
    kept = resources.history().draft(_owner(), page)
    assert kept is not None
    return from_dict(kept)


def runs(page: str) -> list[str]:
    """The runs that were started from a page, the newest first."""
    return [row.id for row in resources.history().search(_owner(), page=page)]


def ran(page: str) -> list[Experiment]:
    """What was run from a page, the newest first."""
    return [resources.history().open(_owner(), run_id).experiment for run_id in runs(page)]


def _owner() -> str:
    def show() -> None:
        import streamlit as st

        from core.ui.session import owner

        st.text(owner.current())

    return str(AppTest.from_function(show).run().text[0].value)
