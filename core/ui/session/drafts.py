"""A page's controls: what was typed before, else the last run, else the page's example.

Typing survives a change of page and a refresh of the browser: every draft is kept in the history under its owner.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.chat import experiments
from core.errors import DiptychError
from core.examples import EXAMPLES
from core.experiment import serialize
from core.types import Experiment
from core.ui.session import owner, pages
from core.ui.session.resources import history
from core.ui.session.state import Draft, session

VERSIONS = 20
"""How many runs back the versions of an answer are looked for after a refresh."""


def current(page: str) -> Draft:
    """The page's draft; on a new connection the one that was kept, with what was last run from this page."""
    draft = session().drafts.get(page)
    return draft if draft is not None else _recall(page)


def keep(draft: Draft) -> None:
    """Write the draft down if it changed since the last time."""
    now = serialize.to_dict(draft.experiment())
    if session().kept.get(draft.page) == now:
        return
    try:
        history().keep_draft(owner.current(), draft.page, now)
    except DiptychError:
        return  # a database that cannot be written has been said where the run was refused
    session().kept[draft.page] = now


def open_in_page(experiment: Experiment, runs: Sequence[str] = ()) -> None:
    """Refill the page that an experiment belongs to, with the answers of its last run, and go there."""
    for run_id in runs:
        session().pictures |= history().attached(owner.current(), run_id)
    if experiment.page == experiments.PAGE:
        session().conversation = experiments.from_experiment(experiment, runs[-1] if runs else "")
        experiment = experiments.without_messages(experiment)
    session().adopt(experiment, runs)
    st.switch_page(pages.page(experiment.page).path)


def _recall(page: str) -> Draft:
    runs = _last_runs(page)
    try:
        kept = history().draft(owner.current(), page)
        if kept is not None:
            return session().adopt(serialize.from_dict(kept), runs)
    except DiptychError:
        pass  # a draft from another version is no reason to refuse the page
    return session().adopt(pages.page(page).example or EXAMPLES[0], runs)


def _last_runs(page: str) -> list[str]:
    """The newest run of the page, and before it those of the same name: the versions of its answers, oldest first."""
    rows = history().search(owner.current(), page=page, limit=VERSIONS)
    return [row.id for row in reversed(rows) if row.title == rows[0].title]
