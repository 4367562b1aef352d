"""Diptych served by `streamlit run` in a process of its own, as a person starts it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers; `data` holds its history and its log."""

    url: str
    pid: int
    data: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    @property
    def log(self) -> str:
        return (self.data / "server.log").read_text("utf-8")

    def workers(self) -> list[psutil.Process]:
        """The processes that hold its local models; none before the first answer."""
        children = psutil.Process(self.pid).children(recursive=True)
        return [child for child in children if "core.worker" in " ".join(child.cmdline())]


@contextmanager
def served(
    data: Path,
    *options: str,
    models: Path = ROOT / "models",
    environment: Mapping[str, str] | None = None,
    prefix: Sequence[str] = (),
    address: str = "127.0.0.1",
    script: str = "Home.py",
) -> Iterator[Server]:
    """A new server on a free port, with its history under `data` and more options of Streamlit's.

    `prefix` is a command that becomes the server's: it runs what follows it in its own place. Without an `address`
    the server is not told where to listen. `script` is another app than Diptych."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", script]
    command += ["--server.address", address] if address else []
    variables = {"DIPTYCH_DATA": str(data), "DIPTYCH_MODELS": str(models), "HF_HUB_OFFLINE": "1"}
    with (data / "server.log").open("w") as log:
        process = subprocess.Popen(
            [*prefix, *command, "--server.port", str(port), "--server.fileWatcherType", "none", *options],
            cwd=ROOT,
            env=os.environ | variables | dict(environment or {}),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _await(f"http://127.0.0.1:{port}", process)
            yield Server(f"http://127.0.0.1:{port}", process.pid, data)
        finally:
            process.terminate()
            process.wait(20)


@contextmanager
def serving(data: Path, *options: str, models: Path = ROOT / "models") -> Iterator[str]:
    """The same; its URL."""
    with served(data, *options, models=models) as server:
        yield server.url


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(true: Callable[[], bool], seconds: float = 120.0) -> None:
    """Wait for what another process is about to make true."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.1)  # another process has no event to wait for


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the server ended before it answered"
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.2)  # the server has no event to wait for
    raise AssertionError("the server did not answer within 60 s")
