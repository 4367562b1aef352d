"""A page's controls: what was typed before, else the last run, else the page's example.

Typing survives a change of page and a refresh of the browser: every draft is kept in the history under its owner.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

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
    """Write the draft down if it changed since the last time; one that could not be read again is refused."""
    data = serialize.to_dict(draft.experiment())
    write(draft.page, data, serialize.from_dict)


def write(name: str, data: Mapping[str, object], reader: Callable[[Mapping[str, object]], object]) -> None:
    """Keep what was typed under a name. Where that fails, `unkept` says why for as long as it is on the screen.

    Args:
        reader: reads `data` on the next visit; raises InvalidInput where it would not.
    """
    if session().kept.get(name) == data:
        return
    try:
        reader(data)
        history().keep_draft(owner.current(), name, data)
    except DiptychError as error:
        session().unkept[name] = str(error)
        return
    session().kept[name] = data
    session().unkept.pop(name, None)


def unkept() -> tuple[str, ...]:
    """Sentences about what is on a page now and will not be there on the next visit."""
    return tuple(
        f"What is typed on the {pages.page(name.split('.')[0]).title} page is on this screen only and will be lost "
        f"when you reload it: {error} Shorten it, or copy it to a file."
        for name, error in session().unkept.items()
    )


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
    kept = history().draft(owner.current(), page)
    if kept is None:
        return session().adopt(_example(page), runs)
    try:
        return session().adopt(serialize.from_dict(kept), runs)
    except DiptychError as error:  # kept by another version: no reason to refuse the page
        draft = session().adopt(_example(page), runs)
        draft.notes = (*draft.notes, f"What was typed here last cannot be read; this is an example. {error}")
        return draft


def _example(page: str) -> Experiment:
    return pages.page(page).example or EXAMPLES[0]


def _last_runs(page: str) -> list[str]:
    """The newest run of the page, and before it those of the same name: the versions of its answers, oldest first.
    A=A tests belong to the verdict that they check."""
    found = history().search(owner.current(), page=page, limit=VERSIONS)
    rows = [row for row in found if not row.aa_test]
    return [row.id for row in reversed(rows) if row.title == rows[0].title]
