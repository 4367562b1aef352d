"""The Code page's two halves: the prompt, and the candidates that a model wrote for it, ranked and never run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core import code_completion, prompts
from core.catalog import fillers, spec
from core.code_completion import AS_COMMENT, AS_TYPED, MARKER, Candidate
from core.errors import DiptychError, InvalidInput
from core.examples import CODE_PROMPTS
from core.experiment.grade import answer
from core.experiment.grid import grid_cells, seed_of
from core.text import clean
from core.types import CellResult, Experiment, Input, Message, Output, State
from core.ui.components import amounts, results, run_bar
from core.ui.components.markdown import escape
from core.ui.pages import text as text_page
from core.ui.session.state import Draft, session

_KINDS = {"Code": AS_TYPED, "Words": AS_COMMENT}
_TITLE = 80
# What is typed here is code, and a text area has no setting for its font.
_MONOSPACE = "<style>.st-key-code_prompt textarea {font-family: 'JetBrains Mono', monospace; font-size: 13px}</style>"


def example_menu(draft: Draft) -> None:
    """Prompts of every kind, by what they are; the model and its parameters stay."""
    chosen = st.menu_button("Load an example", list(CODE_PROMPTS), icon=":material/lightbulb:", key="code.examples")
    if chosen is not None:
        framing, text = CODE_PROMPTS[chosen]
        _write(draft, text, framing)
        draft.generation = session().fresh_key()
        st.rerun()


def prompt(draft: Draft) -> None:
    """How the prompt is meant, the prompt, and how much of the context it takes."""
    kind = st.segmented_control(
        "Prompt is",
        list(_KINDS),
        default="Words" if draft.variants[0].user == AS_COMMENT else "Code",
        required=True,
        key=draft.key("kind"),
        help="Code, such as a signature with its docstring, is continued as it stands. "
        "Words that say what the code should do become the comment above it.",
    )
    st.html(_MONOSPACE)
    with st.container(key="code_prompt"):
        text = st.text_area("Prompt", _typed(draft.inputs), height=180, key=draft.key("code"))
    _write(draft, text, _KINDS[kind])
    _about(draft)


def experiment(draft: Draft) -> Experiment:
    """What a press of the button runs.

    Raises:
        InvalidInput: there is no prompt, or it has a gap and the model only continues.
    """
    text, model = _typed(draft.inputs), spec(draft.models[0])
    if not text.strip():
        raise InvalidInput("The prompt is empty. Write how the code begins, or what it should do.")
    if MARKER in text and not model.fills:
        raise InvalidInput(code_completion.cannot_fill(model.id, fillers()))
    return draft.experiment(title=" ".join(text.split())[:_TITLE])


def draw(draft: Draft, shown: run_bar.Shown) -> None:
    """One version's candidates, the likeliest first, then what is still being written or went wrong."""
    shown = text_page.chosen(draft, shown)
    begun = _asked(shown.experiment)
    outputs = {index: result.output for index, result in shown.results.items() if result.output is not None}
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        whole = st.toggle(
            "Whole output",
            key=draft.key("whole"),
            disabled=MARKER in begun,
            help="Also what the model wrote after the end of the first definition",
        )
        if shown.state.final:
            text_page.regenerate(draft, shown, draft.key(shown.run_id))
    found = code_completion.ranked(begun, outputs, whole=whole)
    if found:
        st.caption(_sum(found, len(outputs)))
    for rank, candidate in enumerate(found, start=1):
        with st.container(border=True):
            _candidate(shown, begun, candidate, rank, draft.key(shown.run_id, "candidate", rank))
    _unfinished(shown, begun)


def _candidate(shown: run_bar.Shown, begun: str, candidate: Candidate, rank: int, key: str) -> None:
    result = shown.results[candidate.cells[0]]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":gray-badge[{rank}]", width="content")
        verdict = (
            ":green-badge[:material/check: parses]"
            if candidate.parses
            else ":red-badge[:material/close: does not parse]"
        )
        st.markdown(verdict, width="content")
        if len(candidate.cells) > 1:
            st.markdown(f":blue-badge[×{len(candidate.cells)} the same]", width="content")
        if candidate.code == begun:
            st.markdown(":gray-badge[adds nothing]", width="content")
        if result.state is not State.DONE:
            st.markdown(results.word(result.state), width="content")
        if candidate.score is not None:
            likely = f"{candidate.score:.3f}".replace("-", "\N{MINUS SIGN}")
            st.caption(f"mean log-probability {likely}", width="content")
    if not candidate.parses:
        st.caption(f":red[{escape(candidate.reason, 160)}]")
    st.code(candidate.code, language="python", line_numbers=True)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(_facts(shown.experiment, candidate, result.output), width="content")
        st.download_button(
            "Download .py",
            candidate.code.rstrip() + "\n",
            f"candidate-{rank}.py",
            "text/x-python",
            key=f"{key}.save",
            icon=":material/download:",
            on_click="ignore",
        )


def _unfinished(shown: run_bar.Shown, begun: str) -> None:
    """Cells without an output: those that say nothing yet, or failed alike, stand as one."""
    known = [
        (place, shown.results.get(place.index, CellResult(index=place.index))) for place in grid_cells(shown.experiment)
    ]
    for one in results.distinct([(place, result) for place, result in known if result.output is None]):
        with st.container(border=True):
            count = f" :gray[×{len(one.cells)}]" if len(one.cells) > 1 else ""
            st.markdown(f"{results.word(one.first.state)}{count}")
            if one.first.error:
                st.error(escape(one.first.error, 400))
            if answer(one.first):
                written = code_completion.shown(begun, answer(one.first), whole=True)
                st.code(written, language="python", line_numbers=True)


def _sum(found: Sequence[Candidate], outputs: int) -> str:
    good = sum(len(one.cells) for one in found if one.parses)
    different = (
        f", {len(found)} different" if 1 < len(found) < outputs else ", all the same" if outputs > len(found) else ""
    )
    many = f"{outputs} candidate{'s' if outputs > 1 else ''}{different}"
    return f"{many}, {good} of {outputs} parse · the likeliest first · nothing is run"


def _facts(asked: Experiment, candidate: Candidate, output: Output | None) -> str:
    seeds = {place.index: seed_of(asked, place.sample) for place in grid_cells(asked)}
    parts = [amounts.footer(output)] if output is not None else []
    some = [str(seeds[cell]) for cell in sorted(candidate.cells)]
    parts.append(f"seed {', '.join(some[:4])}{' …' if len(some) > 4 else ''}")
    if output is not None and output.finish == "length":
        parts.append("cut at the token limit")
    return " · ".join(parts)


def _about(draft: Draft) -> None:
    """The gap marker, where the model knows it, and the count of tokens."""
    if spec(draft.models[0]).fills:
        st.caption(f"Write `{MARKER}` where code is missing, and the model fills it in.")
    try:
        asked = _asked(draft.experiment())
    except DiptychError:
        return  # the bar says what is wrong with the prompt
    text_page.counter(draft, (Message("user", asked),))


def _asked(made: Experiment) -> str:
    """The prompt as the model gets it, but for the words in which it is told of a gap."""
    return clean(prompts.render(made.variants[0].user, {"code": _typed(made.inputs)}))


def _typed(inputs: Sequence[Input]) -> str:
    return inputs[0].values.get("code", "")


def _write(draft: Draft, text: str, framing: str) -> None:
    """What was typed travels as a value, so that its braces are code and never a template."""
    draft.inputs = [Input(values={"code": text})]
    draft.variants[0] = replace(draft.variants[0], user=framing)
