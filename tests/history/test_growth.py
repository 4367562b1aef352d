"""A kept run that grows: its cells under their new index, the new ones beside them, and the looks at it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.errors import InvalidInput, NotFound
from core.history import History
from core.types import CellResult, Check, Experiment, Input, Run, State
from tests.history.conftest import ME, YOU, done, grade_all, keep, made
from tests.support.fakes import png

LIMITS = {"max_cells": 600, "max_prompt_chars": 8000}


def more(run: Run, inputs: int = 1, samples: int = 0) -> Experiment:
    rows = tuple(Input(values={"sum": f"{n}+9"}, checks=Check.of("contains:23")) for n in range(inputs))
    return replace(run.experiment, inputs=(*run.experiment.inputs, *rows), samples=run.experiment.samples + samples)


def grow(history: History, run: Run, text: str = "23", **added: int) -> Run:
    again, results = history.grown(ME, run.id, more(run, **added), **LIMITS)
    history.begin(ME, again)
    for cell in again.cells:
        if cell.index not in results:
            history.finish(again, cell, done(cell, text))
    history.end(run.id, State.DONE)
    grade_all(history)
    return again


def test_a_grown_run_keeps_its_answers_under_their_new_index(history: History) -> None:
    run = made(models=("tiny-text", "gpt2"))
    history.begin(ME, run)
    for cell in run.cells:
        history.finish(run, cell, done(cell, f"old {cell.model} {cell.variant} {cell.input} {cell.sample} 23"))
    history.end(run.id, State.DONE)
    grade_all(history)
    again = grow(history, run, "new", samples=1)
    saved = history.open(ME, run.id)
    assert len(saved.results) == len(again.cells) == 36
    assert [result.index for result in saved.results] == list(range(36))
    for cell in again.cells:
        old = cell.input < 2 and cell.sample < 2
        place = f"old {cell.model} {cell.variant} {cell.input} {cell.sample} 23"
        assert saved.results[cell.index].text == (place if old else "new")
        assert saved.provenances[cell.index]["input"] == cell.input
    assert (saved.row.inputs, saved.row.samples, saved.row.cells, saved.row.done) == (3, 3, 36, 36)
    assert (saved.row.passed, saved.row.judged) == (8, 24), "old grades stay with their cells"
    assert saved.experiment == again.experiment
    assert history.search(ME, "0+9")[0].id == run.id, "the new inputs are found"
    assert history.planned(ME, run.id)[0].cells == again.cells


def test_each_end_with_more_answers_is_a_look(history: History) -> None:
    run = keep(history)
    assert history.looks(ME, run.id) == (4,)
    again = grow(history, run)
    assert history.looks(ME, run.id) == (4, 6)
    history.begin(ME, again)
    history.end(run.id, State.DONE)
    assert history.looks(ME, run.id) == (4, 6), "nothing new was seen"
    grow(history, again, samples=2)
    assert history.open(ME, run.id).row.looks == (4, 6, 16)
    assert history.looks(YOU, run.id) == ()


def test_a_stopped_run_was_looked_at_before_it_goes_on(history: History) -> None:
    run = made()
    history.begin(ME, run)
    for cell in run.cells[:6]:
        history.finish(run, cell, done(cell))
    for cell in run.cells[6:]:
        history.finish(run, cell, CellResult(index=cell.index, state=State.CANCELLED))
    history.end(run.id, State.CANCELLED)
    again, results = history.grown(ME, run.id, more(run), **LIMITS)
    assert sum(result.state is State.DONE for result in results.values()) == 6
    history.begin(ME, again)
    assert history.looks(ME, run.id) == (3,)


def test_files_go_with_their_cells_and_bytes_are_counted(history: History) -> None:
    run = made()
    history.begin(ME, run)
    for cell in run.cells:
        shade = f"#0000{cell.index:02x}"
        history.finish(run, cell, done(cell, images=(png(colour=shade),)))
    history.end(run.id, State.DONE)
    images = {identity[1:]: result.output.images for identity, result in _saved(history, run)}  # type: ignore[union-attr]
    again = grow(history, run)
    later = {identity[1:]: result.output.images for identity, result in _saved(history, run)}  # type: ignore[union-attr]
    assert {place: later[place] for place in images} == images
    assert len(set(images.values())) == 8
    grown = history.stored_bytes(ME)
    keep(history, planned=made("r2", inputs=again.experiment.inputs))
    fresh = history.stored_bytes(ME) - grown
    assert grown - fresh == sum(len(image) for drawn in images.values() for image in drawn)


def _saved(history: History, run: Run) -> list[tuple[tuple[object, ...], CellResult]]:
    saved = history.open(ME, run.id)
    return list(zip(saved.identities, saved.results, strict=True))


def test_a_grade_that_comes_late_finds_its_cell(history: History) -> None:
    """A cell is still being graded when its run grows: its index is another's by then."""
    run = made()
    history.begin(ME, run)
    for cell in run.cells:
        history.finish(run, cell, done(cell))
    history.end(run.id, State.DONE)
    late = history.ungraded(100)[3]
    assert (late.cell.index, late.cell.input, late.cell.sample, late.cell.variant) == (5, 0, 1, 1)
    again, _ = history.grown(ME, run.id, more(run), **LIMITS)
    history.begin(ME, again)
    history.graded(run.id, late.cell, True)
    left = {(one.cell.input, one.cell.sample, one.cell.variant) for one in history.ungraded(100)}
    assert left == {(0, 0, 0), (0, 0, 1), (0, 1, 0)}


def test_a_title_follows_unless_a_person_gave_it(history: History) -> None:
    run = made(title="")
    keep(history, planned=run)
    assert "2 inputs" in run.title
    assert "3 inputs" in grow(history, run).title
    assert "3 inputs" in history.open(ME, run.id).row.title
    history.rename(ME, run.id, "Mine")
    grown = history.grown(ME, run.id, more(run, inputs=2), **LIMITS)[0]
    assert grown.title == "Mine"


def test_what_cannot_grow_is_refused(history: History) -> None:
    run = keep(history)
    with pytest.raises(InvalidInput, match="Only inputs behind the others, and samples"):
        history.grown(ME, run.id, replace(more(run), seed=9), **LIMITS)
    with pytest.raises(InvalidInput, match="at most 9 are allowed"):
        history.grown(ME, run.id, more(run), **(LIMITS | {"max_cells": 9}))
    with pytest.raises(NotFound):
        history.grown(YOU, run.id, more(run), **LIMITS)
    grow(history, run)
    with pytest.raises(InvalidInput, match="has changed meanwhile"):
        history.begin(ME, run)
    assert history.open(ME, run.id).row.cells == 12, "nothing was lost"
