"""Checks as a person writes them: the field of those for every row, what is wrong with any of them, and the help."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import pandas as pd
import streamlit as st

from core import checks
from core.checks import CHECKS as KINDS
from core.errors import InvalidInput
from core.experiment import Experiment, check_lines
from core.ui.components.input_edits import checks_from, plain_text
from core.ui.components.layout import slotted
from core.ui.components.markdown import escape
from core.ui.session.state import Draft

FOR_ALL = "Checks for every row"
_PLACES = 12
_SHOWN = 5


@slotted
def draw(draft: Draft) -> None:
    """The field of the checks for every row, then what is wrong with these and the rows' own."""
    st.text_area(
        FOR_ALL,
        plain_text(draft.checks),
        height=68,
        placeholder="max-words:50",
        help="What every answer must show, beside the checks of its row. One check a line.",
        **draft.bind(lambda text: _take(draft, text), "checks"),
    )
    experiment = draft.experiment()
    errors, differences = findings(experiment)
    for sentence, places in list(errors.items())[:_SHOWN]:
        st.error(escape(f"{listed(places)}: {sentence}", 600), icon=":material/error:")
    if len(errors) > _SHOWN:
        st.caption(f":red[And {len(errors) - _SHOWN} more that cannot be read.]")
    with st.container(horizontal=True):
        _dialect()
        if differences:
            with st.popover("Different in promptfoo", icon=":material/info:", type="tertiary"):
                draw_differences(differences)


def _take(draft: Draft, text: str) -> None:
    draft.checks = list(checks_from(text, draft.checks))


def findings(experiment: Experiment) -> tuple[Mapping[str, list[str]], Mapping[str, list[str]]]:
    """(why checks cannot be read, what others mean otherwise than in promptfoo): the places by each sentence."""
    errors: dict[str, list[str]] = {}
    differences: dict[str, list[str]] = {}
    for place, lines in _lines(experiment, errors):
        for line in lines:
            error, name, notes = _read(line)
            if error:
                _add(errors, error, place)
            for note in notes:
                _add(differences, f"{name}: {note}", place)
    return errors, differences


def _lines(experiment: Experiment, errors: dict[str, list[str]]) -> Iterable[tuple[str, Sequence[str]]]:
    """(place, its checks with variables filled in); what cannot be filled in is put to the errors."""
    filled = [check for check in experiment.checks if "{{" in check.line]
    yield FOR_ALL, [check.line for check in experiment.checks if "{{" not in check.line and check.line.strip()]
    with_templates = replace(experiment, checks=tuple(filled))
    for number, row in enumerate(experiment.inputs, start=1):
        try:
            yield f"row {number}", check_lines(with_templates, row)
        except InvalidInput as error:
            _add(errors, str(error), f"row {number}")


@lru_cache(maxsize=4096)
def _read(line: str) -> tuple[str, str, tuple[str, ...]]:
    """(why the line cannot be read, the check's name, what it means otherwise than in promptfoo)."""
    try:
        return "", checks.parse(line).name, checks.notes(line)
    except InvalidInput as error:
        return str(error), "", ()


def _add(sentences: dict[str, list[str]], sentence: str, place: str) -> None:
    places = sentences.setdefault(sentence, [])
    if place not in places[-1:]:
        places.append(place)


def listed(places: Sequence[str]) -> str:
    """Places as the beginning of a sentence: `Row 1, row 2, and 3 more`."""
    named = ", ".join(places[:_PLACES])
    more = f" and {len(places) - _PLACES:,} more" if len(places) > _PLACES else ""
    return f"{named[:1].upper()}{named[1:]}{more}"


def draw_differences(differences: Mapping[str, Sequence[str]]) -> None:
    """What checks mean otherwise than in promptfoo, each sentence with its places."""
    for sentence, places in differences.items():
        name, _, difference = sentence.partition(": ")
        st.caption(f"**{escape(name)}**: {escape(difference, 600)} ({escape(listed(places), 300)})")


def _dialect() -> None:
    with st.popover("How to write checks", icon=":material/rule:", type="tertiary"):
        st.caption("One check a line; text alone means *equals*. Put `not-` before any of them to turn it round.")
        st.table(pd.DataFrame({"Check": list(KINDS), "The answer ...": [check.help for check in KINDS.values()]}))
