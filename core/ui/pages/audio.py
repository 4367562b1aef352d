"""The Audio page: what shall be heard, and the sounds of one run, to hear, to look at and to keep."""

from __future__ import annotations

import streamlit as st

from core.catalog import spec
from core.examples import SOUND_PROMPTS, SPEECH_PROMPTS
from core.experiment import unit
from core.experiment.grid import GridCell, grid_cells, seed_of
from core.types import CellResult, Experiment, Output, State
from core.ui.components import answer_versions, results, run_bar, seeds, single_prompt, sound_charts, usage
from core.ui.components.layout import slotted
from core.ui.components.markdown import escape
from core.ui.components.run_bar import RunView
from core.ui.session.state import Draft

MOST = 4
"""Sounds of one press of the button; a list of seeds may be longer."""


def example_menu(draft: Draft) -> None:
    """Prompts that suit the chosen model: descriptions for music, sentences for a voice."""
    prompts = SPEECH_PROMPTS if _speaks(draft) else SOUND_PROMPTS
    single_prompt.example_menu(draft, {title: (prompt, "") for title, prompt in prompts.items()})


@slotted
def prompt(draft: Draft) -> None:
    """What is spoken, or what shall be heard."""
    speaks = _speaks(draft)
    label = "Text to speak" if speaks else "Prompt"
    about = "Spoken sentence by sentence." if speaks else "A description of the sound: instruments, mood, speed."
    single_prompt.write(draft, single_prompt.text(draft))
    st.text_area(label, single_prompt.text(draft), height=150, help=about, **single_prompt.bind(draft, speaks))


def experiment(draft: Draft) -> Experiment:
    """What a press of the button makes.

    Raises:
        InvalidInput: there is no prompt.
    """
    return single_prompt.experiment(draft, "Write what shall be heard.")


def draw(draft: Draft, view: RunView) -> None:
    """One version's sounds, one below the other."""
    view = answer_versions.chosen(draft, view)
    if view.state.final:
        answer_versions.regenerate(draft, view, draft.key(view.run_id))
    for cell in grid_cells(view.experiment):
        with st.container(border=True):
            _sound(draft, view, cell, view.results.get(cell.index, CellResult(index=cell.index)))


def _speaks(draft: Draft) -> bool:
    return any(parameter.name == "speaking_rate" for parameter in spec(draft.models[0]).parameters)


def _sound(draft: Draft, view: RunView, cell: GridCell, result: CellResult) -> None:
    key = draft.key(view.run_id, cell.index)
    output, seed = result.output, seed_of(view.experiment, cell.sample, cell.variant)
    if result.state not in (State.DONE, State.RUNNING, State.QUEUED):
        st.markdown(results.state_badge(result.state))
    if output is not None and output.audio:
        st.audio(output.audio, format="audio/wav")
        sound_charts.draw(output.audio)
    elif not result.state.final:
        st.progress(min(1.0, max(0.0, result.fraction)), escape(result.note or "waiting", 120))
    if result.error:
        st.error(escape(result.error, 400))
    facts = [f"seed {seed}", *([_facts(output, cell.model)] if output is not None else [])]
    st.caption(" · ".join(facts))
    results.notes(result)
    if output is not None and output.audio:
        _actions(draft, cell, output, seed, key)
    elif result.state.final:
        again = (view.run_id, cell.index)
        st.button("Retry", icon=":material/refresh:", key=f"{key}.retry", on_click=run_bar.retry, args=again)


def _actions(draft: Draft, cell: GridCell, output: Output, seed: int, key: str) -> None:
    with st.container(horizontal=True, gap="small"):
        seeds.reuse_button(draft, seed, f"{key}.seed")
        st.download_button(
            "Download WAV",
            output.audio,
            f"{cell.sample + 1:02d}-seed-{seed}.wav",
            "audio/wav",
            key=f"{key}.save",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
    with st.expander("Recipe", icon=":material/receipt_long:"):
        st.json(dict(output.provenance), expanded=1)


def _facts(output: Output, model: str) -> str:
    seconds = output.provenance.get("duration")
    length = f"{seconds:.1f} s of sound in " if isinstance(seconds, int | float) else ""
    return length + usage.footer(output, unit(model))
