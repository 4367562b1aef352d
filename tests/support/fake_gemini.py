"""A Gemini on loopback that speaks the real wire formats and answers as it is told; it waits on events, never sleeps.

google-genai reads server-sent events, google-generativeai a JSON array with numbers for enums. What is served next is a
Plan: a function that is given the Call. Every request is kept, with the key that it carried.
"""

from __future__ import annotations

import json
import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from tests.support.fakes import PATIENCE

Chunk = dict[str, Any]
Plan = Callable[["Call"], None]

# Numbers of google.ai.generativelanguage.v1beta's enums, which a request with enum-encoding=int is answered in.
FINISH = {"STOP": 1, "MAX_TOKENS": 2, "SAFETY": 3, "RECITATION": 4, "BLOCKLIST": 7, "PROHIBITED_CONTENT": 8, "SPII": 9}
BLOCK = {"SAFETY": 1, "OTHER": 2, "BLOCKLIST": 3, "PROHIBITED_CONTENT": 4}


def chunk(
    text: str | None = None, finish: str | None = None, usage: Chunk | None = None, parts: list[Chunk] | None = None
) -> Chunk:
    """One chunk of a streamed answer."""
    parts = parts if parts is not None else [] if text is None else [{"text": text}]
    candidate: Chunk = {"index": 0, "content": {"role": "model", "parts": parts}}
    found: Chunk = {"candidates": [candidate | ({"finishReason": finish} if finish else {})]}
    return found | ({"usageMetadata": usage} if usage else {}) | {"modelVersion": "gemini-fake-001"}


def usage(prompt: int, answer: int, thoughts: int = 0) -> Chunk:
    found = {"promptTokenCount": prompt, "candidatesTokenCount": answer, "totalTokenCount": prompt + answer + thoughts}
    return found | ({"thoughtsTokenCount": thoughts} if thoughts else {})


@dataclass(frozen=True)
class Recorded:
    method: str
    path: str
    key: str | None
    headers: dict[str, str]
    body: Any


class Call:
    """One request on its way to be answered."""

    def __init__(self, handler: BaseHTTPRequestHandler, recorded: Recorded, server: FakeGemini) -> None:
        self._handler = handler
        self.recorded = recorded
        self.server = server
        self.legacy = "alt=sse" not in recorded.path

    def send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        """A whole response; underscores in names of headers stand for hyphens."""
        self._handler.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self._handler.send_header(name.replace("_", "-"), value)
        self._handler.end_headers()
        self._handler.wfile.write(body)

    def error(self, status: int, name: str, message: str, *details: Chunk, **headers: str) -> None:
        """Google's error object, in an array where the old SDK streams; it repeats the key, as a bad server would."""
        inner = {"code": status, "message": f"{message} ({self.recorded.key})", "status": name, "details": details}
        found: Any = {"error": inner}
        self.send(status, json.dumps([found] if self.legacy else found).encode(), **headers)

    def begin(self) -> None:
        kind = "application/json; charset=UTF-8" if self.legacy else "text/event-stream"
        self._handler.send_response(200)
        self._handler.send_header("Content-Type", kind)
        self._handler.send_header("Transfer-Encoding", "chunked")
        self._handler.end_headers()

    def write(self, data: bytes) -> None:
        self._handler.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self._handler.wfile.flush()

    def framed(self, chunks: list[Chunk]) -> list[bytes]:
        """Each chunk in the form that this SDK streams; the last of an array closes it."""
        if not self.legacy:
            return [b"data: " + json.dumps(one, ensure_ascii=False).encode() + b"\r\n\r\n" for one in chunks]
        made = [json.dumps(numbered(one), ensure_ascii=False).encode() for one in chunks]
        return [(b"[" if i == 0 else b",\r\n") + one for i, one in enumerate(made)]

    def end(self, *, whole: bool = True) -> None:
        """Close the stream; not whole, the connection just breaks."""
        if whole:
            if self.legacy:
                self.write(b"]")
            self._handler.wfile.write(b"0\r\n\r\n")
        else:
            self.hang_up()

    def hang_up(self) -> None:
        self._handler.close_connection = True
        self._handler.connection.shutdown(socket.SHUT_RDWR)


def numbered(one: Chunk) -> Chunk:
    found = json.loads(json.dumps(one))
    for candidate in found.get("candidates", []):
        if "finishReason" in candidate:
            candidate["finishReason"] = FINISH.get(candidate["finishReason"], 99)
    if "blockReason" in found.get("promptFeedback", {}):
        found["promptFeedback"]["blockReason"] = BLOCK[found["promptFeedback"]["blockReason"]]
    return found


def stream(*chunks: Chunk, whole: bool = True, split: int = 0) -> Plan:
    """These chunks; with `split` in TCP pieces of so many bytes."""

    def plan(call: Call) -> None:
        call.begin()
        for data in call.framed(list(chunks)):
            for start in range(0, len(data), split or len(data)):
                call.write(data[start : start + (split or len(data))])
        call.end(whole=whole)

    return plan


ANSWER = stream(chunk("Hello"), chunk(" there", "STOP", usage(3, 2)))


def stall(call: Call) -> None:
    """Half an answer, then nothing until the server closes."""
    call.begin()
    for data in call.framed([chunk("half", usage=usage(3, 1))]):
        call.write(data)
    call.server.stalled.set()
    call.server.released.wait(PATIENCE)


def silence(call: Call) -> None:
    """Not even a status, until the server closes."""
    call.server.stalled.set()
    call.server.released.wait(PATIENCE)


def endless(call: Call) -> None:
    """An answer that goes on for as long as anybody reads."""
    call.begin()
    one, more = call.framed([chunk("more and more " * 50)] * 2)
    call.write(one)
    while not call.server.released.is_set():
        call.write(more)


def refusal(status: int, name: str = "", message: str = "No.", *details: Chunk, **headers: str) -> Plan:
    return lambda call: call.error(status, name, message, *details, **headers)


class FakeGemini:
    """The server. `plans` are used up one by one; with none left, `default` answers."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.plans: deque[Plan] = deque()
        self.default: Plan = ANSWER
        self.models: list[Chunk] = []
        self.stalled, self.released = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                body = json.loads(self.rfile.read(length) or b"null")
                fake._serve(self, body)

            def do_GET(self) -> None:
                fake._serve(self, None)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that hangs up is what many tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> FakeGemini:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)

    def plan(self, *plans: Plan) -> None:
        self.plans.extend(plans)

    @property
    def keys(self) -> list[str | None]:
        return [one.key for one in self.requests]

    @property
    def bodies(self) -> list[Any]:
        return [one.body for one in self.requests]

    def _serve(self, handler: BaseHTTPRequestHandler, body: Any) -> None:
        headers = {name.lower(): value for name, value in handler.headers.items()}
        recorded = Recorded(handler.command, handler.path, headers.get("x-goog-api-key"), headers, body)
        with self._lock:
            self.requests.append(recorded)
            plan = self.plans.popleft() if self.plans else None
        call = Call(handler, recorded, self)
        with suppress(OSError):
            if plan is not None:
                plan(call)
            elif handler.command == "GET":
                self._list(call)
            else:
                self.default(call)

    def _list(self, call: Call) -> None:
        """GET /v1beta/models, in pages of at most 1000."""
        query = dict(pair.split("=", 1) for pair in call.recorded.path.partition("?")[2].split("&") if "=" in pair)
        start, size = int(query.get("pageToken", "0")), min(1000, int(query.get("pageSize", "50")))
        found: Chunk = {"models": self.models[start : start + size]}
        if start + size < len(self.models):
            found["nextPageToken"] = str(start + size)
        call.send(200, json.dumps(found).encode())


def model(name: str, *actions: str) -> Chunk:
    """One entry of a listing."""
    return {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": list(actions)}
