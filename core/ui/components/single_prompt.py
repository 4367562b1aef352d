"""The one prompt of a page that makes something from a single text: Image, Audio, Code.

What is typed is no template: its braces are text. Where a template stands around it, it is that template's value.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import streamlit as st

from core.errors import InvalidInput
from core.types import Experiment, Input
from core.ui.session.state import Draft, session

VARIABLE = "code"
"""The variable of a template around the prompt."""

_TITLE_CHARS = 80


def text(draft: Draft) -> str:
    """What is typed. Runs of before had it as a value although nothing stood around it."""
    variant, values = draft.variants[0], draft.inputs[0].values
    return variant.user if variant.literal else values.get(VARIABLE, values.get("prompt", variant.user))


def write(draft: Draft, prompt: str, template: str = "") -> None:
    """Put a prompt on the page, by itself or with a template around it."""
    draft.variants[0] = replace(draft.variants[0], user=template or prompt, literal=not template)
    draft.inputs = [Input(values={VARIABLE: prompt})] if template else [Input()]


def example_menu(page: str, titles: Iterable[str]) -> str | None:
    """The menu of examples; returns the title of the one that was just chosen."""
    return st.menu_button("Load an example", list(titles), icon=":material/lightbulb:", key=f"{page}.examples")


def load(draft: Draft, prompt: str, template: str = "") -> None:
    """Put an example's prompt on the page and draw the page again; the model and its parameters stay."""
    write(draft, prompt, template)
    draft.generation = session().fresh_key()
    st.rerun()


def experiment(draft: Draft, remedy: str) -> Experiment:
    """What a press of the button runs, titled by the prompt.

    Args:
        remedy: what to do about an empty prompt, such as 'Write what the image shall show.'

    Raises:
        InvalidInput: there is no prompt.
    """
    prompt = text(draft)
    if not prompt.strip():
        raise InvalidInput(f"The prompt is empty. {remedy}")
    return draft.experiment(title=" ".join(prompt.split())[:_TITLE_CHARS])
