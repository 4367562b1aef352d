"""The Audio page's lower half: the sounds of one run, to hear, to look at and to keep."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core import sound
from core.errors import InvalidInput
from core.experiment import unit
from core.experiment.grid import GridCell, grid_cells, seed_of
from core.types import CellResult, Output, State
from core.ui.components import amounts, results, run_bar, seeds
from core.ui.components.markdown import escape
from core.ui.pages import text as text_page
from core.ui.session.state import Draft

_LINE = "#5b6bd5"
_MARGIN = 56
"""Pixels left of both charts, so that the same moment stands at the same place."""

_TICKS = (100, 300, 1000, 3000, 10_000)
_TALL = {"wave": 90, "spectrum": 190}


def draw(draft: Draft, shown: run_bar.Shown) -> None:
    """One version's sounds, one below the other."""
    shown = text_page.chosen(draft, shown)
    if shown.state.final:
        text_page.regenerate(draft, shown, draft.key(shown.run_id))
    for place in grid_cells(shown.experiment):
        result = shown.results.get(place.index, CellResult(index=place.index))
        with st.container(border=True):
            _sound(draft, shown, place, result)


def charts(data: bytes) -> None:
    """The waveform, and the spectrogram below it."""
    try:
        found, rate = sound.samples(data)
    except InvalidInput as error:
        st.caption(f":red[{escape(str(error), 160)}]")
        return
    if len(found):
        st.altair_chart(_waveform(found, rate), width="stretch", height=_TALL["wave"])
        st.altair_chart(_spectrogram(found, rate), width="stretch", height=_TALL["spectrum"])


def _sound(draft: Draft, shown: run_bar.Shown, place: GridCell, result: CellResult) -> None:
    key = draft.key(shown.run_id, place.index)
    output, seed = result.output, seed_of(shown.experiment, place.sample)
    if result.state not in (State.DONE, State.RUNNING, State.QUEUED):
        st.markdown(results.word(result.state))
    if output is not None and output.audio:
        st.audio(output.audio, format="audio/wav")
        charts(output.audio)
    elif not result.state.final:
        st.progress(min(1.0, max(0.0, result.fraction)), escape(result.note or "waiting", 120))
    if result.error:
        st.error(escape(result.error, 400))
    facts = [f"seed {seed}", *([_facts(output, place.model)] if output is not None else [])]
    st.caption(" · ".join(facts))
    results.notes(result)
    if output is not None and output.audio:
        _buttons(draft, place, output, seed, key)
    elif result.state.final:
        again = (shown.run_id, place.index)
        st.button("Retry", icon=":material/refresh:", key=f"{key}.retry", on_click=run_bar.retry, args=again)


def _buttons(draft: Draft, place: GridCell, output: Output, seed: int, key: str) -> None:
    with st.container(horizontal=True, gap="small"):
        told = "Put this seed back into its field"
        if st.button("Reuse seed", icon=":material/casino:", key=f"{key}.seed", type="tertiary", help=told):
            seeds.reuse(draft, seed)
            st.rerun()
        st.download_button(
            "Download WAV",
            output.audio,
            f"{place.sample + 1:02d}-seed-{seed}.wav",
            "audio/wav",
            key=f"{key}.save",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
        )
    with st.expander("Recipe", icon=":material/receipt_long:"):
        st.json(dict(output.provenance), expanded=1)


def _facts(output: Output, model: str) -> str:
    length = output.provenance.get("duration")
    told = f"{length:.1f} s of sound in " if isinstance(length, int | float) else ""
    return told + amounts.footer(output, unit(model))


def _waveform(found: sound.Numbers, rate: int) -> Any:
    low, high = sound.outline(found)
    times = np.linspace(0, len(found) / rate, len(low))
    frame = pd.DataFrame({"seconds": times, "low": low, "high": high})
    edge = max(0.05, float(np.abs(found).max()))
    across = alt.X("seconds:Q", title=None, axis=_bare(), scale=alt.Scale(nice=False))
    up = alt.Y("low:Q", title=None, scale=alt.Scale(domain=[-edge, edge]), axis=_bare(_MARGIN))
    return alt.Chart(frame).mark_area(color=_LINE).encode(x=across, y=up, y2="high:Q")


def _bare(margin: float = 0) -> alt.Axis:
    return alt.Axis(labels=False, ticks=False, grid=False, domain=False, minExtent=margin)


def _spectrogram(found: sound.Numbers, rate: int) -> Any:
    times, pitches, loud = sound.spectrogram(found, rate)
    wide = (times[1] - times[0]) if len(times) > 1 else 1.0
    upper = [*pitches[1:], rate / 2]
    frame = pd.DataFrame(
        {
            "from": np.repeat(times, len(pitches)),
            "to": np.repeat(times + wide, len(pitches)),
            "hertz": np.tile(pitches, len(times)),
            "above": np.tile(upper, len(times)),
            "decibels": loud.T.flatten(),
        }
    )
    log = alt.Scale(type="log", nice=False)
    told = alt.Axis(
        values=[hertz for hertz in _TICKS if hertz < rate / 2],
        labelExpr="format(datum.value, '~s') + 'Hz'",
        grid=False,
        minExtent=_MARGIN,
        maxExtent=_MARGIN,
    )
    scheme = alt.Scale(scheme="viridis")
    across = alt.X("from:Q", title="seconds", axis=alt.Axis(grid=False, tickCount=6), scale=alt.Scale(nice=False))
    # Each rectangle is drawn round in its own colour too: hair lines of the page would shine through between them.
    return (
        alt.Chart(frame)
        .mark_rect(strokeWidth=0.7)
        .encode(
            x=across,
            x2="to:Q",
            y=alt.Y("hertz:Q", title=None, scale=log, axis=told),
            y2="above:Q",
            color=alt.Color("decibels:Q", scale=scheme, legend=None),
            stroke=alt.Stroke("decibels:Q", scale=scheme, legend=None),
        )
    )
