"""The one prompt of a page that makes something from a single text: Image, Audio, Code.

What is typed travels as the value of a variable, so that its braces are text and never a template.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import streamlit as st

from core.errors import InvalidInput
from core.types import Experiment, Input
from core.ui.session.state import Draft, session

_TITLE_CHARS = 80
_VARIABLE = {"code": "code"}
"""The variable that holds a page's prompt, where it is not 'prompt'."""


def text(draft: Draft) -> str:
    """What is typed."""
    return draft.inputs[0].values.get(_variable(draft), "")


def write(draft: Draft, prompt: str, template: str) -> None:
    """Put a prompt on the page; `template` frames it."""
    draft.inputs = [Input(values={_variable(draft): prompt})]
    draft.variants[0] = replace(draft.variants[0], user=template)


def example_menu(page: str, titles: Iterable[str]) -> str | None:
    """The menu of examples; returns the title of the one that was just chosen."""
    return st.menu_button("Load an example", list(titles), icon=":material/lightbulb:", key=f"{page}.examples")


def load(draft: Draft, prompt: str, template: str) -> None:
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


def _variable(draft: Draft) -> str:
    return _VARIABLE.get(draft.page, "prompt")
