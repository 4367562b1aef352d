"""What the process owns outlives every visitor's message, and ends with the process."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
import streamlit as st
from streamlit.proto.BackMsg_pb2 import BackMsg

from core.ui.session import resources
from tests.support.raw_client import RawClient, number, press, token, visitor
from tests.support.serving import Server, eventually, served


def states(data: Path) -> list[str]:
    """The states of all cells in a server's history."""
    with closing(sqlite3.connect(data / "history.db")) as database:
        return [state for (state,) in database.execute('select state from cells order by "index"')]


def start_a_long_run(client: RawClient) -> None:
    """Sixteen answers of the built-in model."""
    client.rerun("text")
    client.ask(
        "text", [number(client, "Samples", 16), number(client, "Max new tokens", 200), press(client, "Generate")]
    )
    client.until(lambda message: message.WhichOneof("type") == "script_finished")


def test_a_visitor_who_clears_the_caches_closes_nothing_of_anybody(server: Server) -> None:
    with visitor(server.url, token()) as ann, visitor(server.url, token()) as bob:
        start_a_long_run(ann)
        bob.rerun()
        before = [worker.pid for worker in server.workers()]
        message = BackMsg()
        message.clear_cache = True
        bob.send(message)
        bob.rerun()
        eventually(lambda: set(states(server.data)) in ({"done"}, {"interrupted"}), 120)
        assert states(server.data) == ["done"] * 16
        assert before
        assert [worker.pid for worker in server.workers()] == before


def test_a_server_that_is_told_to_stop_ends_its_worker_and_says_what_was_interrupted(tmp_path: Path) -> None:
    with served(tmp_path) as server, visitor(server.url, token()) as ann:
        start_a_long_run(ann)
        eventually(lambda: bool(server.workers()), 60)
        (worker,) = server.workers()
    eventually(lambda: not worker.is_running(), 20)
    assert set(states(tmp_path)) <= {"done", "interrupted"}
    assert "interrupted" in states(tmp_path)


@pytest.mark.usefixtures("fresh_resources")
def test_nothing_shared_lives_in_streamlits_caches() -> None:
    made = resources.settings(), resources.allowance(), resources.history(), resources.worker(), resources.engine()
    st.cache_resource.clear()
    st.cache_data.clear()
    again = resources.settings(), resources.allowance(), resources.history(), resources.worker(), resources.engine()
    assert all(one is other for one, other in zip(made, again, strict=True))


@pytest.mark.usefixtures("fresh_resources")
def test_an_edited_module_that_is_read_anew_finds_the_same_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    engine = resources.engine()
    for name in [name for name in sys.modules if name.startswith("core.ui.session")]:
        monkeypatch.delitem(sys.modules, name)  # as Streamlit's watcher does
    again = importlib.import_module("core.ui.session.resources")
    assert again is not resources
    assert again.engine() is engine


@pytest.mark.usefixtures("fresh_resources")
def test_closing_forgets_everything_and_what_follows_is_made_anew() -> None:
    engine = resources.engine()
    resources.close()
    assert resources.engine() is not engine


def test_the_server_stays_free_of_torch_after_a_real_answer(server: Server) -> None:
    with visitor(server.url, token()) as client:
        client.rerun("text")
        client.rerun("text", [number(client, "Max new tokens", 8), press(client, "Generate")])
        eventually(lambda: "done" in states(server.data))
        client.rerun("text")
        mapped = Path(f"/proc/{server.pid}/maps").read_text("utf-8")
        assert not [line for line in mapped.splitlines() if "torch" in line]
        (worker,) = server.workers()
        assert "libtorch" in Path(f"/proc/{worker.pid}/maps").read_text("utf-8")


def test_the_first_visitor_of_a_new_server_finds_the_page_of_a_link(tmp_path: Path) -> None:
    with served(tmp_path) as server, visitor(server.url, token()) as ann:
        ann.rerun("audio")
        assert "page_not_found" not in [message.WhichOneof("type") for message in ann.messages]
        assert ann.widget("text_area", "Prompt")
