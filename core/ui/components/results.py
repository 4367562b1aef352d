"""How answers are drawn: one answer, a cell with its samples, the grid of cells.

What a model wrote is untrusted: it is shown as plain text, never as Markdown or HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import streamlit as st

from core.experiment import unit
from core.experiment.grade import answer, audio_of, grade, images_of, passes, reply
from core.experiment.grid import GridCell, effective_samples, grid_cells, seed_of
from core.types import CellResult, Experiment, State
from core.ui.components import image_view, usage
from core.ui.components.markdown import escape
from core.ui.components.variants import badge

_STATE_BADGES = {
    State.QUEUED: ":gray-badge[:material/schedule: waiting]",
    State.LOADING: ":blue-badge[:material/download: loading the model]",
    State.RUNNING: ":blue-badge[:material/edit: writing]",
    State.CANCELLED: ":orange-badge[:material/stop_circle: stopped]",
    State.TIMEOUT: ":red-badge[:material/timer_off: out of time]",
    State.FAILED: ":red-badge[:material/error: failed]",
    State.INTERRUPTED: ":orange-badge[:material/power_off: interrupted]",
}

Retry = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class AnswerGroup:
    """Samples of one cell with the same answer."""

    cells: tuple[GridCell, ...]
    results: tuple[CellResult, ...]

    @property
    def first(self) -> CellResult:
        return self.results[0]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show, and not because the model wrote nothing."""
        content = answer(self.first) or images_of(self.first) or audio_of(self.first)
        return not content and self.first.state is not State.DONE


def distinct(samples: Sequence[tuple[GridCell, CellResult]]) -> list[AnswerGroup]:
    """Collapse samples with the same answer, or none yet; answers first, then the most frequent."""
    groups: dict[object, list[tuple[GridCell, CellResult]]] = {}
    for cell, result in samples:
        content = (answer(result), images_of(result), audio_of(result))
        alike = result.state is State.DONE or not (any(content) or result.error or result.note)
        groups.setdefault((result.state, content) if alike else cell.index, []).append((cell, result))
    collapsed = [AnswerGroup(*map(tuple, zip(*group, strict=True))) for group in groups.values()]
    return sorted(collapsed, key=lambda one: (one.empty, -len(one.cells), one.cells[0].sample))


def grid(
    experiment: Experiment,
    results: Mapping[int, CellResult],
    key: str,
    retry: Retry | None = None,
    rows: Sequence[int] | None = None,
) -> None:
    """Inputs down, variants (times models) across; on a narrow screen the cells of a row stand below each other.

    Args:
        rows: which inputs (from 0), in this order; None draws all.
    """
    over = all(results[cell.index].state.final for cell in grid_cells(experiment) if cell.index in results)
    by_row = sorted(grid_cells(experiment), key=lambda cell: cell.input)
    cells_of = {row: list(cells) for row, cells in groupby(by_row, key=lambda cell: cell.input)}
    for row in cells_of if rows is None else rows:
        cells = cells_of[row]
        columns: dict[tuple[str, int, int], list[GridCell]] = {}
        for cell in cells:
            columns.setdefault((cell.model, cell.variant, cell.setting), []).append(cell)
        _row_title(experiment, row)
        board = st.grid(min(len(columns), 4), min_column_width=250, key=f"{key}.row.{row}")
        for (model, variant, setting), column in columns.items():
            with board.container(border=True, height="stretch"):
                samples = [(cell, results.get(cell.index, CellResult(index=cell.index))) for cell in column]
                _samples(experiment, samples, f"{key}.{row}.{variant}.{model}.{setting}", retry, over)


def sample(experiment: Experiment, group: AnswerGroup, key: str, retry: Retry | None = None, over: bool = True) -> None:
    """One answer as far as it has come: its text, its checks, its facts, and a retry where it failed.

    Args:
        over: nothing of the run is on its way any more.
    """
    result, cell = group.first, group.cells[0]
    drawing = not result.state.final and bool(result.note or result.preview)
    if result.state is not State.DONE and not drawing:
        st.markdown(_STATE_BADGES[result.state])
    if result.error:
        st.error(escape(result.error, 400))
    if answer(result) or (result.state is State.DONE and not (images_of(result) or audio_of(result))):
        _reply(experiment, cell, result)
    if drawing:
        image_view.progress(result, f"{key}.{cell.index}")
    pictures(result, f"{key}.{cell.index}")
    if audio_of(result):
        st.audio(audio_of(result), format="audio/wav")
    for check in grade(experiment, cell, result) if result.state is State.DONE else ():
        colour, mark = ("green", "check") if check.passed else ("red", "close")
        st.caption(f":{colour}[:material/{mark}:] {escape(check.check, 60)}: {escape(check.reason, 160)}")
    _facts(experiment, group)
    notes(result)
    if images_of(result) and over:  # a page that draws itself again would close it
        _full_size(experiment, group, f"{key}.full")
    if retry and result.state.final and result.state is not State.DONE:
        st.button("Retry", icon=":material/refresh:", key=f"{key}.retry", on_click=retry, args=(cell.index,))


def pictures(result: CellResult, key: str) -> None:
    """The images of an answer."""
    for number, picture in enumerate(images_of(result)):
        image_view.picture(picture, f"{key}.{number}")


def notes(result: CellResult) -> None:
    """Where the answer does not follow the request, and which model answered where that was another."""
    output = result.output
    if output is None:
        return
    model = str(output.provenance.get("model_version") or "")
    other = model and model != output.provenance.get("source")
    for note in (*output.notes, *([f"answered by {model}"] if other else [])):
        st.caption(f":material/info: {escape(note, 200)}")


def state_badge(state: State) -> str:
    """A badge for a state that is not a plain success."""
    return _STATE_BADGES[state]


def text(body: str) -> None:
    """Untrusted text as it is, with a button that copies it."""
    st.code(body if body.strip() else "(empty answer)", language=None, wrap_lines=True)


def _samples(
    experiment: Experiment,
    samples: Sequence[tuple[GridCell, CellResult]],
    key: str,
    retry: Retry | None,
    over: bool,
) -> None:
    """One variant's answers to one input."""
    cell = samples[0][0]
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        name = f"{badge(cell.variant)} **{escape(experiment.variants[cell.variant].name, 40)}**"
        st.markdown(f"{name} · {escape(cell.model)}" if len(experiment.models) > 1 else name, width="content")
        st.markdown(_pass_badge(experiment, samples), width="content")
    groups = distinct(samples)
    sample(experiment, groups[_page(groups, key) - 1], key, retry, over)


def _full_size(experiment: Experiment, group: AnswerGroup, key: str) -> None:
    """The image at its full size, from its thumbnail in the grid."""
    output = group.first.output
    if st.button("Full size", icon=":material/open_in_full:", key=key, type="tertiary") and output is not None:
        image_view.full(experiment, group.cells[0], output)


def _reply(experiment: Experiment, cell: GridCell, result: CellResult) -> None:
    """The text of an answer; what continues code stands with its prompt, as code."""
    shown = reply(experiment, cell, result)
    if shown == answer(result):
        text(experiment.answer_prefix + shown)
    else:
        st.code(shown, language="python", line_numbers=True)


def _row_title(experiment: Experiment, row: int) -> None:
    values = experiment.inputs[row].values
    if len(experiment.variants) == 1 and experiment.variants[0].literal:
        values = {"prompt": experiment.variants[0].user}
    title = " · ".join(f"{escape(name, 30)}: **{escape(value, 90)}**" for name, value in values.items() if value)
    if title or len(experiment.inputs) > 1:
        st.markdown(f":gray[{row + 1}] {title}")


def _page(groups: Sequence[AnswerGroup], key: str) -> int:
    """Which of several different answers is looked at; kept when new ones arrive."""
    return st.pagination(len(groups), key=f"{key}.page", max_visible_pages=5) if len(groups) > 1 else 1


def _facts(experiment: Experiment, group: AnswerGroup) -> None:
    result, cell = group.first, group.cells[0]
    samples = effective_samples(experiment)
    which = f"sample {cell.sample + 1} of {samples}" if len(group.cells) == 1 else f"×{len(group.cells)} identical"
    parts = [which] if samples > 1 and (answer(result) or images_of(result) or audio_of(result)) else []
    if result.output is not None:
        parts += [
            usage.footer(result.output, unit(cell.model)),
            f"seed {seed_of(experiment, cell.sample, cell.variant)}",
        ]
        if result.output.finish == "length":
            parts.append("cut at the token limit")
    elif result.tokens:
        parts.append(f"{result.tokens} {unit(cell.model)}")
    if parts:
        st.caption(" · ".join(parts))


def _pass_badge(experiment: Experiment, samples: Sequence[tuple[GridCell, CellResult]]) -> str:
    done = [(cell, result) for cell, result in samples if result.state is State.DONE]
    row = experiment.inputs[samples[0][0].input]
    outcomes = [passes(experiment, row, grade(experiment, cell, result)) for cell, result in done]
    judged = [passed for passed in outcomes if passed is not None]
    if not judged:
        return f":gray-badge[{len(done)} of {len(samples)}]" if len(samples) > 1 else ""
    passed = sum(judged)
    colour = "green" if passed == len(judged) else "red" if passed == 0 else "orange"
    return f":{colour}-badge[{passed} of {len(judged)} pass]"
