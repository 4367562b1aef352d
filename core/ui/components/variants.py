"""The columns A to F: each variant's name, system part and prompt, as they are being written."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from core import prompts
from core.ui.components.markdown import escape
from core.ui.session.state import Bound, Draft, VariantDraft, session

LETTERS = "ABCDEF"
COLOURS = ("blue", "orange", "green", "violet", "red", "gray")
CHART_COLOURS = ("#2f6fd0", "#c2690c", "#2f8f4e", "#7a52c7", "#c63a3a", "#6b7280")
"""The same colours in charts, legible on a light and on a dark ground."""


def badge(index: int) -> str:
    """A variant's letter in its colour, as Markdown; the same everywhere."""
    return f":{COLOURS[index % len(COLOURS)]}-badge[{LETTERS[index % len(LETTERS)]}]"


def edit(draft: Draft) -> None:
    """All variants side by side, and the button that adds one."""
    grid = st.grid(min(len(draft.variants), 3), min_column_width=270, key=draft.key("variants"))
    for index, variant in enumerate(draft.variants):
        with grid.container(border=True, height="stretch", key=draft.key(f"variant.{variant.key}", "column")):
            _column(draft, index, variant)
    full = len(draft.variants) >= len(LETTERS)
    st.button(
        "Add variant",
        icon=":material/add:",
        key=draft.key("add"),
        disabled=full,
        on_click=_duplicate_last,
        args=(draft,),
        help="Six variants is the most." if full else "Starts as a copy of the last one",
    )


def system(draft: Draft) -> None:
    """The system part on a page with one prompt."""
    st.text_area(
        "System",
        draft.variants[0].system,
        height=68,
        placeholder="Optional: who answers, and how",
        **draft.bind(lambda text: setattr(draft.variants[0], "system", text), "system"),
    )


def template_notes(variant: VariantDraft, has_system: bool) -> None:
    """What in the prompt, and in the system part where it is drawn, may be read otherwise than a person expects."""
    templates = () if variant.literal else (variant.user, variant.system if has_system else "")
    for template in templates:
        if note := prompts.read(template).note:
            st.caption(f":orange[:material/info:] {escape(note, 300)}")


def _column(draft: Draft, index: int, variant: VariantDraft) -> None:
    key = f"variant.{variant.key}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(badge(index), width="content")
        st.text_input(
            f"Name of variant {LETTERS[index]}",
            variant.name,
            **_bound(draft, variant, "name"),
            label_visibility="collapsed",
            max_chars=60,
        )
        st.button(
            "",
            icon=":material/close:",
            key=draft.key(key, "remove"),
            type="tertiary",
            help=f"Remove variant {LETTERS[index]}",
            disabled=len(draft.variants) == 1,
            on_click=draft.variants.remove,
            args=(variant,),
        )
    st.text_area(
        f"Prompt {LETTERS[index]}",
        variant.user,
        **_bound(draft, variant, "user"),
        height=120,
        placeholder="What is {{numbers}}?",
    )
    st.toggle(
        "Braces are text",
        variant.literal,
        **_bound(draft, variant, "literal"),
        help="Take braces literally: nothing in this variant is a variable, and {{name}} is sent as it stands.",
    )
    if not draft.draws:  # a model that draws reads one text
        st.text_area(
            f"System {LETTERS[index]}",
            variant.system,
            **_bound(draft, variant, "system"),
            height=68,
            placeholder="Optional: who answers, and how",
        )
    template_notes(variant, not draft.draws)


def _bound(draft: Draft, variant: VariantDraft, field: str) -> Bound:
    return draft.bind(lambda value: setattr(variant, field, value), f"variant.{variant.key}.{field}")


def _duplicate_last(draft: Draft) -> None:
    draft.read()
    last = draft.variants[-1]
    draft.variants.append(replace(last, key=session().fresh_key(), name=_unused_name(draft, last.name)))


def _unused_name(draft: Draft, name: str) -> str:
    stem = name.removesuffix(" copy").split(" copy ")[0]
    taken = {variant.name for variant in draft.variants}
    names = [f"{stem} copy", *(f"{stem} copy {number}" for number in range(2, 9))]
    return next(candidate for candidate in names if candidate not in taken)
