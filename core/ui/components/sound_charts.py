"""A sound as two charts over the same seconds: its waveform, and its spectrogram over the logarithm of frequency."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import streamlit as st

from core import sound
from core.errors import InvalidInput
from core.ui.components.markdown import escape

_COLOUR = "#5b6bd5"
_MARGIN = 56
"""Pixels left of both charts, so that the same second stands at the same place."""

_HERTZ_TICKS = (100, 300, 1000, 3000, 10_000)
_HEIGHT = {"waveform": 90, "spectrogram": 190}


def draw(data: bytes) -> None:
    """Both charts of a WAV file."""
    try:
        samples, rate = sound.samples(data)
    except InvalidInput as error:
        st.caption(f":red[{escape(str(error), 160)}]")
        return
    if len(samples):
        st.altair_chart(_waveform(samples, rate), width="stretch", height=_HEIGHT["waveform"])
        st.altair_chart(_spectrogram(samples, rate), width="stretch", height=_HEIGHT["spectrogram"])


def _waveform(samples: sound.Numbers, rate: int) -> Any:
    low, high = sound.outline(samples)  # each (columns,)
    seconds = np.linspace(0, len(samples) / rate, len(low))
    frame = pd.DataFrame({"seconds": seconds, "low": low, "high": high})
    peak = max(0.05, float(np.abs(samples).max()))
    x = alt.X("seconds:Q", title=None, axis=_bare_axis(), scale=alt.Scale(nice=False))
    y = alt.Y("low:Q", title=None, scale=alt.Scale(domain=[-peak, peak]), axis=_bare_axis(_MARGIN))
    return alt.Chart(frame).mark_area(color=_COLOUR).encode(x=x, y=y, y2="high:Q")


def _bare_axis(margin: float = 0) -> alt.Axis:
    return alt.Axis(labels=False, ticks=False, grid=False, domain=False, minExtent=margin)


def _spectrogram(samples: sound.Numbers, rate: int) -> Any:
    times, hertz, decibels = sound.spectrogram(samples, rate)  # (frames,), (bands,), (bands, frames)
    step = (times[1] - times[0]) if len(times) > 1 else 1.0
    frame = pd.DataFrame(
        {
            "from": np.repeat(times, len(hertz)),
            "to": np.repeat(times + step, len(hertz)),
            "hertz": np.tile(hertz, len(times)),
            "above": np.tile([*hertz[1:], rate / 2], len(times)),
            "decibels": decibels.T.flatten(),
        }
    )
    axis = alt.Axis(
        values=[tick for tick in _HERTZ_TICKS if tick < rate / 2],
        labelExpr="format(datum.value, '~s') + 'Hz'",
        grid=False,
        minExtent=_MARGIN,
        maxExtent=_MARGIN,
    )
    scheme = alt.Scale(scheme="viridis")
    x = alt.X("from:Q", title="seconds", axis=alt.Axis(grid=False, tickCount=6), scale=alt.Scale(nice=False))
    y = alt.Y("hertz:Q", title=None, scale=alt.Scale(type="log", nice=False), axis=axis)
    # Each rectangle is drawn round in its own colour too: hair lines of the page would shine through between them.
    return (
        alt.Chart(frame)
        .mark_rect(strokeWidth=0.7)
        .encode(
            x=x,
            x2="to:Q",
            y=y,
            y2="above:Q",
            color=alt.Color("decibels:Q", scale=scheme, legend=None),
            stroke=alt.Stroke("decibels:Q", scale=scheme, legend=None),
        )
    )
