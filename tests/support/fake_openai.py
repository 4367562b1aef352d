"""A server on this machine that speaks OpenAI's wire format, and breaks it as it is told.

A `Server` answers every POST with the next of its `plans` (the last one for ever), and keeps what it was asked.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.fakes import PATIENCE

USAGE = {
    "prompt_tokens": 7,
    "completion_tokens": 3,
    "total_tokens": 10,
    "completion_tokens_details": {"reasoning_tokens": 1},
    "prompt_tokens_details": {"cached_tokens": 5},
}


@dataclass
class Asked:
    """One request as it arrived; header names in small letters."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


def chunk(text: str | None = None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """One chunk of an answer; `more` stands beside its choices."""
    delta = {} if text is None else {"content": text}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_763_900_000,
        "model": "fake-2026-11-01",
        "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    } | more


def delta(**fields: Any) -> dict[str, Any]:
    """One chunk with this delta."""
    return chunk(choices=[{"index": 0, "delta": fields, "finish_reason": None}])


def usage(**changes: Any) -> dict[str, Any]:
    return chunk(choices=[], usage=USAGE | changes)


def event(value: object) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


class Conversation(BaseHTTPRequestHandler):
    """One connection. Plans use what stands here to answer."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server  # type: ignore[assignment]

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("content-length", 0))))

    def _answer(self, raw: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.path, headers, json.loads(raw) if raw else {})
        with suppress(OSError):
            self.server.next_plan(asked)(self, asked)

    def log_message(self, *args: object) -> None:
        pass

    def send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        """A whole response."""
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def start(self) -> None:
        """The head of a stream in HTTP chunks."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def push(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def finish_stream(self) -> None:
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def cut(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Hang up as a crashed machine does (RST), not with a good-bye."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


Plan = Callable[[Conversation, Asked], None]


class Server(ThreadingHTTPServer):
    """Answers on a free port of this machine until it is closed."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.requests: list[Asked] = []
        self.plans: list[Plan] = [says("Hello", ", ", "world.")]
        self.released = threading.Event()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def next_plan(self, asked: Asked) -> Plan:
        with self._lock:
            self.requests.append(asked)
            return self.plans.pop(0) if len(self.plans) > 1 else self.plans[0]

    def shutdown_request(self, request: Any) -> None:
        """Without a good-bye: a connection that was reset must not say one."""
        self.close_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Who hangs up on a fake is no news."""


@contextmanager
def running() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)


def says(*texts: str, finish: str = "stop", counted: bool = True) -> Plan:
    """A whole answer, well formed."""
    rows = [delta(role="assistant", content=""), *map(chunk, texts), chunk(finish=finish)]
    return streams(*map(event, rows + [usage()] * counted), DONE)


def streams(*parts: bytes, end: bool = True) -> Plan:
    """Exactly these bytes, one HTTP chunk each; without `end` the connection is cut after them."""

    def plan(on: Conversation, asked: Asked) -> None:
        on.start()
        for part in parts:
            on.push(part)
        if end:
            on.finish_stream()
        else:
            on.cut()

    return plan


def resets(*parts: bytes) -> Plan:
    def plan(on: Conversation, asked: Asked) -> None:
        on.start()
        for part in parts:
            on.push(part)
        on.reset()

    return plan


def refuses(status: int, body: object = None, kind: str = "application/json", **headers: str) -> Plan:
    """An error. Wherever the body says KEY, the key that was sent stands."""
    body = {"error": {"message": "No, not with KEY.", "type": "x", "code": None}} if body is None else body
    text = body if isinstance(body, str) else json.dumps(body)
    return lambda on, asked: on.send(status, text.replace("KEY", asked.key).encode(), kind, **headers)


def answers(body: object, kind: str = "application/json") -> Plan:
    text = body if isinstance(body, str) else json.dumps(body)
    return lambda on, asked: on.send(200, text.encode(), kind)


def redirects(status: int, location: str) -> Plan:
    return lambda on, asked: on.send(status, b"", location=location)


def stalls(*parts: bytes) -> Plan:
    """Sends these parts (none: not even a head), then nothing until the server is closed."""

    def plan(on: Conversation, asked: Asked) -> None:
        if parts:
            on.start()
        for part in parts:
            on.push(part)
        on.server.released.wait(PATIENCE)
        on.cut()

    return plan


def endless_headers(pause: float = 0.0) -> Plan:
    def plan(on: Conversation, asked: Asked) -> None:
        on.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not on.server.released.wait(pause):
            on.wfile.write(b"x-more: " + b"x" * (20 if pause else 1000) + b"\r\n")

    return plan


def endless_body(part: bytes) -> Plan:
    def plan(on: Conversation, asked: Asked) -> None:
        on.start()
        while not on.server.released.is_set():
            on.push(part)

    return plan


def refusing(name: str, body: Mapping[str, Any]) -> Plan:
    """Refuses every request that has this parameter, and answers the others."""

    def plan(on: Conversation, asked: Asked) -> None:
        (refuses(400, body) if name in asked.body else says("Fine."))(on, asked)

    return plan


def echoes(on: Conversation, asked: Asked) -> None:
    """Answers with the prompt's last message."""
    says(str(asked.body["messages"][-1]["content"]))(on, asked)
