"""A tiny hub on loopback: downloads, the cache, and every way in which a hub says no."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from core import repository
from core.errors import HubUnreachable, ModelRefused
from core.settings import Settings
from core.types import ModelSpec, Progress
from tests import tiny_models

COMMIT = "607a30d783dfa663caf39e06633721c8d4cfcd7e"
REPO = "tiny/gpt2"


class Hub(BaseHTTPRequestHandler):
    """As much of huggingface.co as a download of one repository asks for."""

    protocol_version = "HTTP/1.1"
    folder: ClassVar[Path]
    repo: ClassVar[str] = REPO
    commit: ClassVar[str] = COMMIT
    mood: ClassVar[str] = ""
    asked: ClassVar[list[str]] = []

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = self.path.split("?")[0]
        errors = {
            "gated": (403, "GatedRepo", "Access to this model is restricted"),
            "missing": (404, "RepoNotFound", "Repository not found"),
            "private": (401, "RepoNotFound", "Invalid username or password."),
            "no revision": (404, "RevisionNotFound", "Invalid rev id"),
            "broken": (500, "", "Internal Error"),
        }
        if self.mood in errors:
            status, code, message = errors[self.mood]
            self.answer(b"{}", status, {"X-Error-Code": code, "X-Error-Message": message})
        elif path.startswith(f"/api/models/{self.repo}/tree/"):
            self.answer(json.dumps([self.listed(file) for file in sorted(self.folder.iterdir())]).encode())
        elif path.startswith(f"/api/models/{self.repo}"):
            self.answer(json.dumps({"id": self.repo, "sha": self.commit, "siblings": []}).encode())
        elif (file := self.folder / path.split("/")[-1]).is_file():
            headers = {"ETag": f'"{hashlib.sha1(file.read_bytes()).hexdigest()}"', "X-Repo-Commit": self.commit}
            self.answer(file.read_bytes(), 200, headers)
        else:
            self.answer(b"", 404, {"X-Error-Code": "EntryNotFound"})

    def listed(self, file: Path) -> dict[str, object]:
        data = file.read_bytes()
        return {"type": "file", "path": file.name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}

    def answer(self, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | (headers or {})).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub")
    tiny_models.build("gpt2", folder)
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    (folder / "modeling_evil.py").write_text("boom")
    (folder / "onnx.onnx").write_bytes(b"0" * 1000)
    return folder


@pytest.fixture
def hub(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    from huggingface_hub import constants

    handler = type("Mine", (Hub,), {"folder": files, "mood": "", "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield handler
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", models=tmp_path / "models")


def remote(**changes: object) -> ModelSpec:
    row = tiny_models.row(Path("gpt2"), name="GPT-2", bundled=False)
    return replace(row, **({"source": REPO, "revision": COMMIT, "download_bytes": 548_000_000} | changes))  # type: ignore[arg-type]


def test_a_snapshot_is_downloaded_once_and_then_read_without_the_hub(hub: type[Hub], settings: Settings) -> None:
    seen: list[Progress] = []
    assert not repository.present(remote(), settings)
    folder = repository.folder(remote(), settings, seen.append)
    names = {path.name for path in folder.iterdir()}
    assert names >= {"config.json", "generation_config.json", "tokenizer.json", "model.safetensors"}
    assert not names & {"pytorch_model.bin", "modeling_evil.py", "onnx.onnx"}
    assert seen[-1].note.startswith("downloading GPT-2: ")
    assert seen[-1].done == seen[-1].total == repository.size(folder)
    asked = len(hub.asked)
    assert repository.present(remote(), settings)
    assert repository.folder(remote(), settings) == folder
    assert len(hub.asked) == asked


def test_a_branch_is_followed_to_its_commit(hub: type[Hub], settings: Settings) -> None:
    folder = repository.folder(remote(revision="main"), settings)
    assert folder.name == COMMIT
    assert repository.present(remote(revision="main"), settings)


def test_a_download_that_broke_off_is_taken_up_again(hub: type[Hub], settings: Settings) -> None:
    folder = repository.folder(remote(), settings)
    (folder / "tokenizer.json").unlink()
    assert not repository.present(remote(), settings)
    assert (repository.folder(remote(), settings) / "tokenizer.json").is_file()


@pytest.mark.parametrize(
    ("mood", "error", "sentence"),
    [
        ("gated", ModelRefused, r"GPT-2 is gated: accept its terms at http://127\.0\.0\.1:\d+/tiny/gpt2"),
        ("missing", ModelRefused, "The hub knows no public repository tiny/gpt2"),
        ("private", ModelRefused, "The hub knows no public repository tiny/gpt2"),
        ("no revision", ModelRefused, f"tiny/gpt2 has no revision {COMMIT}"),
    ],
)
def test_a_hub_that_says_no(
    hub: type[Hub], settings: Settings, mood: str, error: type[Exception], sentence: str
) -> None:
    hub.mood = mood
    with pytest.raises(error, match=sentence):
        repository.folder(remote(), settings)


def test_nobody_at_the_hubs_address(hub: type[Hub], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, but nobody listens
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{unused.getsockname()[1]}")
        with pytest.raises(HubUnreachable) as caught:
            repository.folder(remote(), settings)
    assert str(caught.value) == (
        "GPT-2 is not on this machine (548 MB) and 127.0.0.1 cannot be reached. "
        "Connect to the internet and try again, or choose tiny-text, which ships with the app."
    )


@pytest.mark.parametrize("how", ["setting", "environment"])
def test_offline_asks_nobody(hub: type[Hub], settings: Settings, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    if how == "setting":
        settings = replace(settings, offline=True)
    else:
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(HubUnreachable, match=r"not on this machine \(548 MB\) and downloads are switched off"):
        repository.folder(remote(), settings)
    assert hub.asked == []


def test_a_cached_model_needs_no_network(hub: type[Hub], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repository.folder(remote(), settings)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    assert repository.folder(remote(), replace(settings, offline=True)) == folder


def test_a_disk_that_is_too_small(hub: type[Hub], settings: Settings) -> None:
    with pytest.raises(ModelRefused, match=r"GPT-2 needs 1100000000\.0 GB of disk and .* has .* left"):
        repository.folder(replace(remote(), download_bytes=10**18), settings)
    assert hub.asked == []


@pytest.fixture
def only_pickle(hub: type[Hub], files: Path, tmp_path: Path) -> type[Hub]:
    folder = tmp_path / "pickle"
    folder.mkdir()
    for name in ("config.json", "pytorch_model.bin", "tokenizer.json"):
        (folder / name).write_bytes((files / name).read_bytes())
    (folder / "training_args.bin").write_bytes(b"another pickle")
    (folder / "modeling_evil.py").write_text("boom")
    hub.folder = folder
    return hub


def test_a_repository_without_safetensors(only_pickle: type[Hub], settings: Settings) -> None:
    with pytest.raises(ModelRefused, match="has no safetensors weights"):
        repository.folder(remote(), settings)
    assert not [path for path in only_pickle.asked if path.endswith(".bin")]


def test_the_listed_exception_is_fetched_with_its_one_pickle(only_pickle: type[Hub], settings: Settings) -> None:
    ((only_pickle.repo, only_pickle.commit), name), *others = repository.PICKLED.items()
    assert not others
    row = remote(source=only_pickle.repo, revision=only_pickle.commit)
    folder = repository.folder(row, settings)
    assert {path.name for path in folder.iterdir()} == {"config.json", "tokenizer.json", name}
    assert repository.present(row, settings)
    (folder / name).unlink()
    assert not repository.present(row, settings)


def test_the_listed_repository_at_another_revision_is_refused(only_pickle: type[Hub], settings: Settings) -> None:
    only_pickle.repo = next(iter(repository.PICKLED))[0]
    with pytest.raises(ModelRefused, match="has no safetensors weights"):
        repository.folder(remote(source=only_pickle.repo), settings)
    assert not [path for path in only_pickle.asked if path.endswith(".bin")]


@pytest.mark.parametrize(
    "source",
    [
        "../../etc",
        "/etc/passwd",
        "C:\\x",
        "\\\\host\\share",
        "https://evil.example/x",
        "a/b/c",
        "a",
        "a/..",
        "a/b\n",
        "./b",
        "",
    ],
)
def test_strange_repositories_are_refused(hub: type[Hub], settings: Settings, source: str) -> None:
    with pytest.raises(ModelRefused, match="not the name of a folder or repository"):
        repository.folder(remote(source=source), settings)
    assert hub.asked == []


@pytest.mark.parametrize("changes", [{"revision": "../main"}, {"revision": ""}, {"files": ("pytorch_model.bin",)}])
def test_strange_rows_are_refused(settings: Settings, changes: dict[str, object]) -> None:
    with pytest.raises(ModelRefused, match="catalog"):
        repository.folder(remote(**changes), settings)


def test_a_bundled_folder(settings: Settings) -> None:
    row = tiny_models.build("gpt2", settings.models / "mine")
    assert repository.folder(row, settings) == settings.models / "mine"
    assert repository.present(row, settings)
    assert repository.size(settings.models / "mine") > 10_000
    (settings.models / "mine" / "model.safetensors").unlink()
    assert not repository.present(row, settings)
    with pytest.raises(ModelRefused, match="should ship with the app"):
        repository.folder(row, settings)


@pytest.mark.parametrize("source", ["..", "../other", "a/b", "/etc", ""])
def test_a_bundled_folder_lies_in_the_models_folder(settings: Settings, source: str) -> None:
    with pytest.raises(ModelRefused, match="not the name of a folder"):
        repository.folder(tiny_models.row(Path("x"), source=source), settings)


def test_a_shard_that_is_missing_is_noticed(settings: Settings) -> None:
    row = tiny_models.build("gpt2", settings.models / "shards")
    index = settings.models / "shards" / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "model-00002-of-00002.safetensors"}}))
    assert not repository.present(row, settings)
