"""A guarded client follows nothing, believes nothing and can be hung up: tried against servers on this machine."""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import httpcore2
import httpx2
import pytest

from core.catalog.servers import server
from core.errors import Unreachable
from core.remote.address import anywhere, public_only
from core.remote.errors import connection_error
from core.remote.guarded_client import AddressForbidden, GuardedClient, ResponseTooLarge, trusted
from tests.support.fakes import PATIENCE, until
from tests.support.listeners import HALF, Answer, Listener, says, stalls, write_certificate

OPENAI = server("openai")


@pytest.fixture
def listen() -> Iterator[Callable[..., Listener]]:
    opened: list[Listener] = []

    def start(answer: Answer, context: ssl.SSLContext | None = None) -> Listener:
        opened.append(Listener(answer, context))
        return opened[-1]

    yield start
    for listener in opened:
        listener.close()


@pytest.fixture
def dial() -> Iterator[Callable[..., GuardedClient]]:
    opened: list[GuardedClient] = []

    def start(**how: object) -> GuardedClient:
        opened.append(GuardedClient(how.pop("rule", anywhere), **{"read": PATIENCE, **how}))  # type: ignore[arg-type]
        return opened[-1]

    yield start
    for guarded in opened:
        guarded.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    write_certificate(file)
    return file


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that are opened now trust the certificate."""
    monkeypatch.setattr("core.remote.guarded_client.trusted", lambda: ssl.create_default_context(cafile=certificate))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Give a host name the addresses it has at its first, second ... look-up; returns the names that are looked up."""
    real = socket.getaddrinfo

    def give(host: str, *answers: list[str]) -> list[str]:
        looked: list[str] = []

        def look(asked: str, *rest: object, **more: object) -> list[object]:
            if asked != host:
                return real(asked, *rest, **more)  # type: ignore[arg-type,return-value]
            looked.append(asked)
            return [(0, 0, 0, "", (address, 0)) for address in answers[min(len(looked), len(answers)) - 1]]

        monkeypatch.setattr(socket, "getaddrinfo", look)
        return looked

    return give


# --- what it does not follow, and does not read


def test_an_answer_comes(listen: Callable[..., Listener], dial: Callable[..., GuardedClient]) -> None:
    listener = listen(says(b"yes"))
    assert dial().http.get(listener.url()).text == "yes"
    assert b"accept-encoding: identity" in listener.heads[0].lower(), "what is compressed slips under the cap"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_no_redirect_is_followed(
    status: str, listen: Callable[..., Listener], dial: Callable[..., GuardedClient]
) -> None:
    elsewhere = listen(says(b"caught"))
    listener = listen(says(b"", status, f"location: {elsewhere.url()}/\r\n"))
    answer = dial().http.post(listener.url(), headers={"authorization": "Bearer key"}, content=b"{}")
    assert answer.status_code == int(status[:3])
    assert elsewhere.connections == 0


def test_no_proxy_of_the_environment_is_used(
    listen: Callable[..., Listener], dial: Callable[..., GuardedClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, listener = listen(says(b"read by a proxy")), listen(says(b"direct"))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url())
        monkeypatch.setenv(name.lower(), proxy.url())
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with httpx2.Client() as careless:
        assert careless.get(listener.url()).text == "read by a proxy", "this test would not see a proxy"
    assert dial().http.get(listener.url()).text == "direct"
    assert len(proxy.heads) == 1


def test_no_netrc_is_read(
    listen: Callable[..., Listener], dial: Callable[..., GuardedClient], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password hush\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    listener = listen(says(b"yes"))
    dial().http.get(listener.url())
    assert b"authorization" not in listener.heads[0].lower()


def test_no_authority_of_the_environment_is_trusted(
    listen: Callable[..., Listener],
    dial: Callable[..., GuardedClient],
    monkeypatch: pytest.MonkeyPatch,
    certificate: Path,
    tls: ssl.SSLContext,
) -> None:
    listener = listen(says(b"yes"), tls)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    trusted.cache_clear()  # as on a server whose first request this is
    with pytest.raises(httpx2.ConnectError) as caught:
        dial().http.get(listener.url(), headers={"authorization": "Bearer key"})
    assert not listener.heads
    assert "certificate that is not valid" in str(connection_error(caught.value, OPENAI))


# --- how much it reads


def test_a_body_that_is_compressed_unasked_is_not_unpacked(
    listen: Callable[..., Listener], dial: Callable[..., GuardedClient]
) -> None:
    bomb = gzip.compress(bytes(10_000_000))

    def compressed(listener: Listener, connection: socket.socket) -> None:
        head = f"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {len(bomb)}\r\n\r\n"
        connection.sendall(head.encode() + bomb)

    with pytest.raises(httpx2.DecodingError) as caught:
        dial().http.get(listen(compressed).url())
    assert "is not an answer" in str(connection_error(caught.value, OPENAI))


@pytest.mark.parametrize("length", ["content-length: 200000", "transfer-encoding: chunked"])
def test_an_answer_without_end_is_cut(
    length: str, listen: Callable[..., Listener], dial: Callable[..., GuardedClient]
) -> None:
    def flood(listener: Listener, connection: socket.socket) -> None:
        connection.sendall(f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode())
        piece = (b"3e8\r\n" if "chunked" in length else b"") + b"x" * 1000 + (b"\r\n" if "chunked" in length else b"")
        for _ in range(200):
            connection.sendall(piece)

    read: list[bytes] = []

    def read_all() -> None:
        with dial(max_bytes=50_000).http.stream("GET", listen(flood).url()) as answer:
            read.extend(answer.iter_bytes(1000))

    with pytest.raises(httpx2.ReadError) as caught:
        read_all()
    assert isinstance(caught.value.__cause__, ResponseTooLarge)
    assert sum(map(len, read)) <= 50_000
    assert "more than an answer can hold" in str(connection_error(caught.value, OPENAI, begun=True))


def test_headers_without_end_are_cut(listen: Callable[..., Listener], dial: Callable[..., GuardedClient]) -> None:
    def flood(listener: Listener, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(5_000):
            connection.sendall(b"x-%d: %s\r\n" % (number, b"y" * 1000))

    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)) as caught:
        dial(max_bytes=50_000).http.get(listen(flood).url())
    assert isinstance(connection_error(caught.value, OPENAI), Unreachable)


def test_the_cap_is_of_one_answer(listen: Callable[..., Listener], dial: Callable[..., GuardedClient]) -> None:
    listener, guarded = listen(says(b"x" * 8_000)), dial(max_bytes=10_000)
    for _ in range(5):
        assert len(guarded.http.get(listener.url()).content) == 8_000
    assert listener.connections == 1


# --- hanging up


class Reader:
    """Reads an answer in a thread; `begun` once something came, `error` what ended it."""

    def __init__(self, guarded: GuardedClient, url: str) -> None:
        self.begun = threading.Event()
        self.error: Exception | None = None
        self._guarded, self._url = guarded, url
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        try:
            with self._guarded.http.stream("GET", self._url) as answer:
                for _ in answer.iter_raw():
                    self.begun.set()
        except Exception as error:
            self.error = error

    def over(self) -> bool:
        """Whether it ended within a second."""
        self.thread.join(1.0)
        return not self.thread.is_alive()


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_hanging_up_wakes_a_read(
    secure: bool, listen: Callable[..., Listener], dial: Callable[..., GuardedClient], tls: ssl.SSLContext
) -> None:
    listener, guarded = listen(stalls(HALF), tls if secure else None), dial()
    reader = Reader(guarded, listener.url())
    assert reader.begun.wait(PATIENCE)
    assert reader.thread.is_alive()
    guarded.hang_up()
    assert reader.over()
    assert reader.error is not None
    assert isinstance(connection_error(reader.error, OPENAI, begun=True), Unreachable)


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_hanging_up_wakes_who_waits_for_the_first_byte(
    secure: bool, listen: Callable[..., Listener], dial: Callable[..., GuardedClient], tls: ssl.SSLContext
) -> None:
    listener, guarded = listen(stalls(b""), tls if secure else None), dial()
    reader = Reader(guarded, listener.url())
    until(lambda: bool(listener.heads))
    guarded.hang_up()
    assert reader.over()
    assert reader.error is not None


def test_a_client_that_was_hung_up_calls_nobody(
    listen: Callable[..., Listener], dial: Callable[..., GuardedClient]
) -> None:
    listener, guarded = listen(says(b"yes")), dial()
    guarded.hang_up()
    with pytest.raises(httpx2.ConnectError):
        guarded.http.get(listener.url())
    assert listener.connections == 0


def test_a_connection_in_the_making_is_hung_up_too(
    listen: Callable[..., Listener], dial: Callable[..., GuardedClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    listener, guarded = listen(says(b"yes")), dial()
    connect = httpcore2.SyncBackend.connect_tcp

    def slowly(backend: httpcore2.SyncBackend, *where: object) -> object:
        stream = connect(backend, *where)  # type: ignore[arg-type]
        guarded.hang_up()
        return stream

    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", slowly)
    with pytest.raises(httpx2.TransportError):
        guarded.http.get(listener.url())
    assert not listener.heads


def test_closing_twice_and_hanging_up_afterwards(
    listen: Callable[..., Listener], dial: Callable[..., GuardedClient]
) -> None:
    listener, guarded = listen(says(b"yes")), dial()
    guarded.http.get(listener.url())
    for end in (guarded.close, guarded.close, guarded.hang_up, guarded.hang_up, guarded.close):
        end()
    assert guarded.http.is_closed


def test_a_client_does_not_hang_up_another(listen: Callable[..., Listener], dial: Callable[..., GuardedClient]) -> None:
    listener, one, other = listen(says(b"yes")), dial(), dial()
    one.http.get(listener.url())
    other.http.get(listener.url())
    one.hang_up()
    assert other.http.get(listener.url()).text == "yes"


def test_a_silent_server_is_given_up(listen: Callable[..., Listener], dial: Callable[..., GuardedClient]) -> None:
    with pytest.raises(httpx2.ReadTimeout) as caught:
        dial(read=0.05).http.get(listen(stalls(b"")).url())
    assert "did not answer in time" in str(connection_error(caught.value, OPENAI))


# --- where it goes


def test_an_address_that_the_rule_forbids_is_not_called(
    listen: Callable[..., Listener], dial: Callable[..., GuardedClient]
) -> None:
    listener = listen(says(b"yes"))
    for host in ("127.0.0.1", "localhost", "2130706433", "0"):
        with pytest.raises(httpx2.ConnectError) as caught:
            dial(rule=public_only).http.get(listener.url(host))
        assert isinstance(caught.value.__cause__, AddressForbidden)
        assert "open internet" in str(connection_error(caught.value, OPENAI))
    assert listener.connections == 0


def test_a_name_cannot_change_its_mind(
    dial: Callable[..., GuardedClient], names: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look-up is public, the second this machine: what was looked at is called, and looked up once."""
    called: list[tuple[str, int]] = []

    def connect(where: tuple[str, int], *_: object, **__: object) -> socket.socket:
        called.append(where)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    looked = names("rebinding.example", ["93.184.216.34"], ["127.0.0.1"])
    guarded = dial(rule=public_only)
    with pytest.raises(httpx2.ConnectError):
        guarded.http.get("https://rebinding.example/v1")
    assert (called, len(looked)) == ([("93.184.216.34", 443)], 1)
    with pytest.raises(httpx2.ConnectError) as caught:
        guarded.http.get("https://rebinding.example/v1")
    assert isinstance(caught.value.__cause__, AddressForbidden)
    assert len(called) == 1


def test_a_name_with_an_inner_address_among_its_own_is_not_called(
    listen: Callable[..., Listener], dial: Callable[..., GuardedClient], names: Callable[..., list[str]]
) -> None:
    listener = listen(says(b"yes"))
    names("mixed.example", ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(httpx2.ConnectError) as caught:
        dial(rule=public_only).http.get(listener.url("mixed.example"))
    assert isinstance(caught.value.__cause__, AddressForbidden)
    assert listener.connections == 0


def test_the_next_address_is_tried(
    listen: Callable[..., Listener], dial: Callable[..., GuardedClient], names: Callable[..., list[str]]
) -> None:
    listener = listen(says(b"yes"))
    names("two.example", ["127.0.0.77", "127.0.0.1"])
    assert dial().http.get(listener.url("two.example")).text == "yes"
    assert b"host: two.example" in listener.heads[0].lower()


@pytest.mark.usefixtures("trusting")
def test_a_certificate_is_checked_against_the_name(
    listen: Callable[..., Listener],
    dial: Callable[..., GuardedClient],
    names: Callable[..., list[str]],
    tls: ssl.SSLContext,
) -> None:
    listener = listen(says(b"yes"), tls)
    names("named.example", ["127.0.0.1"])
    assert dial().http.get(listener.url("named.example")).text == "yes"
    names("other.example", ["127.0.0.1"])
    with pytest.raises(httpx2.ConnectError):
        dial().http.get(listener.url("other.example"))
    assert len(listener.heads) == 1


@pytest.mark.parametrize("trouble", [socket.gaierror(-2, "unknown"), UnicodeError("label too long"), OSError("no")])
def test_a_name_without_an_address(
    trouble: Exception, dial: Callable[..., GuardedClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> list[str]:
        raise trouble

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(httpx2.ConnectError) as caught:
        dial().http.get("https://nowhere.example")
    assert "cannot be reached" in str(connection_error(caught.value, OPENAI))


def test_nobody_listens(dial: Callable[..., GuardedClient]) -> None:
    with pytest.raises(httpx2.ConnectError) as caught:
        dial().http.get(f"http://127.0.0.1:{_unused_port()}")
    assert "Is it started?" in str(connection_error(caught.value, server("ollama")))


@pytest.mark.parametrize(
    "bytes_",
    [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"\x16\x03\x01\x02\x00", b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"],
    ids=["nothing", "ssh", "tls", "nonsense"],
)
def test_a_server_that_speaks_something_else(
    bytes_: bytes, listen: Callable[..., Listener], dial: Callable[..., GuardedClient]
) -> None:
    def answer(listener: Listener, connection: socket.socket) -> None:
        connection.sendall(bytes_)
        connection.shutdown(socket.SHUT_RDWR)

    with pytest.raises(httpx2.TransportError) as caught:
        dial().http.get(listen(answer).url())
    assert "not an answer" in str(connection_error(caught.value, OPENAI))


def test_an_answer_that_breaks_off(listen: Callable[..., Listener], dial: Callable[..., GuardedClient]) -> None:
    def answer(listener: Listener, connection: socket.socket) -> None:
        connection.sendall(HALF)
        connection.shutdown(socket.SHUT_RDWR)

    with pytest.raises(httpx2.TransportError) as caught:
        dial().http.get(listen(answer).url())
    assert "broke in the middle" in str(connection_error(caught.value, OPENAI, begun=True))


def _unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])
