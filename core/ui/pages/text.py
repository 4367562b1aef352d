"""The Text page: the prompt with its token count, and the answers, of which every version stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.experiment.grade import answer
from core.experiment.grid import grid_cells
from core.types import CellResult, Message
from core.ui.components import answer_versions, results, run_bar, token_counter, variants
from core.ui.components.layout import slotted
from core.ui.components.run_bar import RunView
from core.ui.session.state import Draft


@slotted
def prompt(draft: Draft) -> None:
    """The system part (for instructions), the prompt, what is read otherwise than it looks, and the context's fill."""
    variant = draft.variants[0]
    st.text_area("Prompt", variant.user, height=180, **draft.bind(lambda text: setattr(variant, "user", text), "user"))
    if draft.chat:
        variants.system(draft)
    variants.template_notes(variant, draft.chat)
    token_counter.context_window(draft, _messages(draft))


def draw(draft: Draft, view: RunView) -> None:
    """One version of the answers, and the way to the others."""
    view = answer_versions.chosen(draft, view)
    for cell in grid_cells(view.experiment):
        result = view.results.get(cell.index, CellResult(index=cell.index))
        with st.container(border=True):
            group = results.AnswerGroup((cell,), (result,))
            results.sample(view.experiment, group, draft.key(view.run_id, cell.index))
            _speed(result)
            _actions(draft, view, cell.index, result)


def _speed(result: CellResult) -> None:
    output = result.output
    if output is None or output.first_token_seconds is None:
        return
    rest = output.seconds - output.first_token_seconds
    after = (
        f" · {(output.output_tokens - 1) / rest:.0f} tokens/s after it" if output.output_tokens > 1 and rest > 0 else ""
    )
    st.caption(f"first token after {output.first_token_seconds * 1000:.0f} ms{after}")


def _actions(draft: Draft, view: RunView, index: int, result: CellResult) -> None:
    """What can be done with a finished answer; each makes a new version."""
    if not result.state.final:
        return
    body = view.experiment.answer_prefix + answer(result)
    key = draft.key(view.run_id, index)
    with st.container(horizontal=True):
        st.button(
            "Continue",
            icon=":material/arrow_forward:",
            key=f"{key}.continue",
            disabled=not body.strip(),
            help="Let the model go on from where this answer ends",
            on_click=lambda: run_bar.start(draft, replace(view.experiment, answer_prefix=body, samples=1, seeds=())),
        )
        answer_versions.regenerate(draft, view, key)
        st.download_button(
            "Download",
            body,
            f"answer-{index + 1}.txt",
            "text/plain",
            key=f"{key}.save",
            icon=":material/download:",
            on_click="ignore",
        )


def _messages(draft: Draft) -> Sequence[Message]:
    variant = draft.variants[0]
    system = (Message("system", variant.system),) if draft.chat and variant.system.strip() else ()
    return (*system, Message("user", variant.user))
