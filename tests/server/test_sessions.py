"""A session belongs to the visitor who opened it: its id alone opens nothing."""

from __future__ import annotations

import pytest

from tests.support.raw_client import RawClient, token, typed, visitor
from tests.support.serving import Server

SECRET = "the plans of the first visitor"


def write(client: RawClient) -> None:
    """Type something that nobody else shall see."""
    client.rerun("text")
    client.rerun("text", [typed(client, "Prompt", SECRET)])
    look(client)
    assert SECRET in client.text()


def look(client: RawClient) -> None:
    """Open the page anew, so that it shows what was typed."""
    client.rerun("history")
    client.rerun("text")


@pytest.mark.parametrize("other", [token(), "", "x" * 43, "short"], ids=["another", "none", "made-up", "short"])
@pytest.mark.parametrize("connected", [True, False])
def test_a_session_is_not_taken_over_with_another_cookie(server: Server, other: str, connected: bool) -> None:
    mine = token()
    with visitor(server.url, mine) as client:
        write(client)
        if not connected:
            client.close()
        with visitor(server.url, other, session_id=client.session_id) as thief:
            look(thief)
            assert thief.session_id != client.session_id
            assert SECRET not in thief.text()
            for fragment in client.fragments:
                thief.ask("text", fragment=fragment)
            thief.rerun("text")
            assert SECRET not in str(thief.messages)
        if connected:
            look(client)
            assert SECRET in client.text()


def test_a_lost_connection_goes_on_with_its_session(server: Server) -> None:
    mine = token()
    with visitor(server.url, mine) as client:
        write(client)
    with visitor(server.url, mine, session_id=client.session_id) as again:
        look(again)
        assert again.session_id == client.session_id
        assert SECRET in again.text()


def test_a_session_of_a_browser_without_cookies_is_nobodys_to_resume(server: Server) -> None:
    with visitor(server.url) as client:
        write(client)
    with visitor(server.url, session_id=client.session_id) as again:
        look(again)
        assert again.session_id != client.session_id
        assert SECRET not in again.text()


@pytest.mark.parametrize("name", ["00000000-0000-0000-0000-000000000000", "unheard-of"])
def test_an_unknown_session_is_a_new_one(server: Server, name: str) -> None:
    with visitor(server.url, token(), session_id=name) as client:
        client.rerun("text")
        assert client.session_id != name
