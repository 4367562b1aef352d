"""Databases that cannot be written, and files that are moved away under a running server."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event

from core.errors import HistoryUnavailable
from core.history import History, database
from tests.history.conftest import ME, done, file_of, keep, made


def fill_disk(history: History) -> None:
    """Let the history's file grow no further, as on a full disk."""
    history._database._engine.dispose()

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(history._database._engine, "connect", limit)


def test_a_disk_that_is_full_refuses_writing_and_reading_goes_on(history: History) -> None:
    planned = keep(history)
    fill_disk(history)
    with pytest.raises(HistoryUnavailable, match="the disk is full"):
        history.begin(ME, made("next", title="x" * 200))
    assert history.read_only.startswith("The history at ")
    assert history.read_only.endswith(
        "the disk is full. Make room. Until then it can be read, and nothing new is kept."
    )
    assert history.open(ME, planned.id).row.done == 8
    history.star(ME, planned.id, True)
    assert history.read_only == "", "what can be written says so"


@pytest.fixture
def unwritable(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A SQLite that cannot open files for writing, with the message in the list; an empty list lets it."""
    messages = ["unable to open database file"]
    before = database._use_write_ahead_log

    def refuse(cursor: sqlite3.Cursor, busy_seconds: float) -> None:
        if messages:
            raise sqlite3.OperationalError(messages[0])
        before(cursor, busy_seconds)

    monkeypatch.setattr(database, "_use_write_ahead_log", refuse)
    return messages


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        ("unable to open database file", "cannot be opened"),
        ("database or disk is full", "the disk is full"),
        ("attempt to write a readonly database", "Allow writing to the file and its folder"),
        ("disk I/O error", "Check the disk"),
    ],
)
def test_what_cannot_be_opened_for_writing_is_opened_for_reading(
    url: str, unwritable: list[str], message: str, advice: str
) -> None:
    unwritable.clear()
    first = History(url)
    planned = keep(first)
    first.close()
    unwritable.append(message)
    history = History(url)
    assert advice in history.read_only
    assert history.read_only.endswith("Until then it can be read, and nothing new is kept.")
    assert history.search(ME, "sums")[0].done == 8
    assert len(history.open(ME, planned.id).results) == 8
    for write in (
        lambda: history.begin(ME, made("next")),
        lambda: history.star(ME, planned.id, True),
        lambda: history.delete(ME, [planned.id]),
        lambda: history.keep_draft(ME, "text", {}),
    ):
        with pytest.raises(HistoryUnavailable) as refused:
            write()
        assert str(refused.value) == history.read_only
    history.close()


def test_what_can_be_written_again_is_written(url: str, unwritable: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "REOPEN_SECONDS", 0.0)
    unwritable.clear()
    first = History(url)
    keep(first)
    first.close()
    unwritable.append("database or disk is full")
    history = History(url)
    with pytest.raises(HistoryUnavailable):
        history.begin(ME, made("next"))
    unwritable.clear()
    keep(history, planned=made("next"))
    assert history.read_only == ""
    assert history.count(ME) == 2
    history.close()


def test_a_log_with_answers_in_it_is_not_passed_over(url: str, unwritable: list[str]) -> None:
    """Where the log's index cannot be made, the file without its log would lack what was written last."""
    assert database._reading_options(database.make_url(url)) == []
    file_of(url).write_bytes(b"")
    assert database._reading_options(database.make_url(url)) == ["mode=ro", "mode=ro&immutable=1"]
    Path(f"{file_of(url)}-wal").write_bytes(b"something")
    assert database._reading_options(database.make_url(url)) == ["mode=ro"]


def test_a_file_that_is_not_there_and_cannot_be_made_is_refused(url: str, unwritable: list[str]) -> None:
    with pytest.raises(HistoryUnavailable, match="cannot be opened"):
        History(url)


def test_a_read_only_url_is_read(url: str) -> None:
    first = History(url)
    keep(first)
    first.close()
    history = History(f"sqlite:///file:{file_of(url)}?mode=ro&uri=true")
    assert history.search(ME)[0].done == 8
    with pytest.raises(HistoryUnavailable, match="cannot be written"):
        history.begin(ME, made("next"))
    assert "cannot be written" in history.read_only
    history.close()


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced"])
def test_a_file_that_is_taken_away_is_noticed(history: History, url: str, how: str) -> None:
    planned = keep(history)
    path, aside = file_of(url), file_of(url).with_name("aside.db")
    if how == "deleted":
        path.unlink()
    else:
        path.rename(aside)
    if how == "replaced":
        shutil.copy(aside, path)
    for act in (
        lambda: history.begin(ME, made("next")),
        lambda: history.finish(planned, planned.cells[0], done(planned.cells[0])),
        lambda: history.search(ME),
    ):
        with pytest.raises(HistoryUnavailable, match="was moved away, deleted or replaced while Diptych was running"):
            act()
    if how == "moved":
        aside.rename(path)
        history.begin(ME, made("next"))
        assert history.count(ME) == 2


def test_a_file_that_goes_away_in_the_middle_of_a_write_is_noticed(history: History, url: str) -> None:
    with pytest.raises(HistoryUnavailable, match="was moved away"), history._write():
        file_of(url).unlink()
