"""How the worker process is started and ended, and what it is given: an address, and nothing secret but its key.

    server: makes a private folder, starts the process, writes address and key to its standard input
    worker: listens there, writes "ready"
    server: connects, removes the folder, sends the settings; standard input stays open until the server is gone

The process gets neither the deployment's keys nor the server's whole environment: Streamlit copies secrets into that.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection

from core.errors import WorkerDied
from core.settings import ROOT, Settings
from core.worker.wire import pack

_PASSED = re.compile(
    r"PATH|HOME|USER|LANG|LANGUAGE|TZ|TMPDIR|TEMP|TMP|VIRTUAL_ENV|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(HTTPS?|ALL|NO)_PROXY"
    r"|SYSTEMROOT|WINDIR|COMSPEC|USERPROFILE|APPDATA|LOCALAPPDATA"
    r"|(LC|HF|HUGGINGFACE|TRANSFORMERS|TORCH|PYTORCH|CUDA|NVIDIA|HIP|OMP|MKL|OPENBLAS|KMP|XDG|LD|DYLD|SSL)_\w+|PYTHON\w+",
    re.IGNORECASE,
)
_SECRET = re.compile(r"(^|_)(KEY|TOKENS?|SECRETS?|PASSWORD|CREDENTIALS?)(_|$)", re.IGNORECASE)


def launch(command: Sequence[str], settings: Settings) -> tuple[subprocess.Popen[str], Connection]:
    """Start a worker process and connect to it.

    Raises:
        WorkerDied: it ended before it was ready.
    """
    key = secrets.token_bytes(32)
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment(os.environ)
    )
    try:
        with tempfile.TemporaryDirectory(prefix="diptych-") as folder:
            address = rf"\\.\pipe\diptych-{secrets.token_hex(8)}" if sys.platform == "win32" else f"{folder}/worker"
            _introduce(process, address, key)
            connection = Client(address, authkey=key)
        connection.send_bytes(pack(settings))
    except (OSError, EOFError, AuthenticationError):
        end(process)
        raise WorkerDied("The model process could not be started; the server's log says why.") from None
    return process, connection


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process and wait until its memory is free."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe:
            pipe.close()


def environment(names: Mapping[str, str]) -> dict[str, str]:
    """What of an environment a worker process needs, none of it a key."""
    return {name: names[name] for name in names if _PASSED.fullmatch(name) and not _SECRET.search(name)}


def _introduce(process: subprocess.Popen[str], address: str, key: bytes) -> None:
    if process.stdin is None or process.stdout is None:
        raise EOFError
    process.stdin.write(json.dumps({"address": address, "authkey": key.hex()}) + "\n")
    process.stdin.flush()
    if not any(line.strip() == "ready" for line in process.stdout):
        raise EOFError
    process.stdout.close()
