"""Who may open the server, and under which names."""

from __future__ import annotations

import asyncio
import http.client
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil
import pytest
from starlette.types import Message, Receive, Scope, Send
from websockets.exceptions import InvalidStatus

from core.settings import settings as read_settings
from core.ui.middleware.access import Access, allowed, goes_by
from core.ui.session import resources
from tests.support.raw_client import get, token, visitor
from tests.support.serving import ROOT, Server, served

LOCAL = {"DIPTYCH_LOCAL": "1"}


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("evil.example:8624", "http://evil.example:8624"),
        ("evil.example", "http://evil.example"),
        ("localhost.evil.example", "http://localhost.evil.example"),
        ("127.0.0.1.nip.io", "http://127.0.0.1.nip.io"),
    ],
)
def test_a_local_run_refuses_a_websocket_under_a_strangers_name(server: Server, host: str, origin: str) -> None:
    with pytest.raises(InvalidStatus), visitor(server.url, token(), host=host, origin=origin):
        pass


def test_a_local_run_refuses_a_strangers_page_on_its_own_name(server: Server) -> None:
    with pytest.raises(InvalidStatus), visitor(server.url, token(), origin="https://evil.example"):
        pass


@pytest.mark.parametrize("path", ["/", "/text", "/media/x.png", "/_stcore/host-config", "/app/static/logo.svg"])
def test_no_page_or_file_is_served_under_a_strangers_name(server: Server, path: str) -> None:
    status, body = get(server.url, path, host="evil.example")
    assert status == 421
    assert "DIPTYCH_ALLOWED_HOSTS" in body


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "[::1]"])
def test_a_local_run_goes_by_its_machines_names(server: Server, host: str) -> None:
    assert get(server.url, "/", host=f"{host}:{server.port}")[0] == 200


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/", "/x/_stcore/metrics"])
def test_metrics_are_not_public(server: Server, path: str) -> None:
    status, body = get(server.url, path)
    assert status == 404
    assert "session" not in body


def test_the_health_of_the_server_is_told_under_any_name(server: Server) -> None:
    assert get(server.url, "/_stcore/health", host="10.0.0.7:8501")[0] == 200


def ask(peer: str, host: str = "localhost", kind: str = "http") -> int:
    """The status with which a request from that address is answered; 200 where it is let through."""
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive() -> Message:
        raise AssertionError("nothing is read of a request that is refused")

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": kind, "path": "/", "method": "GET", "client": (peer, 1), "headers": [(b"host", host.encode())]}
    asyncio.run(Access(app)(scope, receive, send))
    return int(sent[0]["status"])


@pytest.mark.usefixtures("fresh_resources")
@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("peer", "status"),
    [
        *(("127.0.0.1", 200), ("127.8.8.8", 200), ("::1", 200), ("::ffff:127.0.0.1", 200)),
        *(("192.168.1.7", 403), ("8.8.8.8", 403), ("fe80::1%eth0", 403), ("::ffff:8.8.8.8", 403), ("unknown", 403)),
    ],
)
def test_a_local_run_answers_its_own_machine_only(
    monkeypatch: pytest.MonkeyPatch, peer: str, status: int, kind: str
) -> None:
    monkeypatch.setenv("DIPTYCH_LOCAL", "1")
    assert ask(peer, kind=kind) == status


@pytest.mark.usefixtures("fresh_resources")
def test_a_local_run_lets_others_in_where_its_names_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIPTYCH_LOCAL", "1")
    monkeypatch.setenv("DIPTYCH_ALLOWED_HOSTS", "studio.lan, *.example.org")
    assert resources.settings().allowed_hosts == ("studio.lan", "*.example.org")
    assert ask("192.168.1.7", "studio.lan:8501") == 200
    assert ask("192.168.1.7", "a.example.org") == 200
    assert ask("127.0.0.1", "localhost:8501") == 200
    assert ask("192.168.1.7", "example.org.evil.example") == 421


@pytest.mark.usefixtures("fresh_resources")
def test_a_deployment_answers_everybody_under_any_name_unless_it_names_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask("8.8.8.8", "anything.example") == 200
    resources.close()
    monkeypatch.setenv("DIPTYCH_ALLOWED_HOSTS", "diptych.example")
    assert ask("8.8.8.8", "diptych.example") == 200
    assert ask("8.8.8.8", "anything.example") == 421
    assert ask("127.0.0.1", "localhost") == 421


@pytest.mark.usefixtures("fresh_resources")
def test_settings_that_cannot_be_read_are_said_by_the_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIPTYCH_THREADS", "many")
    assert ask("8.8.8.8", "anything.example") == 200


@pytest.mark.parametrize(
    "host", ["", ":8501", "a b", "localhost/x", "localhost?x", "[::1", "me@localhost", "localhost:99999"]
)
def test_a_host_that_is_none_is_no_name(host: str) -> None:
    assert not goes_by(host, ("localhost", "::1"))


def test_names_may_stand_in_the_secrets_as_a_list(tmp_path: object) -> None:
    given = read_settings({}, {"diptych": {"allowed_hosts": ["a.example", "*.b.example"], "local": True}})
    names: Sequence[str] = allowed(given)
    assert goes_by("a.example:443", names)
    assert goes_by("x.b.example", names)
    assert goes_by("localhost", names)
    assert not goes_by("b.example.evil", names)


def test_the_page_is_served_at_all(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.request("GET", "/text")
    assert connection.getresponse().status == 200
    connection.close()


def test_make_run_binds_to_loopback_unless_told_otherwise() -> None:
    def command(*arguments: str) -> str:
        done = subprocess.run(["make", "-n", "run", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout

    assert "--server.address 127.0.0.1 " in command()
    assert "--server.address 0.0.0.0 " in command("ADDRESS=0.0.0.0")


def listens_on(server: Server) -> set[str]:
    """The addresses on which the process of a server takes connections; "::" where it is every one."""
    connections = psutil.Process(server.pid).net_connections("tcp")
    addresses = {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN}
    return {"::" if address == "0.0.0.0" else address for address in addresses}


@pytest.mark.parametrize(
    ("environment", "options", "addresses"),
    [
        (LOCAL, (), {"127.0.0.1"}),
        (LOCAL, ("--server.address", "0.0.0.0"), {"::"}),
        (LOCAL | {"STREAMLIT_SERVER_ADDRESS": "0.0.0.0"}, (), {"::"}),
        (LOCAL | {"DIPTYCH_ALLOWED_HOSTS": "studio.lan"}, (), {"::"}),
        ({}, (), {"::"}),
    ],
    ids=["local", "a flag", "a variable", "named hosts", "a deployment"],
)
def test_a_local_run_listens_on_loopback_unless_told_otherwise(
    tmp_path: Path, environment: Mapping[str, str], options: Sequence[str], addresses: set[str]
) -> None:
    environment = {"DIPTYCH_LOCAL": "", "STREAMLIT_SERVER_ADDRESS": ""} | dict(environment)
    with served(tmp_path, *options, environment=environment, address="") as server:
        assert listens_on(server) == addresses
        assert server.log.count("it starts again on 127.0.0.1") == (addresses == {"127.0.0.1"})
