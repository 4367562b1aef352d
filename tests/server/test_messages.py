"""What a client without a browser may say: nothing it sends reaches others, and what is wrong is said."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.exceptions import ConnectionClosed

from core.ui.middleware.messages import MOST_FILES, shorten
from tests.support.raw_client import RawClient, number, press, token, typed, visitor
from tests.support.serving import ROOT, Server


def said(client: RawClient) -> str:
    """What the page says in words, without Streamlit's own boxes, of which there are none."""
    assert client.exceptions() == []
    return client.text()


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("label", ["Max new tokens", "Seed"])
def test_a_number_that_is_none_is_refused_in_a_sentence(server: Server, label: str, value: float) -> None:
    with visitor(server.url, token()) as client:
        client.rerun("text")
        client.rerun("text", [number(client, label, value), press(client, "Generate")])
        assert "A control was sent a value that it cannot hold" in said(client)


def test_a_fraction_that_is_no_number_leaves_the_control_as_it_was(server: Server) -> None:
    with visitor(server.url, token()) as client:
        client.rerun("text")
        client.rerun("text", [number(client, "Temperature", math.nan)])
        client.rerun("history")
        client.rerun("text")
        assert client.widget("number_input", "Temperature").number_input.default == 0.7
        said(client)


def test_values_of_the_wrong_kind_are_refused_in_a_sentence_to_their_sender_only(server: Server) -> None:
    with visitor(server.url, token()) as client, visitor(server.url, token()) as other:
        client.rerun("text")
        other.rerun("text")
        numeric = client.widget("number_input", "Max new tokens").number_input.id
        for state in (
            WidgetState(id=numeric, string_value="many"),
            WidgetState(id=client.widget("text_area", "Prompt").text_area.id, double_value=math.nan),
            WidgetState(id=client.widget("selectbox", "Model").selectbox.id, int_value=10**9),
            WidgetState(id="no such widget", string_value="x" * 100_000),
            WidgetState(id=numeric, double_value=1e300),
        ):
            with visitor(server.url, token()) as one:
                one.rerun("text")
                one.rerun("text", [state])
                said(one)
        other.rerun("text")
        assert "Generate" in said(other)


@pytest.mark.parametrize("field", ["clear_cache", "load_git_info", "set_run_on_save", "debug_shutdown_runtime"])
def test_what_is_not_a_visitors_to_say_is_not_heard(server: Server, field: str) -> None:
    with visitor(server.url, token()) as client:
        client.rerun("text")
        message = BackMsg()
        setattr(message, field, True)
        client.send(message)
        client.messages.clear()
        client.rerun("text")
        assert "git_info_changed" not in {message.WhichOneof("type") for message in client.messages}
        assert not any(message.session_status_changed.run_on_save for message in client.messages)
        client.rerun("text")
        assert "Generate" in said(client)


def test_a_client_cannot_have_millions_of_upload_addresses_made(server: Server) -> None:
    with visitor(server.url, token()) as client:
        client.rerun("text")
        message = BackMsg()
        message.file_urls_request.file_names.extend(["x"] * (MOST_FILES + 1))
        client.send(message)
        client.messages.clear()
        client.rerun("text")
        assert "file_urls_response" not in {message.WhichOneof("type") for message in client.messages}
        assert len(client.upload_urls(["a.png", "b.png"])) == 2


def test_a_frame_that_is_no_message_ends_its_connection_only(server: Server) -> None:
    with visitor(server.url, token()) as client:
        client.rerun()
        client.send_bytes(b"\xff" * 100)
        assert client.closed() == 1002
    with visitor(server.url, token()) as client:
        client.rerun()
        assert said(client)


@pytest.mark.parametrize("size", [200_000, 5_200_121, 20_000_000])
def test_a_text_that_is_too_long_is_said_on_the_page(server: Server, size: int) -> None:
    with visitor(server.url, token()) as client:
        client.rerun("text")
        try:
            client.rerun("text", [typed(client, "Prompt", "x" * size), press(client, "Generate")])
        except ConnectionClosed as end:
            pytest.fail(f"the connection was closed without a word: {end}")
        assert "characters" in said(client)


def test_a_message_over_the_stated_limit_ends_its_connection_only(server: Server) -> None:
    assert "a message over 50 MB (`maxMessageSize`)" in (ROOT / "docs/deploying.md").read_text("utf-8")
    with visitor(server.url, token()) as other:
        other.rerun("text")
        with visitor(server.url, token()) as client:
            client.rerun("text")
            with suppress(ConnectionClosed):  # it may be closed while the message is still being sent
                client.send_bytes(b"\0" * 53_000_000)
            assert client.closed() in (1009, 0)  # a reset may overtake the close frame
        other.rerun("text")
        assert "Generate" in said(other)


def test_only_texts_that_no_page_takes_are_cut() -> None:
    state = WidgetState(id="a", string_value="x" * 150_000)
    shorten(state, 100_000)
    assert len(state.string_value) == 100_001
    state = WidgetState(id="a", string_value="x" * 100_000)
    shorten(state, 100_000)
    assert len(state.string_value) == 100_000
