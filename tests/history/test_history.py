"""The history: what is kept, who sees it, and what happens to old, foreign, broken and busy files."""

from __future__ import annotations

import json
import math
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from core.errors import HistoryUnavailable, InvalidInput, NotFound
from core.experiment import Input, Variant, plan, to_dict
from core.history import History, database, queries, schema
from core.history.schema import VERSION
from core.types import CellResult, Check, State, Token
from tests.history.conftest import ME, YOU, Clock, done, file_of, grade_all, keep, kill, made

MISSING = "There is no such run in this history. It may have been deleted."


# What is kept.


def test_a_run_comes_back_whole(history: History) -> None:
    planned = keep(history)
    saved = history.open(ME, "r1")
    assert plan(saved.experiment) == planned.cells
    assert [result.index for result in saved.results] == list(range(8))
    first = saved.results[0].output
    assert first is not None
    assert (saved.results[0].text, first.text, first.finish, first.prompt_tokens) == ("23", "23", "stop", 6)
    assert (first.output_tokens, first.seconds, first.first_token_seconds) == (4, 0.5, 0.1)
    assert first.tokens == (Token("2", -0.25), Token("", -1.0), Token("3", -math.inf))
    row = saved.row
    assert (row.title, row.page, row.state, row.starred) == ("Sums", "playground", State.DONE, False)
    assert (row.variants, row.models, row.inputs, row.samples) == (2, ("tiny-text",), 2, 2)
    assert (row.cells, row.done, row.passed, row.judged, row.tokens) == (8, 8, 4, 4, 32)
    assert row.seconds == pytest.approx(8 * 0.5 / 4)
    assert row.created == datetime.fromtimestamp(1_800_000_002, UTC)


def test_a_count_that_no_server_gave_stays_unknown(history: History) -> None:
    planned = made(samples=1)
    history.begin(ME, planned)
    history.finish(planned, planned.cells[0], done(planned.cells[0], prompt_tokens=None))
    output = history.open(ME, "r1").results[0].output
    assert output is not None
    assert output.prompt_tokens is None


def test_a_recipe_is_all_that_a_replay_needs(history: History) -> None:
    keep(history)
    assert history.open(ME, "r1").provenances[0] == {
        "variant": "A",
        "template": {"system": "Add.", "user": "What is {{sum}}?"},
        "model": "tiny-text",
        "input": 0,
        "sample": 0,
        "messages": [{"role": "system", "text": "Add."}, {"role": "user", "text": "What is 20+3?"}],
        "chat": True,
        "parameters": {"temperature": 0.7, "stop": ["END"]},
        "seed": 5,
        "rendered_prompt": "What?",
        "source": "tiny-text",
        "revision": "main",
        "batch_size": 4,
        "device": "cpu",
        "seconds": 0.5,
    }


def test_a_cell_is_there_as_soon_as_it_is_finished(history: History, url: str) -> None:
    planned = made()
    history.begin(ME, planned)
    assert history.search(ME)[0].state is State.RUNNING
    history.finish(planned, planned.cells[3], done(planned.cells[3]))
    other = sqlite3.connect(url.removeprefix("sqlite:///"))
    assert other.execute('SELECT state, text FROM cells WHERE "index" = 3').fetchall() == [("done", "23")]
    other.close()


def test_finishing_twice_is_finishing_once_and_the_last_word_counts(history: History) -> None:
    planned = made()
    history.begin(ME, planned)
    cell = planned.cells[0]
    history.finish(
        planned, cell, CellResult(index=0, state=State.FAILED, error="The model went away.", error_kind="WorkerDied")
    )
    assert history.open(ME, "r1").results[0].error == "The model went away."
    for _ in range(2):
        history.finish(planned, cell, done(cell))
    assert history.search(ME)[0].done == 1
    assert history.open(ME, "r1").results[0].error == ""


def test_a_retry_after_the_end_is_judged_too(history: History) -> None:
    planned = keep(history, text="22")
    assert history.search(ME)[0].passed == 0
    history.finish(planned, planned.cells[0], done(planned.cells[0]))
    assert (history.search(ME)[0].passed, history.search(ME)[0].judged) == (0, 3), "written first, graded later"
    grade_all(history)
    assert (history.search(ME)[0].passed, history.search(ME)[0].judged) == (1, 4)


def test_a_stopped_cell_keeps_its_text_and_is_not_judged(history: History) -> None:
    planned = made()
    history.begin(ME, planned)
    stopped = replace(done(planned.cells[0], "2", finish="cancelled"), state=State.CANCELLED)
    history.finish(planned, planned.cells[0], stopped)
    history.finish(planned, planned.cells[1], CellResult(index=1, state=State.TIMEOUT, text="so far", tokens=2))
    history.end("r1", State.CANCELLED)
    saved = history.open(ME, "r1")
    assert [result.state for result in saved.results[:3]] == [State.CANCELLED, State.TIMEOUT, State.CANCELLED]
    assert saved.results[1].text == "so far"
    assert saved.results[1].output is None
    assert (saved.row.state, saved.row.judged, saved.row.done) == (State.CANCELLED, 0, 0)


def test_a_run_whose_experiment_cannot_be_read_is_listed_but_not_opened(url: str) -> None:
    with closing(History(url)) as history:
        keep(history)
    with sqlite3.connect(file_of(url)) as raw:
        raw.execute("UPDATE runs SET experiment = '{}'")
    with closing(History(url)) as history:
        assert history.search(ME)[0].done == 8
        with pytest.raises(InvalidInput, match="lacks page"):
            history.open(ME, "r1")


def test_a_run_without_cells(history: History) -> None:
    history.begin(ME, replace(made(), cells=()))
    history.end("r1", State.DONE)
    assert history.search(ME)[0].cells == 0


def test_odd_numbers_do_not_break_the_record(history: History) -> None:
    planned = made()
    history.begin(ME, planned)
    odd = done(
        planned.cells[0], seconds=math.nan, provenance={"batch_size": 0, "x": math.inf, "y": {1, 2}, "z": object}
    )
    history.finish(planned, planned.cells[0], odd)
    saved = history.open(ME, "r1")
    assert saved.row.seconds == 0
    assert saved.provenances[0]["x"] is None
    assert sorted(saved.provenances[0]["y"]) == [1, 2]  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "hostile",
    [
        "'; DROP TABLE runs; --",
        "\x00\x1b[2J\x1b]52;c;x\x07",
        "\ud800 half",
        "\u202e\u2028\u200d",
        "<script>alert(1)</script>",
        "%_\\/",
        "{{ x }}",
        "😀" * 1_000,
    ],
)
def test_any_text_is_kept_and_found(history: History, hostile: str) -> None:
    planned = made(variants=(Variant(name="A", user="ask {{sum}}"),), title="T")
    experiment = replace(planned.experiment, title=hostile[:150])
    planned = replace(planned, title=hostile, page=hostile, experiment=experiment)
    keep(history, hostile, planned, text=hostile)
    row = history.search(hostile, page=hostile[:40])[0]
    assert not any(character < " " for character in row.title)
    assert len(row.title) <= 200
    assert history.count(hostile, hostile[:150]) == 1
    assert history.open(hostile, row.id).results[0].text == "".join(
        character for character in hostile.replace("\ud800", "?") if character >= " "
    )


# Who sees it.


def test_another_owners_run_looks_like_none(history: History) -> None:
    keep(history)
    assert history.search(YOU) == ()
    assert history.count(YOU) == 0
    for run_id in ("r1", "never", "' OR 1=1 --", "\ud800"):
        for act in (
            lambda found: history.open(YOU, found),
            lambda found: history.rename(YOU, found, "Mine"),
            lambda found: history.star(YOU, found, True),
            lambda found: history.delete(YOU, [found]),
            lambda found: history.undelete(YOU, [found]),
        ):
            with pytest.raises(NotFound) as caught:
                act(run_id)
            assert str(caught.value) == MISSING
    with pytest.raises(NotFound):
        history.begin(YOU, made())
    assert history.open(ME, "r1").row.title == "Sums"


def test_a_run_that_was_never_begun(history: History) -> None:
    with pytest.raises(NotFound):
        history.finish(replace(made(), id="never"), made().cells[0], done(made().cells[0]))
    with pytest.raises(NotFound):
        history.end("never", State.DONE)


# Finding.


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", ["c", "b", "a"]),
        ("  ", ["c", "b", "a"]),
        ("SUMS", ["a"]),
        ("pirate", ["b"]),
        ("answer", ["c"]),
        ("green eggs", ["b"]),
        ("%", ["c"]),
        ("_", ["c"]),
        ("100%_s", ["c"]),
        ("/", []),
        ("\\", []),
        ("nowhere", []),
    ],
)
def test_search_reads_titles_prompts_and_answers(history: History, text: str, ids: list[str]) -> None:
    keep(history, planned=made("a"))
    shouting = (Variant(name="A", user="Eat {{food}}", system="You are a PIRATE."),)
    keep(history, planned=made("b", variants=shouting, inputs=(Input(values={"food": "green eggs"}),), title="Food"))
    keep(history, planned=made("c", title="Third"), text="The answer is 100%_sure")
    keep(history, YOU, made("d"), text="The answer")
    assert [row.id for row in history.search(ME, text)] == ids
    assert history.count(ME, text) == len(ids)


def test_search_filters_and_pages(history: History) -> None:
    for number in range(7):
        keep(history, planned=made(f"r{number}", page="text" if number % 2 else "playground", samples=1))
    history.star(ME, "r2", True)
    history.star(ME, "r5", True)
    history.star(ME, "r5", False)
    assert [row.id for row in history.search(ME, page="text")] == ["r5", "r3", "r1"]
    assert [row.id for row in history.search(ME, starred=True)] == ["r2"]
    assert history.search(ME, starred=True)[0].starred
    assert [row.id for row in history.search(ME, offset=2, limit=2)] == ["r4", "r3"]
    assert len(history.search(ME, limit=0)) == 1
    assert len(history.search(ME, offset=-3, limit=10**9)) == 7
    assert history.count(ME, page="text", starred=True) == 0


def test_a_long_search_is_refused(history: History) -> None:
    with pytest.raises(InvalidInput, match="at most 200"):
        history.search(ME, "x" * 201)


# Changing.


def test_rename(history: History) -> None:
    keep(history)
    history.rename(ME, "r1", "  Better\x00 " + "x" * 190)
    assert history.search(ME)[0].title == "Better " + "x" * 190
    for title in ("", " \n", "\x00", "x" * 201):
        with pytest.raises(InvalidInput, match="1 to 200"):
            history.rename(ME, "r1", title)


def test_delete_hides_and_undelete_brings_back(history: History) -> None:
    for name in ("a", "b", "c"):
        keep(history, planned=made(name))
    history.delete(ME, ["a", "b", "a"])
    history.delete(ME, ["a"])
    history.delete(ME, [])
    assert [row.id for row in history.search(ME)] == ["c"]
    assert history.count(ME, "23") == 1
    for act in (history.open, lambda owner, run_id: history.rename(owner, run_id, "T")):
        with pytest.raises(NotFound):
            act(ME, "a")
    history.undelete(ME, ["a", "b"])
    assert history.open(ME, "a").row.done == 8


def test_a_delete_with_a_foreign_id_deletes_nothing(history: History) -> None:
    keep(history, planned=made("mine"))
    keep(history, YOU, made("yours"))
    with pytest.raises(NotFound):
        history.delete(ME, ["mine", "yours"])
    assert (history.count(ME), history.count(YOU)) == (1, 1)


def test_a_day_after_it_was_deleted_a_run_is_gone(history: History, url: str, clock: Clock) -> None:
    keep(history, planned=made("old"))
    keep(history, planned=made("new"))
    keep(history, planned=made("kept"))
    history.delete(ME, ["old"])
    clock.now += 80_000
    history.delete(ME, ["new"])
    clock.now += 10_000
    history.close()
    reopened = History(url, clock=clock)
    reopened.undelete(ME, ["new"])
    with pytest.raises(NotFound):
        reopened.undelete(ME, ["old"])
    assert [row.id for row in reopened.search(ME)] == ["kept", "new"]
    reopened.close()
    raw = sqlite3.connect(url.removeprefix("sqlite:///"))
    assert raw.execute("SELECT DISTINCT run_id FROM cells ORDER BY 1").fetchall() == [("kept",), ("new",)]
    raw.close()


# Drafts.


def test_an_owner_who_turns_out_to_be_another_brings_runs_and_newer_drafts_along(
    history: History, clock: Clock
) -> None:
    keep(history, YOU, made("yours"))
    keep(history, ME, made("mine"))
    for owner, page in ((ME, "text"), (YOU, "text"), (YOU, "image"), (ME, "image"), (YOU, "audio")):
        clock.now += 1
        history.keep_draft(owner, page, {"title": f"{owner} {page}"})
    history.change_owner(YOU, ME)
    assert {row.id for row in history.search(ME)} == {"mine", "yours"}
    assert not history.search(YOU)
    assert [history.draft(ME, page) for page in ("text", "image", "audio")] == [
        {"title": f"{YOU} text"},
        {"title": f"{ME} image"},
        {"title": f"{YOU} audio"},
    ]
    assert history.draft(YOU, "text") is None


def test_a_draft_is_kept_per_owner_and_page_and_the_last_one_counts(history: History) -> None:
    assert history.draft(ME, "text") is None
    for title in ("first", "second\ud800"):
        history.keep_draft(ME, "text", {"title": title, "seed": 1})
    history.keep_draft(YOU, "text", {"title": "yours"})
    assert history.draft(ME, "text") == {"title": "second?", "seed": 1}
    assert history.draft(ME, "playground") is None
    with pytest.raises(InvalidInput, match="over 1000000 characters"):
        history.keep_draft(ME, "text", {"title": "x" * 1_000_001})
    assert history.count(ME) == 0


# Speeds.


def test_speed_is_the_median_of_runs_and_a_batch_counts_once(history: History) -> None:
    assert history.speeds() == {}
    for number, seconds in enumerate((1.0, 2.0, 40.0)):
        planned = made(f"r{number}", models=("tiny-text", "gpt2"), samples=1)
        history.begin(ME if number else YOU, planned)
        for cell in planned.cells:
            if cell.model == "tiny-text":
                recipe = {"batch_size": 4}
                history.finish(planned, cell, done(cell, output_tokens=10, seconds=seconds, provenance=recipe))
            else:
                history.finish(planned, cell, CellResult(index=cell.index, state=State.FAILED, error="no"))
    assert history.speeds() == {"tiny-text": pytest.approx(20.0)}


def test_a_step_of_a_larger_image_counts_for_more(history: History) -> None:
    """One step a second at 512 x 512, and one in two and a quarter at 768 x 768, are the same speed."""
    for name, size, seconds in (("small", "512x512", 1.0), ("large", "768x768", 2.25)):
        planned = made(name, models=("stable-diffusion-v1-5",), samples=1)
        history.begin(ME, planned)
        for cell in planned.cells:
            told = done(cell, output_tokens=10, seconds=10 * seconds, provenance={"batch_size": 1, "size": size})
            history.finish(planned, cell, told)
        assert history.speeds() == {"stable-diffusion-v1-5": pytest.approx(1.0)}


# Restarts, threads, other databases.


def test_a_killed_server_loses_no_finished_cell(url: str, clock: Clock) -> None:
    first = History(url, clock=clock)
    planned = made()
    first.begin(ME, planned)
    first.finish(planned, planned.cells[0], done(planned.cells[0]))
    kill(first)
    second = History(url, clock=clock)
    saved = second.open(ME, "r1")
    assert saved.row.state is State.INTERRUPTED
    assert [result.state for result in saved.results] == [State.DONE] + [State.INTERRUPTED] * 7
    second.begin(ME, planned)
    assert second.open(ME, "r1").results[0].state is State.DONE
    second.finish(planned, planned.cells[1], done(planned.cells[1]))
    second.end("r1", State.DONE)
    assert (second.search(ME)[0].state, second.search(ME)[0].done) == (State.DONE, 2)
    second.close()


@pytest.mark.parametrize("place", ["file", "memory"])
def test_twelve_threads_write_and_read(tmp_path: Path, place: str) -> None:
    history = History("sqlite://" if place == "memory" else f"sqlite:///{tmp_path / 'h.db'}")
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            planned = made(
                f"r{number}", samples=15, inputs=(Input(values={"sum": "1"}, checks=Check.of("contains:2")),)
            )
            history.begin(f"owner{number % 3}", planned)
            for cell in planned.cells:
                history.finish(planned, cell, done(cell))
                history.search(f"owner{number % 3}", "23", limit=2)
            history.end(planned.id, State.DONE)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    rows = [row for number in range(3) for row in history.search(f"owner{number}")]
    assert [(row.cells, row.done, row.state) for row in rows] == [(30, 30, State.DONE)] * 12
    history.close()


def test_ten_thousand_runs_are_searched_quickly(history: History, url: str) -> None:
    keep(history)
    raw = sqlite3.connect(url.removeprefix("sqlite:///"))
    columns = "owner, page, title, created, state, starred, experiment, prompts, variants, models, inputs, samples"
    columns += ", folded_title"
    raw.execute(
        f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
        f"INSERT INTO runs (id, {columns}) SELECT 'x' || i, owner, page, 'Copy ' || i, i, state, 0, experiment, "
        f"prompts, variants, models, inputs, samples, 'copy ' || i FROM runs, n WHERE id = 'r1'"
    )
    raw.commit()
    raw.close()
    began = time.perf_counter()
    assert history.count(ME) == 10_001
    assert [row.title for row in history.search(ME, "copy 9999")] == ["Copy 9999"]
    assert len(history.search(ME, offset=9_990)) == 11
    history.speeds()
    assert time.perf_counter() - began < 5


def test_what_runs_on_postgresql_compiles_for_it() -> None:
    dialect = postgresql.dialect()
    for table in schema.METADATA.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
    conditions = queries.chosen(ME, "50%", "text", True)
    assert "ILIKE" in " ".join(str(condition.compile(dialect=dialect)) for condition in conditions)


# Old, foreign, broken and busy files.

VERSION_1 = """
CREATE TABLE diptych_schema (version INTEGER NOT NULL);
INSERT INTO diptych_schema VALUES (1);
CREATE TABLE runs (
    id VARCHAR(64) NOT NULL PRIMARY KEY, owner VARCHAR(200) NOT NULL, page VARCHAR(40) NOT NULL,
    title VARCHAR(200) NOT NULL, created FLOAT NOT NULL, state VARCHAR(20) NOT NULL,
    starred BOOLEAN DEFAULT false NOT NULL, experiment TEXT NOT NULL, prompts TEXT NOT NULL,
    variants INTEGER NOT NULL, models TEXT NOT NULL, inputs INTEGER NOT NULL, samples INTEGER NOT NULL);
CREATE INDEX runs_by_owner ON runs (owner, created);
CREATE TABLE cells (
    run_id VARCHAR(64) NOT NULL REFERENCES runs (id) ON DELETE CASCADE, "index" INTEGER NOT NULL,
    variant INTEGER NOT NULL, model VARCHAR(200) NOT NULL, input INTEGER NOT NULL, sample INTEGER NOT NULL,
    seed BIGINT NOT NULL, state VARCHAR(20) NOT NULL, text TEXT DEFAULT '' NOT NULL, error TEXT DEFAULT '' NOT NULL,
    finish VARCHAR(20), prompt_tokens INTEGER, tokens INTEGER DEFAULT 0 NOT NULL, seconds FLOAT,
    first_token_seconds FLOAT, passed BOOLEAN, recipe TEXT DEFAULT '{}' NOT NULL, logprobs TEXT,
    PRIMARY KEY (run_id, "index"));
"""


def test_a_version_1_file_is_brought_up_to_date(url: str) -> None:
    raw = sqlite3.connect(file_of(url))
    raw.executescript(VERSION_1)
    recipe = to_dict(made().experiment)
    raw.execute(
        "INSERT INTO runs VALUES ('old', ?, 'playground', 'Old', 1.0, 'running', 1, ?, 'sum', 2, ?, 2, 2)",
        (ME, json.dumps(recipe), '["tiny-text"]'),
    )
    cell = (
        "INSERT INTO cells (run_id, 'index', variant, model, input, sample, seed, state, text, finish, tokens, seconds)"
    )
    raw.execute(f"{cell} VALUES ('old', 0, 0, 'tiny-text', 0, 0, 5, 'done', '23', 'stop', 8, 2.0)")
    raw.execute(f"{cell} VALUES ('old', 1, 1, 'tiny-text', 0, 0, 5, 'running', 'so', NULL, 1, NULL)")
    raw.commit()
    raw.close()
    history = History(url)
    saved = history.open(ME, "old")
    assert [result.state for result in saved.results] == [State.DONE, State.INTERRUPTED]
    assert (saved.row.starred, saved.row.tokens, saved.row.seconds) == (True, 9, 2.0)
    history.delete(ME, ["old"])
    keep(history, planned=made("new"))
    history.close()
    raw = sqlite3.connect(file_of(url))
    assert raw.execute("SELECT version FROM diptych_schema").fetchall() == [(VERSION,)]
    fresh = sqlite3.connect(file_of(url.replace("history.db", "fresh.db")))
    History(url.replace("history.db", "fresh.db")).close()
    for table in ("runs", "cells", "artifacts", "drafts", "diptych_schema"):
        names = [{row[1] for row in file.execute(f"PRAGMA table_info({table})")} for file in (raw, fresh)]
        assert names[0] == names[1], table
        indexes = [{row[1] for row in file.execute(f"PRAGMA index_list({table})")} for file in (raw, fresh)]
        assert indexes[0] == indexes[1], table
    raw.close()
    fresh.close()


def test_opening_twice_changes_nothing(url: str) -> None:
    for _ in range(3):
        History(url).close()
    raw = sqlite3.connect(file_of(url))
    assert raw.execute("SELECT version FROM diptych_schema").fetchall() == [(VERSION,)]
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    raw.close()


def test_many_threads_may_open_a_new_file_at_once(url: str) -> None:
    opened: list[History] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            opened.append(History(url))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for history in opened:
        history.close()
    assert failures == []


def test_a_refused_change_to_a_log_is_tried_again_until_the_time_is_up() -> None:
    """Of many that open a new file at once, SQLite refuses some this change without any waiting."""

    class Refusing:
        def __init__(self, times: int) -> None:
            self.left = times

        def execute(self, statement: str) -> None:
            assert statement == "PRAGMA journal_mode = WAL"
            self.left -= 1
            if self.left >= 0:
                raise sqlite3.OperationalError("database is locked")

    soon = Refusing(3)
    database._use_write_ahead_log(cast(sqlite3.Cursor, soon), 5.0)
    assert soon.left == -1
    with pytest.raises(sqlite3.OperationalError):
        database._use_write_ahead_log(cast(sqlite3.Cursor, Refusing(10**9)), 0.05)


def prepared(url: str, script: str) -> None:
    raw = sqlite3.connect(file_of(url))
    raw.executescript(script)
    raw.close()


def refused(url: str, told: str, **options: Any) -> None:
    with pytest.raises(HistoryUnavailable) as caught:
        History(url, **options)
    assert told in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_newer_file_is_refused(url: str) -> None:
    prepared(url, "CREATE TABLE diptych_schema (version INTEGER NOT NULL); INSERT INTO diptych_schema VALUES (99)")
    refused(url, f"newer Diptych (format 99; this one knows {VERSION})")


def test_another_programs_file_is_refused(url: str) -> None:
    prepared(url, "CREATE TABLE runs (id TEXT)")
    refused(url, "belongs to another program")


@pytest.mark.parametrize("version", ["-3", "0", "'two'"])
def test_a_senseless_version_is_refused(url: str, version: str) -> None:
    prepared(url, f"CREATE TABLE diptych_schema (version); INSERT INTO diptych_schema VALUES ({version})")
    refused(url, "belongs to another program")


def test_a_file_that_is_no_database(url: str) -> None:
    file_of(url).write_bytes(b"This is not a database at all. " * 100)
    refused(url, f"The history at {file_of(url)} is damaged or not a SQLite file. Move it away")


def test_a_damaged_database(url: str) -> None:
    history = History(url)
    keep(history)
    history.close()
    path = file_of(url)
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 40_000)
    refused(url, "is damaged")


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    refused(f"sqlite:///{tmp_path}", "cannot be opened")
    (tmp_path / "file").write_text("")
    refused(f"sqlite:///{tmp_path / 'file' / 'history.db'}", "its folder cannot be made")


def test_a_locked_database_at_the_start_and_later(url: str) -> None:
    history = History(url, busy_seconds=0.1)
    planned = keep(history)
    other = sqlite3.connect(file_of(url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    second = History(url, busy_seconds=0.1)
    assert second.search(ME)[0].done == 8
    second.close()
    with pytest.raises(HistoryUnavailable, match="in use by another program"):
        history.finish(planned, planned.cells[0], done(planned.cells[0]))
    assert history.search(ME)[0].done == 8
    other.execute("ROLLBACK")
    other.close()
    history.finish(planned, planned.cells[0], done(planned.cells[0]))
    history.close()


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("", "not a database URL"),
        ("history.db", "not a database URL"),
        ("nosuch://host/db", "cannot be used"),
        ("postgresql+nosuchdriver://user:hunter2@host/db", ""),
        ("postgresql+psycopg2://user:hunter2@host/db", ""),
    ],
)
def test_a_url_that_leads_nowhere_shows_no_password(url: str, told: str) -> None:
    with pytest.raises(HistoryUnavailable) as caught:
        History(url)
    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_database_that_disappears_is_a_sentence(url: str) -> None:
    history = History(url)
    keep(history)
    raw = sqlite3.connect(file_of(url))
    raw.execute("DROP TABLE cells")
    raw.commit()
    raw.close()
    with pytest.raises(HistoryUnavailable, match="does not answer"):
        history.search(ME)
    history.close()
