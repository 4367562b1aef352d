"""Histories and receipts that were written before are read after every change of their format."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from core.exchange import experiment_from
from core.experiment import plan
from core.experiment.serialize import from_dict
from core.history import History
from core.types import Check, Experiment, State

FILES = Path(__file__).resolve().parents[1] / "files"


def check_experiment(experiment: Experiment) -> None:
    """What the run in both files was asked."""
    assert [row.id for row in experiment.inputs] == ["row-1", "row-2"]
    assert experiment.inputs[0].checks == Check.of("contains:23", "max-words:3")
    assert [(message.role, message.text) for message in experiment.earlier] == [("user", "Hi"), ("assistant", "Hello")]
    assert experiment.parameters == {"temperature": 0.5, "max_new_tokens": 8, "stop": ("\n",)}
    assert len(plan(experiment)) == 8


def test_a_history_of_format_2_opens_whole(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    raw = sqlite3.connect(path)
    raw.executescript((FILES / "history_format_2.sql").read_text("utf-8"))
    raw.close()
    history = History(f"sqlite:///{path}")
    saved = history.open("me", "old-run")
    check_experiment(saved.experiment)
    assert [result.state for result in saved.results] == [State.DONE] * 7 + [State.INTERRUPTED]
    first = saved.results[0].output
    assert first is not None
    assert (first.text, first.provenance["rendered_prompt"], first.tokens[0].logprob) == ("23", "p", -0.25)
    assert (saved.row.passed, saved.row.judged) == (2, 4)
    assert (saved.provenances[0]["variant"], saved.provenances[0]["seed"]) == ("A", 7)
    draft = history.draft("me", "playground")
    assert draft is not None
    check_experiment(from_dict(draft))
    history.close()


def test_a_history_of_format_4_knows_that_what_has_ended_was_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    raw = sqlite3.connect(path)
    raw.executescript((FILES / "history_format_4.sql").read_text("utf-8"))
    raw.close()
    history = History(f"sqlite:///{path}")
    saved = {name: history.open("me", name) for name in ("old-run", "stopped-run", "killed-run")}
    assert {name: (run.row.state, run.row.looks) for name, run in saved.items()} == {
        "old-run": (State.DONE, (4,)),
        "stopped-run": (State.CANCELLED, (2,)),
        "killed-run": (State.INTERRUPTED, ()),
    }
    run, results = history.planned("me", "killed-run")
    history.begin("me", run)
    assert history.looks("me", "killed-run") == (2,), "what was interrupted was shown before it goes on"
    assert [results[cell.index].state for cell in run.cells] == [State.DONE] * 4 + [State.INTERRUPTED] * 4
    history.close()


def test_a_receipt_of_format_1_is_read() -> None:
    check_experiment(experiment_from((FILES / "receipt_format_1.json").read_text("utf-8")))


def test_a_history_of_format_3_is_found_and_counted_as_a_new_one(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    raw = sqlite3.connect(path)
    raw.executescript((FILES / "history_format_3.sql").read_text("utf-8"))
    raw.close()
    history = History(f"sqlite:///{path}")
    for query in ("привет", "WELT", "ÄPFEL", "über", "masse", "ὀδυσσεύς".upper(), "ΟΔΥΣΣΕΎΣ", "éclair", "σίσυφος"):
        expected = 0 if query == "ὈΔΥΣΣΕΎΣ" else 1
        assert history.count("me", query) == expected, query
    assert history.count("me", "ascii answer") == 1
    saved = history.open("me", "old-run")
    assert [result.state for result in saved.results] == [State.DONE] * 3 + [State.INTERRUPTED]
    assert (saved.row.passed, saved.row.judged, saved.row.state) == (1, 2, State.INTERRUPTED)
    assert history.ungraded(10) == (), "what was kept before was graded before it was written"
    before = history.stored_bytes("me")
    run, results = history.planned("me", "old-run")
    assert [results[cell.index].state.final for cell in run.cells] == [True] * 4
    for index in range(3):
        history.finish(run, run.cells[index], saved.results[index])
    assert abs(history.stored_bytes("me") - before) < 600, "measured as what is written now"
    history.close()
