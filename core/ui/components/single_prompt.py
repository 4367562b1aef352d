"""The one prompt of a page that makes something from a single text: Image, Audio, Code.

What is typed is no template: its braces are text. Where a template stands around it, it is that template's value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from core.errors import InvalidInput
from core.types import Experiment, Input
from core.ui.session.state import Bound, Draft, session

VARIABLE = "code"
"""The variable of a template around the prompt."""

_TITLE_CHARS = 80


def text(draft: Draft) -> str:
    """What is typed. Runs of before had it as a value although nothing stood around it."""
    variant, values = draft.variants[0], draft.inputs[0].values
    return variant.user if variant.literal else values.get(VARIABLE, values.get("prompt", variant.user))


def template(draft: Draft) -> str:
    """What stands around the prompt; '' where nothing does."""
    return "" if draft.variants[0].literal else draft.variants[0].user


def write(draft: Draft, prompt: str, template: str = "") -> None:
    """Put a prompt on the page, by itself or with a template around it."""
    draft.variants[0] = replace(draft.variants[0], user=template or prompt, literal=not template)
    draft.inputs = [Input(values={VARIABLE: prompt})] if template else [Input()]


def bind(draft: Draft, *key: object) -> Bound:
    """What makes a text area the field of the prompt; `key` are further parts of its key."""
    return draft.bind(lambda prompt: write(draft, prompt, template(draft)), "prompt", *key)


def example_menu(draft: Draft, examples: Mapping[str, tuple[str, str]]) -> None:
    """A menu of examples, each a prompt and what stands around it by its title; the model and its parameters stay."""
    key = f"{draft.page}.examples"
    st.menu_button(
        "Load an example",
        list(examples),
        icon=":material/lightbulb:",
        key=key,
        on_click=_load,
        args=(draft, examples, key),
    )


def _load(draft: Draft, examples: Mapping[str, tuple[str, str]], key: str) -> None:
    title = session().widget(key)
    if isinstance(title, str) and title in examples:
        write(draft, *examples[title])
        draft.renew("prompt", "kind")


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
