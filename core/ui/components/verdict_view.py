"""The playground's verdict: one sentence, the rates and differences with their intervals, and how it was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from core.experiment import Verdict, columns_of, summary, verdict, verdict_table, verdict_words
from core.types import CellResult, Experiment
from core.ui.components import design_check
from core.ui.components.markdown import escape
from core.ui.components.variants import CHART_COLOURS

_EVERY_PAIR = -1
_ROW = 34
"""Pixels of a line in a chart."""


def draw(
    experiment: Experiment,
    results: Mapping[int, CellResult],
    key: str,
    looks: Sequence[int] = (),
    watched: bool = False,
) -> None:
    """What the results prove, in one sentence and a chart; the numbers and the method are folded below.

    Args:
        key: of this run on this page, for the widgets.
        looks: answers per column at each finished look at this run; () where it has none yet.
        watched: `run_bar.draw` draws this, so that a check of the run's design can be started from here.
    """
    with st.container(border=True):
        headline, charts = st.container(), st.container()
        decided = verdict(experiment, results, baseline=_baseline(experiment, f"{key}.baseline"), looks=looks or (1,))
        with headline:
            st.markdown(f"**{escape(verdict_words.sentence(experiment, decided), 1200)}**")
            for note in verdict_words.notes(decided):
                st.caption(f":material/info: {escape(note, 400)}")
            if advice := verdict_words.advice(decided):
                st.caption(f":material/lightbulb: {escape(advice, 300)}")
        with charts:
            if any(row.judged for row in decided.columns):
                _charts(experiment, decided)
        table = verdict_table.rows(experiment, decided, summary(experiment, results))
        st.dataframe(pd.DataFrame(table), hide_index=True, column_config=_COLUMNS)
        if decided.complete and decided.units:
            with st.expander("How was this decided?", icon=":material/balance:", key=f"{key}.method"):
                _method(experiment, decided)
                if experiment.aa_test:
                    design_check.own_labels(experiment, results, looks)
                elif watched:
                    design_check.draw(experiment, results, decided, key, looks)


def _baseline(experiment: Experiment, key: str) -> int | None:
    """What every column is compared against; offered from three columns on."""
    columns = columns_of(experiment)
    if len(columns) < 3:
        return 0
    names = {place: verdict_words.column_name(experiment, column) for place, column in enumerate(columns)}
    names[_EVERY_PAIR] = "every pair"
    chosen = st.selectbox(
        "Compare against",
        list(names),
        format_func=names.__getitem__,
        key=key,
        width=320,
        help="The fewer comparisons, the narrower their intervals: they hold together.",
    )
    return None if chosen == _EVERY_PAIR else chosen


def _charts(experiment: Experiment, decided: Verdict) -> None:
    """The columns' own rates, and beside them their differences, where there are any."""
    if not decided.comparisons:
        st.altair_chart(_rates(experiment, decided), width="stretch")
        return
    left, right = st.columns(2)
    with left:
        st.caption("Share of inputs passed, with its 95 % interval")
        st.altair_chart(_rates(experiment, decided), width="stretch")
    with right:
        st.caption("Difference in points, with intervals that hold together")
        st.altair_chart(_differences(experiment, decided), width="stretch")


_COLUMNS = {"Variant": st.column_config.TextColumn(width="medium")}


def _method(experiment: Experiment, decided: Verdict) -> None:
    for what, how in verdict_words.method(experiment, decided):
        st.markdown(f"**{escape(what, 80)}**: {escape(how, 400)}")
    if decided.differing:
        st.caption("Inputs on which the columns differ")
        st.dataframe(_differing(experiment, decided), hide_index=True)


def _differing(experiment: Experiment, decided: Verdict) -> pd.DataFrame:
    """One line per input on which the columns differ, with each column's share of passed samples."""
    names = [verdict_words.name(experiment, column, brief=True) for column in decided.columns]
    return pd.DataFrame(
        {"Row": row + 1}
        | {name: value[:60] for name, value in experiment.inputs[row].values.items()}
        | {f"{name} passes": f"{mean:.0%}" for name, mean in zip(names, means, strict=True)}
        for row, means in decided.differing.items()
    )


def _rates(experiment: Experiment, decided: Verdict) -> Any:
    frame = pd.DataFrame(
        {
            "column": verdict_words.name(experiment, row),
            "value": row.rate.mean,
            "low": row.rate.interval.low,
            "high": row.rate.interval.high,
            "label": f"{row.rate.mean:.0%} ({row.passed} of {row.judged})",
            "colour": CHART_COLOURS[row.column.variant % len(CHART_COLOURS)],
        }
        for row in decided.columns
        if row.judged
    )
    return _intervals(frame, alt.Scale(domain=[0, 1]), alt.Axis(format="%", title=None, tickCount=5))


def _differences(experiment: Experiment, decided: Verdict) -> Any:
    """Each comparison's interval, with a line at no difference and a band for what counts as equivalent."""
    several = decided.baseline is None
    frame = pd.DataFrame(
        {
            "column": verdict_words.pair_name(experiment, decided, one)
            if several
            else verdict_words.name(experiment, decided.columns[one.other]),
            "value": 100 * one.paired.difference,
            "low": 100 * one.paired.interval.low,
            "high": 100 * one.paired.interval.high,
            "label": verdict_words.difference(one),
            "colour": CHART_COLOURS[decided.columns[one.other].column.variant % len(CHART_COLOURS)],
        }
        for one in decided.comparisons
    )
    margin = pd.DataFrame({"from": [-100 * decided.margin], "to": [100 * decided.margin]})
    scale = alt.Scale(domain=[min(-10.0, float(frame["low"].min())), max(10.0, float(frame["high"].max()))])
    band = alt.Chart(margin).mark_rect(opacity=0.15, color="gray").encode(x=alt.X("from:Q", scale=scale), x2="to:Q")
    zero = alt.Chart(pd.DataFrame({"at": [0]})).mark_rule(color="gray").encode(x=alt.X("at:Q", scale=scale))
    intervals = _intervals(frame, scale, alt.Axis(title=None, tickCount=5, format="+d"))
    return (band + zero + intervals).properties(height=alt.Step(_ROW))


def _intervals(frame: pd.DataFrame, scale: alt.Scale, axis: alt.Axis) -> Any:
    """A dot and a line for each row of the frame: column, value, low, high, label, colour."""
    order = list(frame["column"])
    rows = alt.Y("column:N", sort=order, title=None, axis=alt.Axis(labelLimit=200))
    colour = alt.Color("colour:N", scale=None)
    base = alt.Chart(frame).encode(y=rows, color=colour, tooltip=["column", "label"])
    span = base.mark_rule(strokeWidth=5, opacity=0.35).encode(x=alt.X("low:Q", scale=scale, axis=axis), x2="high:Q")
    dot = base.mark_point(size=120, filled=True, opacity=1).encode(x=alt.X("value:Q", scale=scale))
    return (span + dot).properties(height=alt.Step(_ROW))
