"""Lets a session of Streamlit's be resumed only by the visitor who opened it.

Streamlit gives a lost session back to whoever names its id in the websocket's subprotocols. Here the connection must
bring the cookie of the session's owner as well; without it, it gets a session of its own.
"""

from __future__ import annotations

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from core.ui.session import owner

_PROTOCOLS = b"sec-websocket-protocol"


class Sessions:
    """Takes the id of a session out of the handshake where the cookie is not its owner's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            scope = dict(scope) | {"headers": _own_session(scope)}
        await self._app(scope, receive, send)


def _own_session(scope: Scope) -> list[tuple[bytes, bytes]]:
    cookie = HTTPConnection(scope).cookies.get(owner.COOKIE, "")
    headers: list[tuple[bytes, bytes]] = []
    for name, value in scope["headers"]:
        if name.lower() == _PROTOCOLS:
            selected, *others = value.decode("latin-1").split(",")
            ids = [one.strip() for one in others[1:]]
            if ids and not owner.may_resume(ids[0], cookie):
                value = ",".join([selected, *others[:1]]).encode("latin-1")
        headers.append((name, value))
    return headers
