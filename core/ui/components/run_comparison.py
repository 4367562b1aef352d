"""Two runs of the history against each other: the verdict, what got better and worse, and how the prompts differ."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from core.errors import InvalidInput
from core.experiment import columns_of, verdict_words
from core.experiment.comparison import RunColumn, RunComparison, compare_runs, leading_column, same_column
from core.experiment.grade import answer
from core.experiment.grid import grid_cells
from core.experiment.scores import Column
from core.history import SavedRun
from core.ui.components import results, run_facts, text_difference, verdict_view
from core.ui.components.markdown import escape


def draw(first: SavedRun, second: SavedRun, key: str) -> None:
    """Compare the earlier run with the later one, whichever comes first; one column of each can be chosen.

    Args:
        key: for the widgets.
    """
    before, after = sorted((first, second), key=lambda run: run.row.created)
    st.subheader("Earlier run against later run", anchor=False)
    left, right = st.columns(2)
    with left:
        leading = leading_column(before.experiment, before.by_index)
        old = _column(before, "Before", leading, f"{key}.before")
    with right:
        new = _column(after, "After", same_column(before.experiment, leading, after.experiment), f"{key}.after")
    try:
        comparison = compare_runs(old, new)
    except InvalidInput as error:
        st.warning(escape(str(error), 300), icon=":material/compare_arrows:")
        return
    _facts(comparison)
    verdict_view.draw(comparison.experiment, comparison.results, f"{key}.verdict")
    _changed("Got better", comparison, comparison.improved)
    _changed("Got worse", comparison, comparison.regressed)
    with st.expander("How the prompts differ", icon=":material/difference:", key=f"{key}.prompts"):
        _prompts(comparison)
    with st.expander("All answers", icon=":material/grid_view:", key=f"{key}.answers"):
        results.grid(comparison.experiment, comparison.results, f"{key}.grid")


def _column(saved: SavedRun, label: str, first: Column, key: str) -> RunColumn:
    columns = columns_of(saved.experiment)
    names = [verdict_words.column_name(saved.experiment, column) for column in columns]
    chosen = st.selectbox(
        f"{label}: {saved.row.title[:60] or 'a run'}",
        range(len(columns)),
        index=columns.index(first),
        format_func=names.__getitem__,
        key=f"{key}.{saved.row.id}",
        help="At first the column that passes most in the earlier run, and the one of the same name in the later.",
    )
    st.caption(run_facts.facts(saved.row))
    return RunColumn(saved.experiment, saved.by_index, columns[chosen])


def _facts(comparison: RunComparison) -> None:
    shared = len(comparison.experiment.inputs)
    parts = [f"{shared} input{'s' if shared != 1 else ''} in both"]
    parts += [f"{comparison.only_before} in the earlier run only"] if comparison.only_before else []
    parts += [f"{comparison.only_after} in the later run only"] if comparison.only_after else []
    parts += [f"{len(comparison.improved)} got better", f"{len(comparison.regressed)} got worse"]
    st.markdown(f"**{' · '.join(parts)}**")
    for note in comparison.notes:
        st.caption(f":material/info: {escape(note, 300)}")


def _changed(title: str, comparison: RunComparison, rows: Mapping[int, tuple[float, ...]]) -> None:
    """A table of the inputs whose score rose or fell, with the first answers of both runs."""
    if not rows:
        return
    st.markdown(f"**{title}**")
    first = {
        (cell.input, cell.variant): answer(comparison.results[cell.index])
        for cell in grid_cells(comparison.experiment)
        if cell.sample == 0 and cell.index in comparison.results
    }
    st.dataframe(
        pd.DataFrame(
            {"Row": row + 1}
            | {name: value[:200] for name, value in comparison.experiment.inputs[row].values.items()}
            | {"Before passes": f"{means[0]:.0%}", "After passes": f"{means[1]:.0%}"}
            | {"Answer before": first.get((row, 0), "")[:500], "Answer after": first.get((row, 1), "")[:500]}
            for row, means in rows.items()
        ),
        hide_index=True,
    )


def _prompts(comparison: RunComparison) -> None:
    old, new = comparison.experiment.variants
    if old.system or new.system:
        st.caption("System")
        text_difference.draw(old.system, new.system)
        st.caption("Prompt")
    text_difference.draw(old.user, new.user)
