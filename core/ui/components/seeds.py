"""How many answers to each prompt, and from which seeds."""

from __future__ import annotations

import random
from contextlib import suppress

import streamlit as st

from core.errors import InvalidInput
from core.experiment import seeds as seed_lists
from core.ui.components.layout import slotted
from core.ui.components.markdown import escape
from core.ui.session.state import Draft

_LARGEST_SEED = 2**31 - 1


def samples(draft: Draft, label: str = "Samples", most: int = 20) -> None:
    """How many answers to each prompt."""
    if not draft.seeds:
        draft.samples = min(max(draft.samples, 1), most)
    count = len(draft.seeds) or draft.samples
    st.number_input(
        label,
        1,
        max(most, count),
        count,
        **draft.bind(lambda value: _take_samples(draft, value), "samples", len(draft.seeds)),
        disabled=bool(draft.seeds),
        help="There is one for each listed seed."
        if draft.seeds
        else "Answers to each prompt, each with a seed of its own. More samples, narrower intervals.",
    )


def _take_samples(draft: Draft, value: int) -> None:
    if not draft.seeds:
        draft.samples = int(value)


def seed(draft: Draft) -> None:
    """The first sample's seed."""
    st.number_input(
        "Seed",
        0,
        None,
        draft.seed,
        **draft.bind(lambda value: setattr(draft, "seed", int(value)), "seed"),
        disabled=bool(draft.seeds),
        help="The same seed gives the same answers. Sample k uses seed + k, in every variant.",
    )


def new_seed(draft: Draft) -> None:
    """A button that draws another seed."""
    st.button("New seed", key=draft.key("dice"), icon=":material/casino:", on_click=_draw_seed, args=(draft,))


@slotted
def seeds(draft: Draft) -> None:
    """A list of seeds, in place of one that is counted up."""
    text = st.text_input(
        "Seeds",
        seed_lists.to_text(draft.seeds),
        **draft.bind(lambda value: _take_seeds(draft, value), "seeds"),
        placeholder="1, 5, 99 or 10-14",
        max_chars=400,
        help="Optional: one sample for each seed in this list, in place of a seed that is counted up.",
    )
    try:
        seed_lists.read(text)
    except InvalidInput as error:
        st.caption(f":orange[:material/warning: {escape(str(error), 300)} Until then the list before it counts.]")


def _take_seeds(draft: Draft, text: str) -> None:
    with suppress(InvalidInput):  # said below the field
        draft.seeds = seed_lists.read(text)


def reuse_button(draft: Draft, seed: int, key: str) -> None:
    """A button that puts an answer's seed back into its field."""
    about = "Put this seed back into its field"
    icon = ":material/casino:"
    if st.button("Reuse seed", icon=icon, key=key, type="tertiary", help=about, on_click=_set, args=(draft, seed)):
        st.rerun()  # the field stands outside the fragment of the answers


def _set(draft: Draft, seed: int) -> None:
    draft.seed, draft.seeds = seed, ()
    draft.renew("seed", "seeds")


def _draw_seed(draft: Draft) -> None:
    _set(draft, random.SystemRandom().randrange(_LARGEST_SEED))
