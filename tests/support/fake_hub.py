"""As much of huggingface.co on loopback as a download of one repository asks for, with faults on demand."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

COMMIT = "607a30d783dfa663caf39e06633721c8d4cfcd7e"
REPO = "tiny/gpt2"
LARGE = (".safetensors", ".bin", ".ckpt", ".onnx", ".h5", ".msgpack", ".ot")
"""Kept by their SHA-256, as the hub keeps large files."""

ERRORS = {
    "gated": (403, "GatedRepo", "Access to this model is restricted"),
    "missing": (404, "RepoNotFound", "Repository not found"),
    "private": (401, "RepoNotFound", "Invalid username or password."),
    "no revision": (404, "RevisionNotFound", "Invalid rev id"),
    "broken": (500, "", "Internal Error"),
}


class Hub(BaseHTTPRequestHandler):
    """Serves `folder` as repository `repo` at `commit`.

    `mood` is an answer of ERRORS to everything, or "gated files": listed for everybody, given to nobody. `cuts` are
    how many bytes of a large file are sent before the line breaks, one for each attempt; a body of another kind comes
    with `twisted`. `pace`: seconds between pieces of a large file. `asked` has every path, `ranges` what was asked of
    large files, `sent` how many of their bytes went out.
    """

    protocol_version = "HTTP/1.1"
    folder: ClassVar[Path]
    repo: ClassVar[str] = REPO
    commit: ClassVar[str] = COMMIT
    mood: ClassVar[str] = ""
    asked: ClassVar[list[str]]
    ranges: ClassVar[list[str]]
    cuts: ClassVar[list[int]]
    twisted: ClassVar[bool] = False
    takes_ranges: ClassVar[bool] = True
    pace: ClassVar[float] = 0.0
    sent: ClassVar[int] = 0

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = self.path.split("?")[0]
        if self.mood in ERRORS:
            self.refuse(self.mood)
        elif path.startswith(f"/api/models/{self.repo}/tree/"):
            files = sorted(file for file in self.folder.rglob("*") if file.is_file())
            self.answer(json.dumps([self.listed(file) for file in files]).encode())
        elif path.startswith(f"/api/models/{self.repo}"):
            self.answer(json.dumps({"id": self.repo, "sha": self.commit, "siblings": []}).encode())
        elif "/resolve/" in path and (file := self.folder / path.split("/", 5)[5]).is_file():
            self.give(file)
        else:
            self.answer(b"", 404, {"X-Error-Code": "EntryNotFound"})

    def refuse(self, mood: str) -> None:
        status, code, message = ERRORS[mood]
        self.answer(b"{}", status, {"X-Error-Code": code, "X-Error-Message": message})

    def listed(self, file: Path) -> dict[str, object]:
        data = file.read_bytes()
        plain = {"type": "file", "path": file.relative_to(self.folder).as_posix(), "size": len(data)}
        large = {"lfs": {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}}
        return {**plain, "oid": hashlib.sha1(data).hexdigest(), **(large if file.suffix in LARGE else {})}

    def give(self, file: Path) -> None:
        data, large = file.read_bytes(), file.suffix in LARGE
        digest = (hashlib.sha256 if large else hashlib.sha1)(data).hexdigest()
        headers = {"ETag": f'"{digest}"', "X-Repo-Commit": self.commit}
        if large and self.mood == "gated files":
            self.refuse("gated")
        elif large and self.command == "GET":
            self.give_large(data, headers)
        else:
            self.answer(data, 200, headers)

    def give_large(self, data: bytes, headers: dict[str, str]) -> None:
        asked = self.headers.get("Range", "")
        self.ranges.append(asked)
        begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.takes_ranges else 0
        body = bytes(len(data) - begin) if self.twisted else data[begin:]
        cut = self.cuts.pop(0) if self.cuts else len(body)
        status = 206 if begin else 200
        more = {"Content-Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"} if begin else {}
        self.begin(len(body), status, headers | more)
        for place in range(0, min(cut, len(body)), 20_000):
            piece = body[place : min(place + 20_000, cut)]
            try:
                self.wfile.write(piece)
            except OSError:
                break
            type(self).sent += len(piece)
            time.sleep(self.pace)
        self.close_connection = self.close_connection or cut < len(body)

    def answer(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.begin(len(body), status, headers or {})
        if self.command == "GET":
            self.wfile.write(body)

    def begin(self, length: int, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class Serving:
    """A hub that serves a folder for the length of a with block; gives its handler class, and its address."""

    def __init__(self, folder: Path) -> None:
        state = {"folder": folder, "asked": [], "ranges": [], "cuts": []}
        self.handler: type[Hub] = type("Mine", (Hub,), state)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Serving:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
