"""Refuses requests that come from the wrong place, or under a name that this server does not go by.

A page of a stranger's site can have its own name resolved to this machine (DNS rebinding); the browser then takes it
for the same origin, and only the Host header tells. A local run answers this machine alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from core.errors import InvalidInput
from core.settings import Settings
from core.ui.session import resources

LOOPBACK = ("localhost", "*.localhost", "127.0.0.1", "::1")
HEALTH = ("/_stcore/health", "/healthz")
METRICS = "/_stcore/metrics"

_ELSEWHERE = (
    "Diptych runs for its own machine here (DIPTYCH_LOCAL=1). "
    "Set DIPTYCH_ALLOWED_HOSTS to the names under which others may open it, or leave DIPTYCH_LOCAL out."
)
_OTHER_NAME = (
    "This server does not go by that name. Open it under one of its own, or add the name to DIPTYCH_ALLOWED_HOSTS."
)


class Access:
    """Checks the peer's address and the Host header of every request; metrics are nobody's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = _refusal(scope) if scope["type"] in ("http", "websocket") else None
        await (refusal or self._app)(scope, receive, send)


def _refusal(scope: Scope) -> PlainTextResponse | None:
    path = str(scope["path"])
    if path.rstrip("/").endswith(METRICS):
        return PlainTextResponse("Not found", 404)
    try:
        settings = resources.settings()
    except InvalidInput:
        return None  # every page says what is wrong with the settings, and does nothing else
    if settings.local and not settings.allowed_hosts and not _is_here(scope):
        return PlainTextResponse(_ELSEWHERE, 403)
    if not path.endswith(HEALTH) and not goes_by(Headers(scope=scope).get("host", ""), allowed(settings)):
        return PlainTextResponse(_OTHER_NAME, 421)
    return None


def allowed(settings: Settings) -> Sequence[str]:
    """Names under which this server answers; a local run's machine always among them. Empty: under any."""
    return (*LOOPBACK, *settings.allowed_hosts) if settings.local else settings.allowed_hosts


def goes_by(host: str, names: Sequence[str]) -> bool:
    """Whether a Host header names one of these; `*.example.org` stands for every name below example.org."""
    if not names:
        return True
    try:
        parts = urlsplit(f"//{host}")
        name, _ = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        return False
    if not name or f"@{parts.path}{parts.query}{parts.fragment}" != "@" or "@" in host:
        return False
    return any(name.endswith(one[1:]) if one.startswith("*.") else name == one for one in names)


def _is_here(scope: Scope) -> bool:
    """Whether the peer is this machine. A Unix socket has no peer's address."""
    client = scope.get("client")
    if not client:
        return True
    try:
        address = ip_address(client[0])
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback
