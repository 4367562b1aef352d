"""An HTTP client for one server: it follows no redirect, reads no proxy from the environment, goes only to
addresses that a rule allows, reads no more than a cap, and can be hung up from another thread.

Hanging up shuts the sockets: closing a response does not wake a thread that waits for its next byte. Knows no
server's language; the SDKs are handed the client.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from threading import Lock
from typing import Any

import httpcore2
import httpx2

from core.remote.address import Rule, resolved

MAX_BYTES = 32_000_000
"""Read of one answer at most: pictures come as text inside JSON, and no answer needs more."""

HEADERS = {"accept-encoding": "identity", "user-agent": "diptych"}
"""No compression: a small body that unpacks to a huge one would slip under the cap."""


class ResponseTooLarge(httpcore2.ReadError):
    """The server sent more than MAX_BYTES."""


class AddressForbidden(httpcore2.ConnectError):
    """A rule does not allow the addresses of this host."""


@lru_cache(maxsize=1)
def trusted() -> ssl.SSLContext:
    """Whose certificates are believed: certifi's authorities, never one that SSL_CERT_FILE names. Made once: it takes
    longer than a request."""
    return httpx2.create_ssl_context(trust_env=False)


def _plain(response: httpx2.Response) -> None:
    """Refuse a body that is compressed although none was asked for."""
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise httpx2.DecodingError("a compressed body that was not asked for")


class GuardedClient:
    """One visitor's connection to one server, for one model; `http` is the client that is handed to an SDK.

    Args:
        rule: which addresses may be called.
        connect, read: seconds to wait for a connection, and for the next bytes.
    """

    def __init__(self, rule: Rule, *, connect: float = 5.0, read: float = 120.0, max_bytes: int = MAX_BYTES) -> None:
        self._backend = _GuardedBackend(rule, max_bytes)
        context = trusted()
        transport = httpx2.HTTPTransport(verify=context, trust_env=False)
        transport._pool.close()
        transport._pool = httpcore2.ConnectionPool(
            ssl_context=context, network_backend=self._backend, max_connections=4
        )
        self.http = httpx2.Client(
            transport=transport,
            headers=HEADERS,
            timeout=httpx2.Timeout(read, connect=connect, write=30.0, pool=connect),
            follow_redirects=False,
            trust_env=False,
            event_hooks={"response": [_plain]},
        )

    def hang_up(self) -> None:
        """Shut every socket now; whoever reads from one gets an error. The client is of no use afterwards."""
        self._backend.shut()

    def close(self) -> None:
        self._backend.shut()
        with suppress(Exception):
            self.http.close()


class _GuardedBackend(httpcore2.NetworkBackend):
    """Resolves a name once, asks the rule, and connects to the addresses it looked at."""

    def __init__(self, rule: Rule, max_bytes: int) -> None:
        self._rule = rule
        self._max_bytes = max_bytes
        self._plain = httpcore2.SyncBackend()
        self._lock = Lock()
        self._open: list[_CountedStream] = []
        self._shut = False

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        if self._shut:
            raise httpcore2.ConnectError("the client was hung up")
        try:
            addresses = resolved(host, port)
            self._rule(host, addresses)
        except PermissionError as error:
            raise AddressForbidden(str(error)) from None
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"no address for this name ({type(error).__name__})") from None
        return self.tracked(self._first(addresses, port, timeout, local_address, socket_options))

    def tracked(self, stream: httpcore2.NetworkStream, read: int = 0) -> _CountedStream:
        counted = _CountedStream(stream, self, self._max_bytes, read)
        with self._lock:
            self._open.append(counted)
            shut = self._shut
        if shut:
            counted.shut()
        return counted

    def shut(self) -> None:
        with self._lock:
            self._shut, streams = True, list(self._open)
        for stream in streams:
            stream.shut()

    def _first(self, addresses: list[str], *how: Any) -> httpcore2.NetworkStream:
        """The first address that answers."""
        failure: Exception | None = None
        for address in addresses[:4]:
            try:
                return self._plain.connect_tcp(address, *how)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectError("no address for this name")


class _CountedStream(httpcore2.NetworkStream):
    """A stream that counts what it reads since it was last written to, and can be shut from another thread."""

    def __init__(self, stream: httpcore2.NetworkStream, backend: _GuardedBackend, max_bytes: int, read: int) -> None:
        self._stream = stream
        self._backend = backend
        self._max_bytes = max_bytes
        self._read = read

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._stream.read(max_bytes, timeout)
        self._read += len(data)
        if self._read > self._max_bytes:
            raise ResponseTooLarge(f"more than {self._max_bytes} bytes")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._read = 0
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        wrapped = self._stream.start_tls(ssl_context, server_hostname, timeout)
        return self._backend.tracked(wrapped, self._read)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def shut(self) -> None:
        sock = self._stream.get_extra_info("socket")
        if isinstance(sock, socket.socket):
            with suppress(OSError, ValueError):
                sock.shutdown(socket.SHUT_RDWR)
