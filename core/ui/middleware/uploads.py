"""Bounds what visitors upload, of one session and in all, and releases what no widget holds.

Streamlit keeps every uploaded file in memory until its session ends, whether a page asked for it or not. Sizes are
read from Streamlit's own store of files, so that what it lets go by itself counts no more.
"""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import config, runtime
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager

from core.errors import InvalidInput
from core.settings import Settings
from core.text import in_words
from core.ui.session import resources

_PATH = re.compile(r"/_stcore/upload_file/(?P<session>[^/]+)/(?P<file>[^/]+)/?$")


class HeldFiles:
    """Which uploaded files the widgets of each connection hold, by the last run of the script that it asked for."""

    def __init__(self) -> None:
        self._by_connection: dict[object, frozenset[str]] = {}

    def hold(self, connection: object, files: Iterable[str]) -> None:
        self._by_connection[connection] = frozenset(files)

    def hold_too(self, connection: object, files: Iterable[str]) -> None:
        self._by_connection[connection] = self._by_connection.get(connection, frozenset()).union(files)

    def forget(self, connection: object) -> None:
        self._by_connection.pop(connection, None)

    def __contains__(self, file: str) -> bool:
        return any(file in files for files in self._by_connection.values())


class Uploads:
    """Refuses an upload that would exceed a bound, before its body is read. Runs on the server's event loop only."""

    def __init__(self, app: ASGIApp, held: HeldFiles) -> None:
        self._app = app
        self._held = held
        self._files: dict[str, set[str]] = defaultdict(set)  # ids by session
        self._arriving: dict[object, tuple[str, int]] = {}  # session and most bytes of each upload under way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = _PATH.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if not match:
            await self._app(scope, receive, send)
            return
        session, file = match["session"], match["file"]
        most = _announced(scope)
        if refusal := self._refusal(session, most):
            await PlainTextResponse(refusal, 413)(scope, receive, send)
            return
        upload = object()
        self._arriving[upload] = session, most
        try:
            await self._app(scope, receive, self._noting(send, session, file))
        finally:
            del self._arriving[upload]

    def _noting(self, send: Send, session: str, file: str) -> Send:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] < 300:
                self._files[session].add(file)
                asyncio.get_running_loop().call_later(_settings().upload_seconds, self._release, session, file)
            await send(message)

        return noting

    def _refusal(self, session: str, coming: int) -> str:
        """Why so many bytes more are not taken, '' where they are."""
        settings = _settings()
        mine, everybodys = self._kept(session), sum(self._kept(one) for one in list(self._files))
        mine += sum(size for owner, size in self._arriving.values() if owner == session)
        everybodys += sum(size for _, size in self._arriving.values())
        if mine + coming > settings.upload_bytes_per_session:
            return (
                f"At most {in_words(settings.upload_bytes_per_session)} may be uploaded at a time. Remove a file first."
            )
        if everybodys + coming > settings.upload_bytes:
            return "Other visitors' files fill the room for uploads. Try again in a minute."
        return ""

    def _kept(self, session: str) -> int:
        """Bytes of this session's files that Streamlit still has; those it let go are forgotten."""
        records = runtime.get_instance().uploaded_file_mgr.get_files(session, list(self._files[session]))
        self._files[session] = {record.file_id for record in records}
        if not records:
            del self._files[session]
        return sum(len(record.data) for record in records)

    def _release(self, session: str, file: str) -> None:
        """Let go of a file that no widget holds."""
        store = runtime.get_instance().uploaded_file_mgr
        if file not in self._held and isinstance(store, MemoryUploadedFileManager):
            store.remove_file(session, file)


def _settings() -> Settings:
    """The deployment's, or where they cannot be read (every page says so) the defaults."""
    try:
        return resources.settings()
    except InvalidInput:
        return Settings(data=Path())


def _announced(scope: Scope) -> int:
    """Bytes that an upload may have: what its head says, else the most that Streamlit takes of one file."""
    most = int(config.get_option("server.maxUploadSize")) * 1024 * 1024
    length = Headers(scope=scope).get("content-length", "")
    return min(int(length), most) if length.isascii() and length.isdigit() else most
