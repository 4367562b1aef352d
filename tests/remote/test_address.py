"""Which URLs are taken, which addresses are called, and which key goes where: read as an attacker would."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.catalog.servers import SERVERS, Server, custom, server
from core.errors import InvalidInput, KeyRefused, ModelRefused, QuotaSpent
from core.remote.address import MAX_URL, anywhere, checked_url, is_public, loopback_only, public_only, resolved
from core.remote.endpoint import Endpoint, endpoint_for
from core.settings import DeploymentKey, Secret, Secrets, Settings, settings

# --- URLs


@pytest.mark.parametrize("local", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "http://0",
        "http://2130706433",
        "http://0x7f.1",
        "http://127.1",
        "http://0177.0.0.1",
        "http://127.0.0.2",
        "http://[::ffff:127.0.0.1]",
        "http://[::ffff:169.254.169.254]",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost.",
        "http://localhost.evil.example",
        "http://host.example",
        "https://user@host.example",
        "https://user:word@host.example",
        "https://:word@host.example",
        "https://@host.example",
        "https://localhost@host.example",
        "https://evil#@api.openai.com",
        "https://host.example#",
        "https://evil?@api.openai.com",
        "https://evil/@x?y=1",
        "https://host.example/v1?key=1",
        "https://host.example\\@evil.example",
        "https:\\\\host.example",
        "https://host.example/v1 /x",
        "https://host.example/\nv1",
        "https://host.example/\tv1",
        "https://ho\u200bst.example",
        "https://höst.example",
        "https://host.example/\x00",
        "https://ⓔxample.com",
        "https://host.example:22",
        "https://host.example:80",
        "https://host.example:0",
        "https://host.example:1023",
        "https://host.example:65536",
        "https://host.example:-1",
        "https://host.example:x",
        "https://[::1",
        "https://",
        "https:///v1",
        "https:host.example",
        "//host.example",
        "host.example/v1",
        "",
        " ",
        "ftp://host.example",
        "file:///etc/passwd",
        "file://host.example/etc/passwd",
        "gopher://host.example",
        "javascript:alert(1)",
        "data:text/plain,x",
        "unix:///run/x.sock",
        "https://host.example/" + "a" * 5_000,
    ],
)
def test_a_hostile_url_is_refused(text: str, local: bool) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_url(text, local=local)
    assert "word" not in str(caught.value)
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize("text", ["http://127.0.0.1:8000/v1", "http://localhost:11434/v1", "http://[::1]:8080"])
def test_plain_http_is_for_the_visitors_own_machine(text: str) -> None:
    assert checked_url(text, local=True) == text
    with pytest.raises(InvalidInput, match="https"):
        checked_url(text, local=False)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://host.example", "https://host.example"),
        ("  https://host.example/v1/ \n", "https://host.example/v1"),
        ("HTTPS://Host.EXAMPLE/V1", "https://host.example/V1"),
        ("https://host.example:443/v1", "https://host.example:443/v1"),
        ("https://host.example:8443", "https://host.example:8443"),
        ("https://host.example.", "https://host.example."),
        ("https://[2001:4860::1]:8443/v1", "https://[2001:4860::1]:8443/v1"),
        ("https://xn--hst-sna.example/v1", "https://xn--hst-sna.example/v1"),
    ],
)
def test_a_plain_url_is_kept(text: str, found: str) -> None:
    assert checked_url(text, local=False) == found
    assert checked_url(found, local=False) == found


def test_the_longest_url() -> None:
    longest = "https://host.example/" + "a" * (MAX_URL - 21)
    assert checked_url(longest, local=False) == longest
    with pytest.raises(InvalidInput, match=str(MAX_URL)):
        checked_url(longest + "a", local=False)


# --- addresses


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "127.0.0.1",
        "127.255.255.254",
        "0.0.0.0",
        "0.1.2.3",
        "168.63.129.16",
        "::ffff:168.63.129.16",
        "64:ff9b::168.63.129.16",
        "2002:a83f:8110::1",
        "169.254.169.254",
        "169.254.170.2",
        "169.254.0.23",
        "100.100.100.200",
        "::ffff:100.100.100.200",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.64.0.1",
        "100.127.255.255",
        "192.0.0.8",
        "192.0.0.170",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.1.2.3",
        "64:ff9b::169.254.169.254",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2002:a00:1::1",
        "2002:a9fe:a9fe::1",
        "2002:e000:1::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
        "2001:db8::1",
        "3fff::1",
        "100::1",
        "5f00::1",
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff0e::1",
    ],
)
def test_an_address_that_is_not_on_the_open_internet(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "93.184.216.34",
        "172.15.0.1",
        "172.32.0.1",
        "168.63.129.15",
        "168.63.129.17",
        "100.63.0.1",
        "100.128.0.1",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "2002:808:808::1",
    ],
)
def test_an_address_on_the_open_internet(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "addresses",
    [
        [],
        ["127.0.0.1"],
        ["93.184.216.34", "10.0.0.1"],
        ["10.0.0.1", "93.184.216.34"],
        ["93.184.216.34", "::1"],
        ["2606:4700::1111", "::ffff:169.254.169.254"],
    ],
)
def test_one_inner_address_spoils_all(addresses: list[str]) -> None:
    with pytest.raises(PermissionError):
        public_only("host.example", addresses)


def test_rules_let_through_what_they_are_for() -> None:
    public_only("host.example", ["93.184.216.34", "2606:4700::1111"])
    loopback_only("localhost", ["127.0.0.1", "::1"])
    anywhere("localhost", [])


@pytest.mark.parametrize("addresses", [[], ["93.184.216.34"], ["127.0.0.1", "192.168.0.7"]])
def test_plain_http_stays_on_this_machine(addresses: list[str]) -> None:
    with pytest.raises(PermissionError):
        loopback_only("localhost", addresses)


@pytest.mark.parametrize("host", ["0", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "localhost", "::1", "0.0.0.0"])
def test_every_spelling_of_this_machine_is_looked_at_as_an_address(host: str) -> None:
    """A URL with https may carry such a host; the rule sees what it means."""
    with pytest.raises(PermissionError):
        public_only(host, resolved(host, 443))


def test_addresses_are_named_once_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [(0, 0, 0, "", (address, 443)) for address in ("2606:4700::1111", "8.8.8.8", "2606:4700::1111")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    assert resolved("host.example", 443) == ["2606:4700::1111", "8.8.8.8"]


# --- endpoints

OWN = Secret("own-key-of-a-visitor")
URL = "https://host.example/v1"


@pytest.fixture
def chosen(tmp_path: Path) -> Callable[..., Settings]:
    return lambda **changes: replace(settings({"DIPTYCH_DATA": str(tmp_path)}), **changes)


def lent(ask: Callable[[], None] = lambda: None, used: Callable[[int], None] = lambda tokens: None) -> DeploymentKey:
    return DeploymentKey("the-deployments-key", ask, used)


@pytest.mark.parametrize("row", [row for row in SERVERS if row.needs_key], ids=lambda row: row.id)
def test_a_key_goes_to_its_own_host(row: Server, chosen: Callable[..., Settings]) -> None:
    endpoint = endpoint_for(row, chosen(), {row.id: OWN, "other": Secret("another")})
    assert (endpoint.base_url, endpoint.key, endpoint.rule) == (row.base_url, OWN, anywhere)
    assert endpoint.base_url.startswith("https://")


@pytest.mark.parametrize("row", [row for row in SERVERS if row.needs_key], ids=lambda row: row.id)
def test_no_key_is_borrowed(row: Server, chosen: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY", "HF_TOKEN", "ANTHROPIC_API_KEY", "GROQ_API_KEY"):
        monkeypatch.setenv(name, "a-key-in-the-environment")
    others = {other.id: Secret(f"key-of-{other.id}") for other in SERVERS if other.id != row.id}
    for secrets in ({}, others, {row.id: Secret("")}, {row.id: Secret("   ")}, {row.name: OWN}):
        with pytest.raises(KeyRefused, match=r"no key for"):
            endpoint_for(row, chosen(secrets=others), secrets)


@pytest.mark.parametrize("bad", ["sk-bad\nX-Evil: 1", "sk-bäd", "sk bad", "k" * 513, "sk-bad\x00"])
def test_a_key_that_no_header_can_hold_is_not_sent(bad: str, chosen: Callable[..., Settings]) -> None:
    with pytest.raises(KeyRefused, match="cannot be sent") as caught:
        endpoint_for(server("openai"), chosen(), {"openai": Secret(bad)})
    assert bad not in str(caught.value)
    assert "sk" not in str(caught.value)


def test_the_settings_keys_are_used_by_nobody_who_was_not_handed_them(chosen: Callable[..., Settings]) -> None:
    with pytest.raises(KeyRefused):
        endpoint_for(server("openai"), chosen(secrets={"openai": Secret("the-deployments-key")}), {})


def test_a_deployment_may_move_a_server(chosen: Callable[..., Settings]) -> None:
    moved = chosen(base_urls={"openai": "https://proxy.example/v1/", "ollama": "http://gpu.lan:11434/v1"})
    assert endpoint_for(server("openai"), moved, {"openai": OWN}).base_url == "https://proxy.example/v1"
    assert endpoint_for(server("ollama"), moved, {}).base_url == "http://gpu.lan:11434/v1"
    with pytest.raises(ModelRefused):
        endpoint_for(server("vllm"), moved, {})


@pytest.mark.parametrize("row", [row for row in SERVERS if row.local], ids=lambda row: row.id)
def test_servers_on_this_machine_are_for_local_runs(row: Server, chosen: Callable[..., Settings]) -> None:
    with pytest.raises(ModelRefused, match="make run"):
        endpoint_for(row, chosen(), {})
    endpoint = endpoint_for(row, chosen(local=True), {"openai": OWN})
    assert endpoint.key is None
    assert endpoint.base_url.startswith("http://localhost:")


def test_a_visitors_server_gets_the_visitors_key_on_the_open_internet(chosen: Callable[..., Settings]) -> None:
    row = custom(URL + "/")
    endpoint = endpoint_for(row, chosen(custom_servers=True), {row.id: OWN, "openai": lent()})
    assert (endpoint.base_url, endpoint.key, endpoint.rule) == (URL, OWN, public_only)


def test_a_visitors_server_on_a_local_run(chosen: Callable[..., Settings]) -> None:
    row = custom("http://localhost:9999/v1")
    endpoint = endpoint_for(row, chosen(custom_servers=True, local=True), {row.id: OWN})
    assert endpoint.rule is loopback_only
    with pytest.raises(InvalidInput):
        endpoint_for(row, chosen(custom_servers=True), {row.id: OWN})


def test_https_on_a_local_run_is_still_for_the_open_internet(chosen: Callable[..., Settings]) -> None:
    row = custom("https://localhost:9999/v1")
    assert endpoint_for(row, chosen(custom_servers=True, local=True), {row.id: OWN}).rule is public_only


def test_servers_of_visitors_are_off_unless_allowed(chosen: Callable[..., Settings]) -> None:
    row = custom(URL)
    for local in (False, True):
        with pytest.raises(ModelRefused, match="DIPTYCH_CUSTOM_SERVERS"):
            endpoint_for(row, chosen(local=local), {row.id: OWN})


def test_a_lent_key_never_goes_to_a_visitors_server(chosen: Callable[..., Settings]) -> None:
    row = custom(URL)
    keys: list[Secrets] = [{}, {"openai": lent(), "custom": lent()}, {"custom": OWN}, {row.id + "/": OWN}]
    for secrets in keys:
        with pytest.raises(KeyRefused):
            endpoint_for(row, chosen(custom_servers=True), secrets)
    with pytest.raises(ModelRefused, match="key of your own"):
        endpoint_for(row, chosen(custom_servers=True), {row.id: lent()})


@pytest.mark.parametrize("url", ["http://127.0.0.1", "https://user@host.example", "https://evil#@api.openai.com", "x"])
def test_a_visitors_url_is_checked_before_its_key_is_looked_for(url: str, chosen: Callable[..., Settings]) -> None:
    with pytest.raises(InvalidInput):
        endpoint_for(custom(url), chosen(custom_servers=True), {})


def test_a_forged_row_does_not_get_a_key(chosen: Callable[..., Settings]) -> None:
    """A custom server that names itself like one of the table is still a custom one."""
    forged = replace(custom("https://evil.example"), name="OpenAI")
    with pytest.raises(KeyRefused):
        endpoint_for(forged, chosen(custom_servers=True), {"openai": lent()})


def test_only_a_lent_key_is_counted() -> None:
    asked: list[str] = []
    tokens: list[int] = []
    row = server("openai")
    endpoint = Endpoint(row, row.base_url, lent(lambda: asked.append("?"), tokens.append), anywhere)
    endpoint.check_allowance()
    endpoint.count_tokens(12)
    assert (asked, tokens) == (["?"], [12])
    for key in (OWN, None):
        Endpoint(row, row.base_url, key, anywhere).check_allowance()
        Endpoint(row, row.base_url, key, anywhere).count_tokens(99)
    assert (asked, tokens) == (["?"], [12])


def test_a_spent_allowance_is_said_at_the_endpoint() -> None:
    def spent() -> None:
        raise QuotaSpent("no more", 7.0)

    row = server("openai")
    with pytest.raises(QuotaSpent, match="no more"):
        Endpoint(row, row.base_url, lent(spent), anywhere).check_allowance()


def test_an_endpoint_does_not_show_its_key() -> None:
    row = server("openai")
    for key in (OWN, lent()):
        shown = repr(Endpoint(row, row.base_url, key, anywhere))
        assert "own-key" not in shown
        assert "the-deployments-key" not in shown
