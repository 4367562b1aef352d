"""Small servers on loopback for tests: each request on a connection gets an answer of the test's own making."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.fakes import PATIENCE

Answer = Callable[["Listener", socket.socket], None]


class Listener:
    """A server on loopback: what was asked of it, and an answer of its own for every request on a connection."""

    def __init__(self, answer: Answer, context: ssl.SSLContext | None = None) -> None:
        self.heads: list[bytes] = []
        self.connections = 0
        self.released = threading.Event()
        self._answer = answer
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.settimeout(0.02)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def url(self, host: str = "127.0.0.1") -> str:
        return f"{'https' if self._context else 'http'}://{host}:{self.port}"

    def close(self) -> None:
        self.released.set()
        for thread in list(self._threads):
            thread.join(PATIENCE)
        self._socket.close()

    def _accept(self) -> None:
        while not self.released.is_set():
            with suppress(TimeoutError):
                connection, _ = self._socket.accept()
                self.connections += 1
                self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
                self._threads[-1].start()

    def _serve(self, plain: socket.socket) -> None:
        with plain, suppress(OSError):
            plain.settimeout(PATIENCE)
            if self._context is None:
                self._requests(plain)
            else:
                with self._context.wrap_socket(plain, server_side=True) as secure:
                    self._requests(secure)

    def _requests(self, connection: socket.socket) -> None:
        head = b""
        while not self.released.is_set():
            connection.settimeout(0.05)
            with suppress(TimeoutError):
                found = connection.recv(65536)
                if not found:
                    return
                head += found
            if b"\r\n\r\n" in head:
                self.heads.append(head)
                head = b""
                connection.settimeout(PATIENCE)
                self._answer(self, connection)


def says(body: bytes, status: str = "200 OK", headers: str = "") -> Answer:
    head = f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n{headers}\r\n".encode()
    return lambda listener, connection: connection.sendall(head + body)


def stalls(first: bytes) -> Answer:
    """Sends the beginning of an answer and then nothing more."""

    def answer(listener: Listener, connection: socket.socket) -> None:
        connection.sendall(first)
        listener.released.wait(PATIENCE)

    return answer


HALF = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"


def write_certificate(file: Path) -> None:
    """A self-signed certificate and its key, in one file, for named.example and 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "named.example")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("named.example"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
