"""Lets a request for an image or a sound wait while the page that shows it is drawn anew.

Streamlit forgets the files of a session when a run of its script begins, and deletes whatever no session has drawn
when any session's run ends. A browser that asks in between is told 404, and keeps a broken player though the page
offers the same file at the same address a moment later.
"""

from __future__ import annotations

import asyncio
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

SECONDS = 5.0
POLL_SECONDS = 0.1
MOST = 100
"""How long a request waits for its file, how often it looks, and how many may wait at a time."""

_PATH = re.compile(r"/media/[^/]+$")


class Media:
    """Asks again for a file that is not there. Runs on the server's event loop only."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._waiting = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and _PATH.search(scope["path"]):
            deadline = asyncio.get_running_loop().time() + SECONDS
            while self._waiting < MOST and asyncio.get_running_loop().time() < deadline:
                if await self._sent(scope, receive, send):
                    return
                self._waiting += 1
                try:
                    await asyncio.sleep(POLL_SECONDS)
                finally:
                    self._waiting -= 1
        await self._app(scope, receive, send)

    async def _sent(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Whether the file was there; where it was not, nothing is sent."""
        missing = False

        async def send_unless_missing(message: Message) -> None:
            nonlocal missing
            if message["type"] == "http.response.start":
                missing = message["status"] == 404
            if not missing:
                await send(message)

        await self._app(scope, receive, send_unless_missing)
        return not missing
