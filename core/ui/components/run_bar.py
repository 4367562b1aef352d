"""Starting, watching and stopping a run from a page: the bar with the button, and what is redrawn while a run goes on.

A page never generates: it hands an experiment to the engine and polls snapshots from a fragment that repeats only
while a run is under way.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import streamlit as st

from core import catalog
from core import experiment as experiments
from core.errors import DiptychError, NotFound
from core.experiment import growth
from core.text import money
from core.types import Cell, CellResult, Experiment, Message, Snapshot, State
from core.ui.components import remote_models
from core.ui.components.error_messages import errors_as_messages, guard, refusal
from core.ui.components.markdown import escape
from core.ui.session import owner
from core.ui.session.resources import engine, history, settings
from core.ui.session.state import Draft, session

POLL_SECONDS = 0.5

DrawRun = Callable[["RunView"], None]


@dataclass(frozen=True, slots=True)
class RunView:
    """A run as a page draws it; `snapshot` only while the engine still holds it.

    `looks` are the answers per column at each end of it so far; () while it goes on.
    """

    run_id: str
    experiment: Experiment
    results: Mapping[int, CellResult]
    state: State
    snapshot: Snapshot | None = None
    looks: tuple[int, ...] = ()


@errors_as_messages
def start(draft: Draft, experiment: Experiment) -> None:
    """Hand an experiment to the engine and show its run on the draft's page; the bar shows why one is refused."""
    if active(draft):
        return  # a second press of a button that was not redrawn yet
    draft.runs.append(submit(experiment))


def submit(experiment: Experiment) -> str:
    """Hand an experiment to the engine, with this visitor's keys and attached images; returns the run's id.

    Raises:
        InvalidInput, Busy, HistoryUnavailable: why it was not taken.
    """
    run = experiments.run(experiment, secrets.token_urlsafe(12), **_limits(), pictures=session().pictures)
    return engine().submit(owner.current(), run, remote_models.secrets())


def messages(experiment: Experiment) -> tuple[Message, ...]:
    """The first prompt of an experiment, as a model will get it; raises as `submit` does."""
    free = _Limits(max_cells=_limits()["max_cells"], max_prompt_chars=10**9)
    return experiments.plan(experiment, **free, pictures=session().pictures)[0].request.messages


def find(run_id: str | None) -> RunView | None:
    """The run from the engine's memory, else from the history; None where it is in neither."""
    if run_id is None:
        return None
    try:
        return _in_engine(run_id) or _in_history(run_id)
    except NotFound:
        return None


def active(draft: Draft) -> bool:
    """Whether the draft's last run is under way."""
    return draft.run_id is not None and draft.run_id in engine().active(owner.current())


def checking() -> bool:
    """Whether a check of a verdict's design (core.experiment.aa_test) is under way for this visitor."""
    return not set(engine().active(owner.current())).isdisjoint(session().aa_tests.values())


@errors_as_messages
def retry(run_id: str, cell: int) -> None:
    """Ask one failed cell again, also of a run that has left the engine's memory."""
    try:
        engine().retry(run_id, owner.current(), cell, remote_models.secrets())
    except NotFound:
        _resume(run_id, [cell])


@errors_as_messages
def resume(run_id: str) -> None:
    """Ask all cells again that have no answer."""
    _resume(run_id)


@errors_as_messages
def extend(draft: Draft, run_id: str, experiment: Experiment) -> None:
    """Give a run that has ended the inputs and samples that an experiment has more of; only what is missing runs."""
    if active(draft):
        return  # a second press of a button that was not redrawn yet
    run, results = history().grown(owner.current(), run_id, experiment, **_limits())
    engine().extend(owner.current(), run, results, remote_models.secrets())


def _resume(run_id: str, cells: Collection[int] | None = None) -> None:
    run, results = history().planned(owner.current(), run_id)
    engine().resume(owner.current(), run, results, remote_models.secrets(), cells)


def draw(
    draft: Draft,
    experiment: Callable[[], Experiment],
    draw_run: DrawRun,
    label: str = "Run",
    grows: bool = False,
) -> None:
    """The run bar, and under it the answers of the draft's last run.

    Args:
        experiment: makes what a press of the button runs, from the controls as they then are; the bar shows what it
            raises.
        draw_run: draws the run; called again and again while it goes on.
        grows: the last run can be extended, where the controls only add inputs or samples to it.
    """
    polling, checks = active(draft), checking()
    views = [] if polling else [find(draft.run_id)]  # for the bar, and the fragment's first run
    with st.container():  # outside the fragment, whose presses wait for a page that is being drawn
        if not polling:
            _start_bar(draft, experiment, views[0], label, grows)

    def live() -> None:
        with guard():  # a fragment runs again by itself, outside the frame's guard
            running = active(draft)  # asked first: what is then shown is never older than what the bar says
            view = views.pop() if views else find(draft.run_id)
            if running and view is not None:
                _progress_bar(draft, view)
            refusal()
            if view is not None:
                draw_run(view)
            if (running, checking()) != (polling, checks):
                st.rerun()

    st.fragment(live, run_every=POLL_SECONDS if polling or checks else None)()


def _start_bar(
    draft: Draft, experiment: Callable[[], Experiment], view: RunView | None, label: str, grows: bool
) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=draft.key("bar")):
        st.button(
            label,
            icon=":material/play_arrow:",
            type="primary",
            key=draft.key("run"),
            shortcut="Mod+Enter",
            on_click=_press,
            args=(draft, experiment),
        )
        if not (grows and view and _extend_button(draft, experiment, view)):
            _resume_button(draft, view)
        st.markdown(_forecast(experiment), width="stretch")


def _progress_bar(draft: Draft, view: RunView) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=draft.key("progress")):
        st.button("Stop", icon=":material/stop:", key=draft.key("stop"), on_click=_stop, args=(view.run_id,))
        _progress(view)


def _resume_button(draft: Draft, view: RunView | None) -> None:
    """Offered where a run was interrupted, as by a restart of the server."""
    left = [cell for cell in view.results.values() if cell.state is State.INTERRUPTED] if view else []
    if view and left:
        word = f"Resume ({len(left)} left)"
        key, icon = draft.key("resume"), ":material/resume:"
        st.button(word, icon=icon, key=key, on_click=resume, args=(view.run_id,), help="Ask what has no answer yet")


def _extend_button(draft: Draft, make_experiment: Callable[[], Experiment], view: RunView) -> bool:
    """Offered where the controls ask what the run asked, and more; returns whether it is."""
    try:
        asked = make_experiment()
    except DiptychError:
        return False  # the bar says why
    if not view.state.final or not growth.extends(view.experiment, asked):
        return False
    st.button(
        f"Run only the {growth.missing(view.experiment, asked, view.results)} missing",
        icon=":material/playlist_add:",
        key=draft.key("extend"),
        on_click=_press,
        args=(draft, make_experiment, view.run_id),
        help="Keep the answers of the run below and add to it. That is one more look at it, which the verdict counts.",
    )
    return True


def _press(draft: Draft, experiment: Callable[[], Experiment], run_id: str = "") -> None:
    """Run what the controls say now, or extend a run by it: a press that waited for the page to be drawn could be cut
    off with it."""
    draft.read()
    try:
        asked = experiment()
    except DiptychError:
        return  # the bar says why, beside the button
    if run_id:
        extend(draft, run_id, asked)
    else:
        start(draft, asked)


def _forecast(make_experiment: Callable[[], Experiment]) -> str:
    """What a press of the button will do, or why it cannot."""
    try:
        experiment = make_experiment()
        cells = experiments.plan(experiment, **_limits(), pictures=session().pictures)
        local = any(catalog.spec(model).local for model in experiment.models)
        estimate = experiments.estimate(experiment, history().speeds())
        forecast = experiments.sentence(estimate, "this CPU" if local else "the network") + _price(cells)
    except DiptychError as error:
        return f":orange[:material/warning: {escape(str(error), 300)}]"
    if estimate.long and local:
        return f":orange[:material/hourglass_top: **This takes long.** {escape(forecast, 200)}.] {_LONG}"
    copies = experiments.effective_samples(experiment) < experiment.samples
    return f"{escape(forecast, 200)}. {_GREEDY if copies else ''}"


def _price(cells: Sequence[Cell]) -> str:
    """What the answers of remote models will cost, where there are any."""
    dollars, unknown = experiments.bill(cells, settings().prices)
    parts = [f"at most {money(dollars)}"] if dollars else []
    parts += [f"{unknown} of unknown price"] if unknown else []
    return f", {' and '.join(parts)}" if parts else ""


class _Limits(TypedDict):
    max_cells: int
    max_prompt_chars: int


def _limits() -> _Limits:
    return {"max_cells": settings().max_cells, "max_prompt_chars": settings().max_prompt_chars}


_LONG = "It can be stopped at any time, and what is finished stays."
_GREEDY = "Temperature is 0, so all samples would be the same: one is run."


def _progress(running: RunView) -> None:
    snapshot = running.snapshot
    if snapshot is None:
        return
    done = sum(cell.state.final for cell in snapshot.cells)
    parts = [f"{done} of {len(snapshot.cells)}"]
    if snapshot.position:
        parts.append(f"{snapshot.position} ahead in the queue")
    if snapshot.eta is not None:
        parts.append(f"about {max(1, round(snapshot.eta))} s left")
    if snapshot.note:
        parts.append(escape(snapshot.note, 300))
    value = snapshot.progress if snapshot.progress is not None else done / max(1, len(snapshot.cells))
    st.progress(min(1.0, max(0.0, value)), " · ".join(parts))


@errors_as_messages
def _stop(run_id: str) -> None:
    engine().cancel(run_id, owner.current())


def _in_engine(run_id: str) -> RunView | None:
    try:
        snapshot = engine().snapshot(run_id, owner.current())
    except NotFound:
        return None
    looks = history().looks(owner.current(), run_id) if snapshot.state.final else ()
    results = {cell.index: cell for cell in snapshot.cells}
    return RunView(run_id, snapshot.experiment, results, snapshot.state, snapshot, looks)


def _in_history(run_id: str) -> RunView:
    saved = history().open(owner.current(), run_id)
    results = {cell.index: cell for cell in saved.results}
    return RunView(run_id, saved.experiment, results, saved.row.state, looks=saved.row.looks)
