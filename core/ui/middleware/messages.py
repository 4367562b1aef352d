"""Reads what a client says to Streamlit before Streamlit does, and leaves out what no page of ours makes a browser say.

Clearing caches, turning on the watcher of sources and asking for the deployment's git status are not a visitor's. A
frame over Streamlit's limit would end the connection without a word: its longest texts are cut to one character more
than any page takes, so that the page itself says how long a text may be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from core.errors import InvalidInput
from core.experiment.serialize import MAX_TEXT
from core.ui.middleware.uploads import HeldFiles
from core.ui.session import resources

SAYABLE = {"rerun_script", "stop_script", "app_heartbeat", "file_urls_request", "backend_operation_request"}
MOST_FILES = 100
"""Files whose upload one message may announce."""


class Messages:
    """Filters the messages of Streamlit's websocket, and tells `held` which files the widgets of a page hold."""

    def __init__(self, app: ASGIApp, held: HeldFiles) -> None:
        self._app = app
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await self._app(scope, receive, send)
            return
        connection = object()

        async def filtered() -> Message:
            while True:
                message = await receive()
                frame = message.get("bytes") if message["type"] == "websocket.receive" else None
                if frame is None:
                    return message
                allowed = self._examined(frame, connection)
                if allowed is not None:
                    return {**message, "bytes": allowed}

        try:
            await self._app(scope, filtered, send)
        finally:
            later = config.get_option("server.disconnectedSessionTTL")
            asyncio.get_running_loop().call_later(later, self._held.forget, connection)

    def _examined(self, frame: bytes, connection: object) -> bytes | None:
        """The frame, changed where it must be; None where Streamlit shall not see it."""
        message = BackMsg()
        try:
            message.ParseFromString(frame)
        except Exception:  # of protobuf's two makes
            return frame  # Streamlit ends such a connection
        kind = message.WhichOneof("type")
        if kind not in SAYABLE or len(message.file_urls_request.file_names) > MOST_FILES:
            return None
        if kind == "rerun_script":
            states = message.rerun_script.widget_states.widgets
            held = {name for state in states for name in files(state)}
            if message.rerun_script.fragment_id:  # which may say nothing of widgets outside the fragment
                self._held.hold_too(connection, held)
            else:
                self._held.hold(connection, held)
            if len(frame) > config.get_option("server.maxWidgetStateSize") * 1_000_000:
                for state in states:
                    shorten(state, _longest())
                return bytes(message.SerializeToString())
        return frame


def files(state: WidgetState) -> Iterator[str]:
    """Ids of the uploaded files that a widget holds."""
    kind = state.WhichOneof("value")
    if kind == "file_uploader_state_value":
        yield from (one.file_id for one in state.file_uploader_state_value.uploaded_file_info)
    elif kind == "chat_input_value":
        chat = state.chat_input_value
        yield from (one.file_id for one in chat.file_uploader_state.uploaded_file_info)
        yield chat.audio_file_info.file_id


def shorten(state: WidgetState, most: int) -> None:
    """Cut a text of more than `most` characters to one more than that."""
    match state.WhichOneof("value"):
        case "string_value":
            state.string_value = state.string_value[: most + 1]
        case "string_trigger_value":
            state.string_trigger_value.data = state.string_trigger_value.data[: most + 1]
        case "chat_input_value":
            state.chat_input_value.data = state.chat_input_value.data[: most + 1]


def _longest() -> int:
    """Characters of the longest text that a page takes."""
    try:
        return max(MAX_TEXT, resources.settings().max_prompt_chars)
    except InvalidInput:
        return MAX_TEXT
