"""The Text page's two halves: the prompt with its token count, and the answers, of which every version stays."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core import context
from core.catalog import spec
from core.experiment.grade import answer
from core.experiment.grid import grid_cells
from core.types import CellResult, Message
from core.ui.components import results, run_bar
from core.ui.session.resources import settings
from core.ui.session.state import Draft


def prompt(draft: Draft) -> None:
    """The system part (for instructions), the prompt, and how much of the context they take."""
    variant = draft.variants[0]
    variant.user = st.text_area("Prompt", variant.user, height=180, key=draft.key("user"))
    if draft.chat:
        variant.system = st.text_area(
            "System", variant.system, height=68, key=draft.key("system"), placeholder="Optional: who answers, and how"
        )
    counter(draft, _messages(draft))


def draw(draft: Draft, shown: run_bar.Shown) -> None:
    """One version of the answers, and the way to the others."""
    shown = chosen(draft, shown)
    for place in grid_cells(shown.experiment):
        result = shown.results.get(place.index, CellResult(index=place.index))
        with st.container(border=True):
            results.sample(shown.experiment, results.Answer((place,), (result,)), draft.key(shown.run_id, place.index))
            _speed(result)
            _actions(draft, shown, place.index, result)


def chosen(draft: Draft, shown: run_bar.Shown) -> run_bar.Shown:
    """The version that is looked at, where there are several; the way to the others is drawn."""
    count = len(draft.runs)
    if count < 2:
        return shown
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{count} versions", width="content")
        page = st.pagination(count, default=count, key=draft.key("version", count))
    run_id = draft.runs[page - 1]
    return shown if run_id == shown.run_id else run_bar.find(run_id) or shown


def regenerate(draft: Draft, shown: run_bar.Shown, key: str) -> None:
    """A button that asks the same again with a new seed; greedy decoding would only say the same."""
    st.button(
        "Regenerate",
        icon=":material/refresh:",
        key=f"{key}.again",
        disabled=shown.experiment.parameters.get("temperature") == 0,
        help="The same prompt with a new seed; this version stays",
        on_click=lambda: run_bar.start(draft, replace(shown.experiment, seed=_new_seed(), seeds=())),
    )


def _speed(result: CellResult) -> None:
    output = result.output
    if output is None or output.first_token_seconds is None:
        return
    rest = output.seconds - output.first_token_seconds
    after = (
        f" · {(output.output_tokens - 1) / rest:.0f} tokens/s after it" if output.output_tokens > 1 and rest > 0 else ""
    )
    st.caption(f"first token after {output.first_token_seconds * 1000:.0f} ms{after}")


def _actions(draft: Draft, shown: run_bar.Shown, index: int, result: CellResult) -> None:
    """What can be done with a finished answer; each makes a new version."""
    if not result.state.final:
        return
    body = shown.experiment.answer_prefix + answer(result)
    key = draft.key(shown.run_id, index)
    with st.container(horizontal=True):
        st.button(
            "Continue",
            icon=":material/arrow_forward:",
            key=f"{key}.continue",
            disabled=not body.strip(),
            help="Let the model go on from where this answer ends",
            on_click=lambda: run_bar.start(draft, replace(shown.experiment, answer_prefix=body, samples=1, seeds=())),
        )
        regenerate(draft, shown, key)
        st.download_button(
            "Download",
            body,
            f"answer-{index + 1}.txt",
            "text/plain",
            key=f"{key}.save",
            icon=":material/download:",
            on_click="ignore",
        )


def counter(draft: Draft, messages: Sequence[Message]) -> None:
    """How much of the model's context these messages and the answer take."""
    row = spec(draft.models[0])
    if not row.local:
        st.caption("The server counts the tokens of the prompt; they are shown with the answer.")
        return
    used = context.count(row, settings(), messages, draft.chat)
    if used is None:
        st.caption(f"Context: {row.context} tokens. The prompt is counted once the model is on this machine.")
        return
    new = draft.parameters.get("max_new_tokens")
    room = row.context - used - (new if isinstance(new, int) else 0)
    fits = f"{room} to spare" if room >= 0 else f":red[{-room} too many: shorten the prompt or lower Max new tokens]"
    st.caption(f"Context: {used} prompt tokens + {new} new of {row.context} · {fits}")


def _messages(draft: Draft) -> Sequence[Message]:
    variant = draft.variants[0]
    system = (Message("system", variant.system),) if draft.chat and variant.system.strip() else ()
    return (*system, Message("user", variant.user))


def _new_seed() -> int:
    return random.SystemRandom().randrange(2**31)
