"""The Audio page's upper half: what shall be heard, and how long that will take."""

from __future__ import annotations

import streamlit as st

from core.catalog import spec
from core.errors import InvalidInput
from core.examples import AS_IT_IS, SOUND_PROMPTS, SPEECH_PROMPTS
from core.types import Experiment, Input
from core.ui.session.state import Draft, session

MOST = 4
"""Sounds of one press of the button; a list of seeds may be longer."""

_TITLE = 80


def example_menu(draft: Draft) -> None:
    """Prompts that suit the chosen model: descriptions for music, sentences for a voice."""
    offered = SPEECH_PROMPTS if _speaks(draft) else SOUND_PROMPTS
    chosen = st.menu_button("Load an example", list(offered), icon=":material/lightbulb:", key="audio.examples")
    if chosen is not None:
        _write(draft, offered[chosen])
        draft.generation = session().fresh_key()
        st.rerun()


def prompt(draft: Draft) -> None:
    """What is spoken, or what shall be heard."""
    speaks = _speaks(draft)
    label = "Text to speak" if speaks else "Prompt"
    about = "Spoken sentence by sentence." if speaks else "A description of the sound: instruments, mood, speed."
    _write(draft, st.text_area(label, _typed(draft), height=150, key=draft.key("prompt", speaks), help=about))


def experiment(draft: Draft) -> Experiment:
    """What a press of the button makes.

    Raises:
        InvalidInput: there is no prompt.
    """
    text = _typed(draft)
    if not text.strip():
        raise InvalidInput("The prompt is empty. Write what shall be heard.")
    return draft.experiment(title=" ".join(text.split())[:_TITLE])


def _speaks(draft: Draft) -> bool:
    return any(row.name == "speaking_rate" for row in spec(draft.models[0]).parameters)


def _typed(draft: Draft) -> str:
    return draft.inputs[0].values.get("prompt", "")


def _write(draft: Draft, text: str) -> None:
    """What was typed travels as a value, so that its braces are words and never a template."""
    draft.inputs = [Input(values={"prompt": text})]
    draft.variants[0].user = AS_IT_IS
