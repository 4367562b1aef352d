"""Fixtures shared by all tests: a data folder of its own, no key in the environment, no real network."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

# How long drawing an example takes says how busy the machine is, nothing of the code.
hypothesis.settings.register_profile("diptych", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("diptych")

# A test that reaches for a hub by mistake shall fail, not wait.
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test that opens a socket beyond this machine fails, even where the code under test swallows the error."""
    outside: list[object] = []

    def guarded(name: str) -> Callable[..., object]:
        plain = getattr(socket.socket, name)

        def connect(self: socket.socket, address: object) -> object:
            if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address):
                outside.append(address)
                raise OSError(f"tests may not connect to {address}")
            return plain(self, address)

        return connect

    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guarded(name))
    yield
    assert not outside, f"this test tried to connect to {outside}"


def _is_loopback(address: object) -> bool:
    host = str(address[0]) if isinstance(address, tuple) else ""
    try:
        return ipaddress.ip_address(host.split("%")[0]).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(autouse=True)
def _clean_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test keeps its history in a folder of its own and sees no key of the developer's."""
    monkeypatch.setenv("DIPTYCH_DATA", str(tmp_path / "data"))
    for name in ("HF_TOKEN", "OPENAI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fresh_resources() -> Iterator[None]:
    """The engine, worker and history of the pages are made anew, and closed when the test ends."""
    from core.ui.session import resources

    resources.close()
    yield
    resources.close()


@pytest.fixture
def visit(fresh_resources: None) -> Callable[[str], object]:
    """Open a page as a person would: through Home.py, then its menu."""
    from streamlit.testing.v1 import AppTest

    def open_page(path: str = "", secrets: Mapping[str, object] = MappingProxyType({})) -> AppTest:
        app = AppTest.from_file(str(ROOT / "Home.py"), default_timeout=60)
        app.secrets = dict(secrets)  # of the deployment
        app.run()
        return app.switch_page(path).run() if path else app

    return open_page
