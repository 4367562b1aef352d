"""How answers are drawn: a cell with its samples, the grid of cells, a sentence for each error.

What a model wrote is untrusted: it is shown as plain text, never as Markdown or HTML.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from itertools import groupby

import streamlit as st

from core.errors import DiptychError
from core.experiment import unit
from core.experiment.grade import answer, drawn, grade, heard, passes, reply
from core.experiment.grid import GridCell, effective_samples, grid_cells, seed_of
from core.types import CellResult, Experiment, State
from core.ui.components import amounts, image_view
from core.ui.components.markdown import escape
from core.ui.components.variants import badge
from core.ui.session.state import session

log = logging.getLogger(__name__)

_WORDS = {
    State.QUEUED: ":gray-badge[:material/schedule: waiting]",
    State.LOADING: ":blue-badge[:material/download: loading the model]",
    State.RUNNING: ":blue-badge[:material/edit: writing]",
    State.CANCELLED: ":orange-badge[:material/stop_circle: stopped]",
    State.TIMEOUT: ":red-badge[:material/timer_off: out of time]",
    State.FAILED: ":red-badge[:material/error: failed]",
    State.INTERRUPTED: ":orange-badge[:material/power_off: interrupted]",
}

Retry = Callable[[int], None]


@contextmanager
def guard() -> Iterator[None]:
    """Turn an error into a sentence on the page; what nobody foresaw is logged under a number that the person sees."""
    try:
        yield
    except DiptychError as error:
        st.error(escape(str(error), 600), icon=":material/error:")
    except Exception:
        number = secrets.token_hex(4)
        log.exception("unforeseen error %s", number)
        st.error(f"Something went wrong here (error {number}). Nothing that was finished is lost; reload the page.")


def careful(act: Callable[..., None]) -> Callable[..., None]:
    """A callback whose errors become a sentence too: it runs before the page does, where `guard` does not reach."""

    @wraps(act)
    def acted(*args: object) -> None:
        session().refusal = ""
        try:
            act(*args)
        except DiptychError as error:
            session().refusal = str(error)

    return acted


def refusal() -> None:
    """Say why the last act was refused, if it was."""
    if session().refusal:
        st.error(escape(session().refusal, 600), icon=":material/error:")


@dataclass(frozen=True, slots=True)
class Answer:
    """Samples of one cell that say the same."""

    cells: tuple[GridCell, ...]
    results: tuple[CellResult, ...]

    @property
    def first(self) -> CellResult:
        return self.results[0]

    @property
    def silent(self) -> bool:
        made = answer(self.first) or drawn(self.first) or heard(self.first)
        return not made and self.first.state is not State.DONE


def distinct(cells: Sequence[tuple[GridCell, CellResult]]) -> list[Answer]:
    """Collapse samples that say the same, or nothing yet; what says something first, then the most frequent."""
    groups: dict[object, list[tuple[GridCell, CellResult]]] = {}
    for place, result in cells:
        said = (answer(result), drawn(result), heard(result))
        alike = result.state is State.DONE or not (any(said) or result.error or result.note)
        groups.setdefault((result.state, said) if alike else place.index, []).append((place, result))
    made = [Answer(*map(tuple, zip(*group, strict=True))) for group in groups.values()]
    return sorted(made, key=lambda one: (one.silent, -len(one.cells), one.cells[0].sample))


def grid(experiment: Experiment, results: Mapping[int, CellResult], key: str, retry: Retry | None = None) -> None:
    """Inputs down, variants (times models) across; on a narrow screen the cells of a row stand below each other."""
    over = all(results[place.index].state.final for place in grid_cells(experiment) if place.index in results)
    for row, cells in groupby(
        sorted(grid_cells(experiment), key=lambda place: place.input), key=lambda place: place.input
    ):
        columns: dict[tuple[str, int, int], list[GridCell]] = {}
        for place in cells:
            columns.setdefault((place.model, place.variant, place.setting), []).append(place)
        _row_title(experiment, row)
        board = st.grid(min(len(columns), 4), min_column_width=250, key=f"{key}.row.{row}")
        for (model, variant, setting), found in columns.items():
            with board.container(border=True, height="stretch"):
                samples = [(place, results.get(place.index, CellResult(index=place.index))) for place in found]
                cell(experiment, samples, f"{key}.{row}.{variant}.{model}.{setting}", retry, over)


def cell(
    experiment: Experiment,
    samples: Sequence[tuple[GridCell, CellResult]],
    key: str,
    retry: Retry | None = None,
    over: bool = True,
) -> None:
    """One variant's answers to one input; `over`: nothing of the run is on its way any more."""
    place = samples[0][0]
    several = len(experiment.models) > 1
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        name = f"{badge(place.variant)} **{escape(experiment.variants[place.variant].name, 40)}**"
        st.markdown(f"{name} · {escape(place.model)}" if several else name, width="content")
        st.markdown(_verdict_badge(experiment, samples), width="content")
    answers = distinct(samples)
    sample(experiment, answers[_page(answers, key) - 1], key, retry, over)


def sample(experiment: Experiment, shown: Answer, key: str, retry: Retry | None = None, over: bool = True) -> None:
    """One answer as far as it has come: its text, its checks, its facts, and a retry where it failed."""
    result, place = shown.first, shown.cells[0]
    drawing = not result.state.final and bool(result.note or result.preview)
    if result.state is not State.DONE and not drawing:
        st.markdown(_WORDS[result.state])
    if result.error:
        st.error(escape(result.error, 400))
    if answer(result) or (result.state is State.DONE and not (drawn(result) or heard(result))):
        _written(experiment, place, result)
    if drawing:
        image_view.progress(result, f"{key}.{place.index}")
    pictures(result, f"{key}.{place.index}")
    if heard(result):
        st.audio(heard(result), format="audio/wav")
    for verdict in grade(experiment, place, result) if result.state is State.DONE else ():
        colour, mark = ("green", "check") if verdict.passed else ("red", "close")
        st.caption(f":{colour}[:material/{mark}:] {escape(verdict.check, 60)}: {escape(verdict.reason, 160)}")
    _facts(experiment, shown)
    notes(result)
    if drawn(result) and over:  # a page that draws itself again would close it
        _full(experiment, shown, f"{key}.full")
    if retry and result.state.final and result.state is not State.DONE:
        st.button("Retry", icon=":material/refresh:", key=f"{key}.retry", on_click=retry, args=(place.index,))


def _full(experiment: Experiment, shown: Answer, key: str) -> None:
    """The image at its full size, from its thumbnail in the grid."""
    output = shown.first.output
    if st.button("Full size", icon=":material/open_in_full:", key=key, type="tertiary") and output is not None:
        image_view.full(experiment, shown.cells[0], output)


def pictures(result: CellResult, key: str) -> None:
    """What the model drew."""
    for number, picture in enumerate(drawn(result)):
        image_view.picture(picture, f"{key}.{number}")


def notes(result: CellResult) -> None:
    """In what the answer does not follow the request, and who answered where that was another."""
    output = result.output
    if output is None:
        return
    answered = str(output.provenance.get("model_version") or "")
    other = answered and answered != output.provenance.get("source")
    for note in (*output.notes, *([f"answered by {answered}"] if other else [])):
        st.caption(f":material/info: {escape(note, 200)}")


def word(state: State) -> str:
    """A badge for a state that is not a plain success."""
    return _WORDS[state]


def _written(experiment: Experiment, place: GridCell, result: CellResult) -> None:
    """The text of an answer; what continues code stands with its prompt, as code."""
    told = reply(experiment, place, result)
    if told == answer(result):
        text(experiment.answer_prefix + told)
    else:
        st.code(told, language="python", line_numbers=True)


def text(body: str) -> None:
    """Untrusted text as it is, with a button that copies it."""
    st.code(body if body.strip() else "(empty answer)", language=None, wrap_lines=True)


def _row_title(experiment: Experiment, row: int) -> None:
    values = experiment.inputs[row].values
    said = " · ".join(f"{escape(name, 30)}: **{escape(value, 90)}**" for name, value in values.items() if value)
    if said or len(experiment.inputs) > 1:
        st.markdown(f":gray[{row + 1}] {said}")


def _page(answers: Sequence[Answer], key: str) -> int:
    """Which of several different answers is looked at; kept when new ones arrive."""
    return st.pagination(len(answers), key=f"{key}.page", max_visible_pages=5) if len(answers) > 1 else 1


def _facts(experiment: Experiment, shown: Answer) -> None:
    result, place = shown.first, shown.cells[0]
    samples = effective_samples(experiment)
    which = f"sample {place.sample + 1} of {samples}" if len(shown.cells) == 1 else f"×{len(shown.cells)} identical"
    parts = [which] if samples > 1 and (answer(result) or drawn(result) or heard(result)) else []
    if result.output is not None:
        parts += [amounts.footer(result.output, unit(place.model)), f"seed {seed_of(experiment, place.sample)}"]
        if result.output.finish == "length":
            parts.append("cut at the token limit")
    elif result.tokens:
        parts.append(f"{result.tokens} {unit(place.model)}")
    if parts:
        st.caption(" · ".join(parts))


def _verdict_badge(experiment: Experiment, samples: Sequence[tuple[GridCell, CellResult]]) -> str:
    done = [(cell, result) for cell, result in samples if result.state is State.DONE]
    row = experiment.inputs[samples[0][0].input]
    outcomes = [passes(experiment, row, grade(experiment, cell, result)) for cell, result in done]
    judged = [passed for passed in outcomes if passed is not None]
    if not judged:
        return f":gray-badge[{len(done)} of {len(samples)}]" if len(samples) > 1 else ""
    passed = sum(judged)
    colour = "green" if passed == len(judged) else "red" if passed == 0 else "orange"
    return f":{colour}-badge[{passed} of {len(judged)} pass]"
