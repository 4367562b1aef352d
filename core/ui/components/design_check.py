"""In the verdict's drawer: the baseline run against itself, and how often this design names a false winner."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

import streamlit as st

from core.errors import DiptychError
from core.experiment import Verdict, aa_test, columns_of, verdict, verdict_words
from core.types import CellResult, Experiment
from core.ui.components import run_bar
from core.ui.components.markdown import escape
from core.ui.components.run_bar import RunView
from core.ui.session.state import session

_FIRST_SEED = 2**31
"""Below this the first of the fresh seeds is drawn: small enough for every provider."""

_ONLY_LABELS = ""
"""What stands in the place of the rerun's id where there is no rerun."""


def draw(
    experiment: Experiment, results: Mapping[int, CellResult], decided: Verdict, key: str, looks: Sequence[int]
) -> None:
    """The button that checks this design, or what came of it; a sentence where it cannot be checked.

    `run_bar.draw` must draw this: it draws again while a check is under way. A fragment of its own within that one
    broke the page.

    Args:
        decided: the verdict on these results.
        key, looks: as for `verdict_view.draw`.
    """
    if reason := aa_test.problem(experiment, decided):
        st.caption(f":material/science: {escape(reason, 300)}")
        return
    place = f"{key}.aa.{decided.baseline}.{len(results)}"  # another after the run has grown
    _state(experiment, results, decided, place, looks)


def own_labels(experiment: Experiment, results: Mapping[int, CellResult], looks: Sequence[int]) -> None:
    """Of a run that is such a check itself: how often its own labels, exchanged, name a winner."""
    _say(aa_test.permutation_sentence(aa_test.relabelled(experiment, results, looks=looks or (1,))))


def _state(
    experiment: Experiment, results: Mapping[int, CellResult], decided: Verdict, place: str, looks: Sequence[int]
) -> None:
    """The button before it was pressed, the rerun's progress, and then its result."""
    run_id = session().aa_tests.get(place)
    view = run_bar.find(run_id) if run_id else None
    if run_id == _ONLY_LABELS:
        _say(_GREEDY)
        found = aa_test.relabelled(experiment, results, baseline=decided.baseline, looks=looks or (1,))
        _say(aa_test.permutation_sentence(found))
    elif view is None:
        _button(experiment, decided.baseline or 0, place)
    elif not view.state.final:
        done = sum(result.state.final for result in view.results.values())
        st.progress(done / max(1, len(view.results)), f"A against itself: {done} of {len(view.results)}")
    else:
        _result(view)


def _button(experiment: Experiment, baseline: int, place: str) -> None:
    letter = verdict_words.letter(columns_of(experiment)[baseline].variant)
    st.button(
        f"Check this design: {letter} against itself",
        icon=":material/science:",
        key=place,
        on_click=_start,
        args=(experiment, baseline, place),
        help="Runs the same prompt twice on your inputs, with fresh seeds. Whoever wins there wins by chance.",
    )
    if refusal := session().aa_refusals.get(place):
        st.error(escape(refusal, 600), icon=":material/error:")


def _start(experiment: Experiment, baseline: int, place: str) -> None:
    session().aa_refusals.pop(place, None)
    if aa_test.repeats_itself(experiment, baseline):
        session().aa_tests[place] = _ONLY_LABELS
        return
    seed = random.SystemRandom().randrange(_FIRST_SEED)
    try:
        session().aa_tests[place] = run_bar.submit(aa_test.against_itself(experiment, baseline, seed))
    except DiptychError as error:
        session().aa_refusals[place] = str(error)


def _result(view: RunView) -> None:
    rerun = verdict(view.experiment, view.results, looks=view.looks or (1,))
    _say(aa_test.rerun_sentence(view.experiment, rerun))
    if rerun.comparisons:
        found = aa_test.relabelled(view.experiment, view.results, looks=view.looks or (1,))
        _say(aa_test.permutation_sentence(found))
    st.caption(f"Its answers are in the History, as “{escape(view.experiment.title, 80)}”.")


def _say(sentence: str) -> None:
    st.markdown(f":material/science: {escape(sentence, 500)}")


_GREEDY = (
    "At temperature 0 a rerun would only repeat these answers: nothing was run, and the labels of this run's own "
    "columns are exchanged."
)
