"""Which server a call may go to, at which address, with which key. The one place where these are put together.

A key of the deployment goes to a server of the table and nowhere else; a server that a visitor named gets that
visitor's own key, over https, on the open internet, and only where the deployment allows such servers.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from core.catalog.servers import CUSTOM, Server
from core.errors import ModelRefused
from core.remote.address import Rule, anywhere, checked_url, loopback_only, public_only
from core.remote.guarded_client import Line
from core.remote.keys import hidden, key_for
from core.settings import Lent, Secret, Secrets, Settings
from core.text import clean

MAX_WORD = 120
"""Characters of what a server may call itself, or its model."""


@dataclass(frozen=True, slots=True)
class Door:
    """A server, the URL to call it at, and the key to carry there (None: none)."""

    server: Server
    base_url: str
    key: Secret | None
    rule: Rule

    def line(self, settings: Settings) -> Line:
        """A fresh connection through it."""
        return Line(self.rule, read=settings.remote_read_seconds)

    @property
    def host(self) -> str:
        """Host and port that are called, without whatever else stands in the URL."""
        url = urlsplit(self.base_url)
        return (url.hostname or "") if url.port is None else f"{url.hostname}:{url.port}"

    def word(self, found: object) -> str:
        """What the server calls itself or its model, as it may be kept: without the key; '' for what is no text."""
        return hidden(clean(found), [self.key])[:MAX_WORD] if isinstance(found, str) else ""

    def ask(self) -> None:
        """Called before every request; raises QuotaSpent where a lent key may not be used any more."""
        if isinstance(self.key, Lent):
            self.key.ask()

    def used(self, tokens: int) -> None:
        """Called after every answer with all its tokens, the prompt's among them."""
        if isinstance(self.key, Lent):
            self.key.used(tokens)


def door(server: Server, settings: Settings, secrets: Secrets) -> Door:
    """The way to a server.

    Raises:
        KeyRefused: it needs a key and there is none under its id.
        ModelRefused: the deployment allows no servers on this machine, or none that visitors name.
        InvalidInput: the URL of a visitor's server cannot be called.
    """
    if server.id.startswith(CUSTOM):
        return _custom(server, settings, secrets)
    moved = settings.base_urls.get(server.id)
    if server.local and not (settings.local or moved):
        raise ModelRefused(
            f"{server.name} runs on your own machine, and this Diptych runs elsewhere. Start Diptych on your machine "
            "with `make run`, or choose another model."
        )
    return Door(server, (moved or server.base_url).rstrip("/"), key_for(server, secrets), anywhere)


def _custom(server: Server, settings: Settings, secrets: Secrets) -> Door:
    if not settings.custom_servers:
        raise ModelRefused("This deployment allows no servers of your own (DIPTYCH_CUSTOM_SERVERS is off).")
    url = checked_url(server.base_url, local=settings.local)
    key = key_for(server, secrets)
    if isinstance(key, Lent):
        raise ModelRefused("A server of your own is only called with a key of your own.")
    return Door(server, url, key, public_only if url.startswith("https") else loopback_only)
