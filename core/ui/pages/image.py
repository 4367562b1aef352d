"""The Image page's upper half: the prompt with its token count, and a file that gives its settings back."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core import context, png_metadata
from core.catalog import spec
from core.errors import InvalidInput
from core.examples import AS_IT_IS, IMAGE_PROMPTS
from core.png_metadata import fitting
from core.types import Experiment, Input
from core.ui.components.markdown import escape
from core.ui.components.results import guard
from core.ui.session.resources import settings
from core.ui.session.state import Draft, session

MOST = 8
"""Images of one press of the button; a list of seeds may be longer."""

_TITLE = 80
_NEGATIVE = "negative_prompt"


def example_menu(draft: Draft) -> None:
    """Prompts of what the model that ships with the app knows; the model and its settings stay."""
    chosen = st.menu_button("Load an example", list(IMAGE_PROMPTS), icon=":material/lightbulb:", key="image.examples")
    if chosen is not None:
        _write(draft, IMAGE_PROMPTS[chosen])
        draft.generation = session().fresh_key()
        st.rerun()


def prompt(draft: Draft) -> None:
    """What the image shows, how much of that the model reads, and what it shall not show."""
    _write(draft, st.text_area("Prompt", _typed(draft), height=170, key=draft.key("prompt")))
    _counter(draft, _typed(draft), "prompt")
    row = spec(draft.models[0])
    takes = next((parameter for parameter in row.parameters if parameter.name == _NEGATIVE), None)
    negative = st.text_area(
        "Negative prompt",
        str(draft.parameters.get(_NEGATIVE) or ""),
        height=96,
        key=draft.key("negative", takes is None),
        disabled=takes is None,
        placeholder="What the image must not show" if takes else f"{row.name} takes none.",
        help=takes.help if takes else "This model was distilled to do without guidance, which a negative prompt needs.",
    )
    if takes:
        draft.parameters[_NEGATIVE] = negative
        if negative.strip():
            _counter(draft, negative, "negative prompt")


def experiment(draft: Draft) -> Experiment:
    """What a press of the button makes.

    Raises:
        InvalidInput: there is no prompt.
    """
    text = _typed(draft)
    if not text.strip():
        raise InvalidInput("The prompt is empty. Write what the image shall show.")
    return draft.experiment(title=" ".join(text.split())[:_TITLE])


def restorer(draft: Draft) -> None:
    """A field for a PNG file, whose settings replace those of the page."""
    with st.popover("From a PNG", icon=":material/restore_page:"):
        upload = st.file_uploader(
            "Drop a PNG to restore its settings",
            type=["png"],
            key=draft.key("restore"),
            help="An image that Diptych or another tool saved. Only its settings are read; it is not kept.",
        )
        if upload is not None:
            with guard():
                _restore(draft, png_metadata.read(upload.getvalue()))
                st.rerun()


def _restore(draft: Draft, recipe: png_metadata.ImageSettings) -> None:
    """Put a file's settings on the page; what could not be taken is said there."""
    found = fitting.fit(recipe, draft.models[0])
    _write(draft, found.prompt)
    draft.models = [found.model]
    draft.parameters |= found.parameters
    draft.defaults = {}
    draft.samples, draft.seeds = 1, ()
    if found.seed is not None:
        draft.seed = found.seed
    draft.notes = ("The settings of the file are restored.", *found.notes)
    draft.generation = session().fresh_key()


def _counter(draft: Draft, text: str, what: str) -> None:
    """How many of the tokens that the model reads this text takes, and what it does not read."""
    found = context.fill(spec(draft.models[0]), settings(), text)
    if found is None:
        st.caption("The prompt is counted once the model is on this machine.")
        return
    told = f"{found.used} of {found.limit} tokens"
    if found.cut:
        told = f":red[{told}: the end of the {what} is not read:] :red-background[{escape(found.cut, 200)}]"
    st.caption(told)


def _typed(draft: Draft) -> str:
    return draft.inputs[0].values.get("prompt", "")


def _write(draft: Draft, text: str) -> None:
    """What was typed travels as a value, so that its braces are words and never a template."""
    draft.inputs = [Input(values={"prompt": text})]
    draft.variants[0] = replace(draft.variants[0], user=AS_IT_IS)
