"""Which server a call may go to, at which address, with which key: the one place where these are put together.

A key of the deployment goes to a server of the table and nowhere else; a server that a visitor named gets that
visitor's own key, over https, on the open internet, and only where the deployment allows such servers.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from core.catalog.servers import CUSTOM, Server
from core.errors import ModelRefused
from core.remote.address import Rule, anywhere, checked_url, loopback_only, public_only
from core.remote.guarded_client import GuardedClient
from core.remote.keys import key_for, redacted
from core.settings import DeploymentKey, Secret, Secrets, Settings
from core.text import clean

MAX_LABEL = 120
"""Characters of what a server may call itself, or its model."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server, the URL to call it at, the key to send (None: none), and which addresses may be called."""

    server: Server
    base_url: str
    key: Secret | None
    rule: Rule

    def client(self, settings: Settings) -> GuardedClient:
        """A new HTTP client for it."""
        return GuardedClient(self.rule, read=settings.remote_read_seconds)

    @property
    def host(self) -> str:
        """Host and port that are called, without whatever else stands in the URL."""
        url = urlsplit(self.base_url)
        return (url.hostname or "") if url.port is None else f"{url.hostname}:{url.port}"

    def label(self, name: object) -> str:
        """What the server calls itself or its model, as it may be kept: without the key; '' for what is no text."""
        return redacted(clean(name), [self.key])[:MAX_LABEL] if isinstance(name, str) else ""

    def check_allowance(self) -> None:
        """Called before every request; raises QuotaSpent where a lent key may not be used any more."""
        if isinstance(self.key, DeploymentKey):
            self.key.ask()

    def count_tokens(self, tokens: int) -> None:
        """Called after every answer with all its tokens, the prompt's among them."""
        if isinstance(self.key, DeploymentKey):
            self.key.used(tokens)


def endpoint_for(server: Server, settings: Settings, secrets: Secrets) -> Endpoint:
    """Where a server is called, and with which key.

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
    return Endpoint(server, (moved or server.base_url).rstrip("/"), key_for(server, secrets), anywhere)


def _custom(server: Server, settings: Settings, secrets: Secrets) -> Endpoint:
    if not settings.custom_servers:
        raise ModelRefused("This deployment allows no servers of your own (DIPTYCH_CUSTOM_SERVERS is off).")
    url = checked_url(server.base_url, local=settings.local)
    key = key_for(server, secrets)
    if isinstance(key, DeploymentKey):
        raise ModelRefused("A server of your own is only called with a key of your own.")
    return Endpoint(server, url, key, public_only if url.startswith("https") else loopback_only)
