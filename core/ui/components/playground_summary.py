"""The playground's verdict: a row for each variant with its pass rate and its confidence interval."""

from __future__ import annotations

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from core.experiment import VariantSummary, unit
from core.types import Experiment
from core.ui.components.markdown import escape
from core.ui.components.variants import COLOURS, LETTERS

_INTERVAL_HELP = (
    "Dot: share of answers that pass all checks. Line: Wilson 95 % interval, where the true rate plausibly lies. "
    "It takes answers as independent; samples of one input are so only in part."
)


def draw(experiment: Experiment, rows: tuple[VariantSummary, ...]) -> None:
    """One row a variant (and model): pass rate, interval, time, tokens; and one sentence about them."""
    with st.container(border=True):
        if any(row.judged for row in rows):
            st.markdown(f"**{escape(headline(experiment, rows), 300)}**", help=_INTERVAL_HELP)
            st.altair_chart(_chart(experiment, rows), width="stretch", height=34 * len(rows) + 34)
        st.dataframe(_table(experiment, rows), hide_index=True, column_config=_COLUMNS)


def headline(experiment: Experiment, rows: tuple[VariantSummary, ...]) -> str:
    """Which variant leads, and whether the intervals allow to say so.

    Intervals that do not overlap differ at the 5 % level or better; overlapping ones leave it open.
    """
    judged = sorted((row for row in rows if row.rate is not None), key=lambda row: -(row.rate or 0))
    if not judged:
        return "No checks yet: add some to the inputs to see which variant passes more often."
    best, rest = judged[0], judged[1:]
    lead = f"{name(experiment, best)} passes {best.passed} of {best.judged}"
    if not rest:
        return f"{lead}."
    if all(row.rate == best.rate for row in rest):
        return f"All variants pass {best.rate:.0%}: these inputs do not tell them apart."
    if all(best.low > row.high for row in rest):
        return f"{lead}: better than every other variant, its interval lies above theirs."
    beaten = [row for row in rest if best.low > row.high]
    if beaten:
        return f"{lead}: better than {_names(experiment, beaten)}; against the rest it cannot be told yet."
    return f"{lead}, but the intervals overlap: which is better cannot be told yet. More inputs would tell."


def name(experiment: Experiment, row: VariantSummary) -> str:
    """A, B, ... with the variant's name, and the model where there are several."""
    label = f"{LETTERS[row.variant % len(LETTERS)]} · {experiment.variants[row.variant].name}"
    return f"{label} ({row.model})" if len(experiment.models) > 1 else label


def _names(experiment: Experiment, rows: list[VariantSummary]) -> str:
    return " and ".join(name(experiment, row) for row in rows)


_COLUMNS = {"Variant": st.column_config.TextColumn(width="medium")}


def _table(experiment: Experiment, rows: tuple[VariantSummary, ...]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "Variant": name(experiment, row),
            "Pass rate": "" if row.rate is None else f"{row.rate:.0%}",
            "95 % interval": f"{row.low:.0%} to {row.high:.0%}" if row.judged else "",
            "Passed": f"{row.passed} of {row.judged}" if row.judged else "",
            "Answers": f"{row.done} of {row.cells}" + (f", {row.failed} failed" if row.failed else ""),
            "Mean time": "" if row.mean_seconds is None else f"{row.mean_seconds:.2f} s",
            f"Mean {unit(row.model)}": "" if row.mean_tokens is None else f"{row.mean_tokens:.0f}",
        }
        for row in rows
    )


def _chart(experiment: Experiment, rows: tuple[VariantSummary, ...]) -> Any:
    frame = pd.DataFrame(
        {
            "variant": name(experiment, row),
            "rate": row.rate,
            "low": row.low,
            "high": row.high,
            "label": f"{row.rate:.0%} ({row.passed} of {row.judged})",
            "colour": COLOURS[row.variant % len(COLOURS)],
        }
        for row in rows
        if row.rate is not None
    )
    order = [name(experiment, row) for row in rows]
    colour = alt.Color("variant:N", sort=order, legend=None)
    base = alt.Chart(frame).encode(y=alt.Y("variant:N", sort=order, title=None, axis=alt.Axis(labelLimit=260)))
    axis = alt.Axis(format="%", title=None, tickCount=5)
    span = base.mark_rule(strokeWidth=5, opacity=0.35).encode(
        x=alt.X("low:Q", scale=alt.Scale(domain=[0, 1]), axis=axis), x2="high:Q", color=colour
    )
    dot = base.mark_point(size=120, filled=True, opacity=1).encode(x="rate:Q", color=colour, tooltip=["label"])
    return span + dot
