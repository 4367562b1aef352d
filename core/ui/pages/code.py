"""The Code page: the prompt, and the candidates that a model wrote for it, ranked and never run."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core import code_completion
from core.catalog import fillers, spec
from core.code_completion import AS_COMMENT, MARKER, Candidate
from core.errors import DiptychError, InvalidInput
from core.examples import CODE_PROMPTS
from core.experiment.grade import answer
from core.experiment.grid import grid_cells, seed_of
from core.experiment.rendering import rendered
from core.types import CellResult, Experiment, Message, Output, State
from core.ui.components import answer_versions, results, single_prompt, token_counter, usage
from core.ui.components.layout import slotted
from core.ui.components.markdown import escape
from core.ui.components.run_bar import RunView
from core.ui.session.state import Draft

_TEMPLATES = {"Code": "", "Words": AS_COMMENT}
# What is typed here is code, and a text area has no setting for its font.
_MONOSPACE = "<style>.st-key-code_prompt textarea {font-family: 'JetBrains Mono', monospace; font-size: 13px}</style>"


def example_menu(draft: Draft) -> None:
    """Prompts of every kind, by what they are; the model and its parameters stay."""
    single_prompt.example_menu(draft, CODE_PROMPTS)


@slotted
def prompt(draft: Draft) -> None:
    """How the prompt is meant, the prompt, and how much of the context it takes."""
    template = AS_COMMENT if single_prompt.template(draft) == AS_COMMENT else ""
    single_prompt.write(draft, single_prompt.text(draft), template)
    st.segmented_control(
        "Prompt is",
        list(_TEMPLATES),
        default="Words" if template == AS_COMMENT else "Code",
        required=True,
        **draft.bind(lambda kind: single_prompt.write(draft, single_prompt.text(draft), _TEMPLATES[kind]), "kind"),
        help="Code, such as a signature with its docstring, is continued as it stands. "
        "Words that say what the code should do become the comment above it.",
    )
    st.html(_MONOSPACE)
    with st.container(key="code_prompt"):
        st.text_area("Prompt", single_prompt.text(draft), height=180, **single_prompt.bind(draft))
    _about(draft)


def experiment(draft: Draft) -> Experiment:
    """What a press of the button runs.

    Raises:
        InvalidInput: there is no prompt, or it has a gap and the model only continues.
    """
    asked = single_prompt.experiment(draft, "Write how the code begins, or what it should do.")
    model = spec(draft.models[0])
    if MARKER in single_prompt.text(draft) and not model.fills:
        raise InvalidInput(code_completion.cannot_fill(model.id, fillers()))
    return asked


def draw(draft: Draft, view: RunView) -> None:
    """One version's candidates, the likeliest first, then what is still being written or went wrong."""
    view = answer_versions.chosen(draft, view)
    begun = _rendered(view.experiment)
    outputs = {index: result.output for index, result in view.results.items() if result.output is not None}
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        whole = st.toggle(
            "Whole output",
            key=draft.key("whole"),
            disabled=MARKER in begun,
            help="Also what the model wrote after the end of the first definition",
        )
        if view.state.final:
            answer_versions.regenerate(draft, view, draft.key(view.run_id))
    candidates = code_completion.ranked(begun, outputs, whole=whole)
    if candidates:
        st.caption(_tally(candidates, len(outputs)))
    for rank, candidate in enumerate(candidates, start=1):
        with st.container(border=True):
            _candidate(view, begun, candidate, rank, draft.key(view.run_id, "candidate", rank))
    _unfinished(view, begun)


def _candidate(view: RunView, begun: str, candidate: Candidate, rank: int, key: str) -> None:
    result = view.results[candidate.cells[0]]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":gray-badge[{rank}]", width="content")
        parsed = (
            ":green-badge[:material/check: parses]"
            if candidate.parses
            else ":red-badge[:material/close: does not parse]"
        )
        st.markdown(parsed, width="content")
        if len(candidate.cells) > 1:
            st.markdown(f":blue-badge[×{len(candidate.cells)} the same]", width="content")
        if candidate.code == begun:
            st.markdown(":gray-badge[adds nothing]", width="content")
        if result.state is not State.DONE:
            st.markdown(results.state_badge(result.state), width="content")
        if candidate.score is not None:
            score = f"{candidate.score:.3f}".replace("-", "\N{MINUS SIGN}")
            st.caption(f"mean log-probability {score}", width="content")
    if not candidate.parses:
        st.caption(f":red[{escape(candidate.reason, 160)}]")
    st.code(candidate.code, language="python", line_numbers=True)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(_facts(view.experiment, candidate, result.output), width="content")
        st.download_button(
            "Download .py",
            candidate.code.rstrip() + "\n",
            f"candidate-{rank}.py",
            "text/x-python",
            key=f"{key}.save",
            icon=":material/download:",
            on_click="ignore",
        )


def _unfinished(view: RunView, begun: str) -> None:
    """Cells without an output: those that say nothing yet, or failed alike, stand as one."""
    samples = [
        (cell, view.results.get(cell.index, CellResult(index=cell.index))) for cell in grid_cells(view.experiment)
    ]
    for group in results.distinct([(cell, result) for cell, result in samples if result.output is None]):
        with st.container(border=True):
            count = f" :gray[×{len(group.cells)}]" if len(group.cells) > 1 else ""
            st.markdown(f"{results.state_badge(group.first.state)}{count}")
            if group.first.error:
                st.error(escape(group.first.error, 400))
            if answer(group.first):
                written = code_completion.shown(begun, answer(group.first), whole=True)
                st.code(written, language="python", line_numbers=True)


def _tally(candidates: Sequence[Candidate], outputs: int) -> str:
    good = sum(len(one.cells) for one in candidates if one.parses)
    different = (
        f", {len(candidates)} different"
        if 1 < len(candidates) < outputs
        else ", all the same"
        if outputs > len(candidates)
        else ""
    )
    many = f"{outputs} candidate{'s' if outputs > 1 else ''}{different}"
    return f"{many}, {good} of {outputs} parse · the likeliest first · nothing is run"


def _facts(experiment: Experiment, candidate: Candidate, output: Output | None) -> str:
    seeds = {cell.index: seed_of(experiment, cell.sample, cell.variant) for cell in grid_cells(experiment)}
    parts = [usage.footer(output)] if output is not None else []
    numbers = [str(seeds[cell]) for cell in sorted(candidate.cells)]
    parts.append(f"seed {', '.join(numbers[:4])}{' …' if len(numbers) > 4 else ''}")
    if output is not None and output.finish == "length":
        parts.append("cut at the token limit")
    return " · ".join(parts)


def _about(draft: Draft) -> None:
    """The gap marker, where the model knows it, and the count of tokens."""
    if spec(draft.models[0]).fills:
        st.caption(f"Write `{MARKER}` where code is missing, and the model fills it in.")
    try:
        prompt_text = _rendered(draft.experiment())
    except DiptychError:
        return  # the bar says what is wrong with the prompt
    token_counter.context_window(draft, (Message("user", prompt_text),))


def _rendered(experiment: Experiment) -> str:
    """The prompt as the model gets it, but for the words in which it is told of a gap."""
    return rendered(experiment.variants[0], experiment.inputs[0].values)[1]
