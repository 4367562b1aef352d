"""A real server behind the provider: `transformers serve`, with the model that ships with Diptych.

It shows what a fake of our own cannot: that another's idea of OpenAI's language is understood.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core import catalog
from core.catalog import servers
from core.providers import list_models, open_remote
from core.settings import Settings
from core.types import Delta, Event, Failed, Finished, Message, Output, Request, Value

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models" / "tiny-text"
GENERATION = "generation_config.json"
NAME = "diptych/tiny-text"
ENDLESS = "diptych/never-ends"
"""The same model, which samples and may not say the token that ends an answer."""
STARTUP_SECONDS = 75
QUESTION = (Message("user", "Say the word blue three times."),)


def cached(home: Path, name: str, **generation: object) -> None:
    """Put the model into a hub cache under this name, with changes to its generation_config.json."""
    repository = home / "hub" / f"models--{name.replace('/', '--')}"
    revision = "0" * 40
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(revision)
    snapshot = repository / "snapshots" / revision
    snapshot.mkdir(parents=True)
    for path in MODEL.iterdir():
        if path.name != GENERATION:
            (snapshot / path.name).symlink_to(path)
    (snapshot / GENERATION).write_text(json.dumps(json.loads((MODEL / GENERATION).read_text()) | generation))


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        return int(found.getsockname()[1])


def wait_until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    still = threading.Event()
    ends = time.monotonic() + STARTUP_SECONDS
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2) as response:
                assert response.status == 200
                return
        except OSError:
            still.wait(0.2)
    raise AssertionError(f"transformers serve did not answer; its process says {process.poll()}")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    home = tmp_path_factory.mktemp("home")
    cached(home, NAME)
    end = json.loads((MODEL / GENERATION).read_text())["eos_token_id"]
    cached(home, ENDLESS, suppress_tokens=[end], do_sample=True)
    port = free_port()
    environment = os.environ | {
        "HF_HOME": str(home),
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "HOME": str(home),
        "PYTHONWARNINGS": "ignore",
    }
    environment.pop("HF_HUB_CACHE", None)
    command = [str(Path(sys.executable).with_name("transformers")), "serve", "--host", "127.0.0.1", "--device", "cpu"]
    with (home / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--port", str(port)], env=environment, stdout=log, stderr=log)
        try:
            wait_until_it_answers(f"http://127.0.0.1:{port}", process)
            yield Settings(
                data=home, base_urls={"transformers": f"http://127.0.0.1:{port}/v1"}, remote_read_seconds=60.0
            )
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def events(
    settings: Settings, stop_after: int = 10_000, name: str = NAME, seed: int = 3, **parameters: Value
) -> list[Event]:
    model = open_remote(catalog.spec(f"transformers:{name}"), settings, {})
    come: list[Event] = []
    request = Request(messages=QUESTION, parameters=parameters, seed=seed)
    try:
        for event in model.generate([request], lambda index: len(come) >= stop_after):
            come.append(event)
    finally:
        model.close()
    return come


def ended(come: list[Event]) -> Output:
    last = come[-1]
    assert isinstance(last, Finished), last
    assert "".join(event.text for event in come if isinstance(event, Delta)) == last.output.text
    return last.output


def test_its_models_are_listed(settings: Settings) -> None:
    assert sorted(list_models(servers.server("transformers"), settings, {})) == [ENDLESS, NAME]


def test_an_answer_ends_by_itself(settings: Settings) -> None:
    output = ended(events(settings, max_new_tokens=100))
    assert output.text
    assert output.finish == "stop"
    assert 0 < output.output_tokens < 100
    assert NAME in str(output.provenance["model_version"])
    assert output.notes == ()


def test_an_answer_streams_until_the_limit(settings: Settings) -> None:
    come = events(settings, name=ENDLESS, max_new_tokens=12, temperature=1.0)
    output = ended(come)
    assert len(come) > 3
    assert (output.finish, output.output_tokens) == ("length", 12)
    assert output.prompt_tokens > 3


def test_the_seed_counts(settings: Settings) -> None:
    seeds = (3, 3, 4)
    one, same, other = (
        ended(events(settings, name=ENDLESS, seed=seed, max_new_tokens=20, temperature=2.0)).text for seed in seeds
    )
    assert one == same
    assert one != other


def test_it_can_be_stopped_midway(settings: Settings) -> None:
    began = time.monotonic()
    come = events(settings, stop_after=2, name=ENDLESS, max_new_tokens=400)
    assert time.monotonic() - began < 20
    output = ended(come)
    assert output.finish == "cancelled"
    assert output.text
    assert output.output_tokens < 400
    assert ended(events(settings, max_new_tokens=4)).text, "the next one is answered"


def test_what_it_does_not_know_is_left_out(settings: Settings) -> None:
    output = ended(events(settings, max_new_tokens=4, top_k=5))
    assert output.notes == ("top_k was not used by this model",)


def test_an_unknown_model_gives_a_sentence(settings: Settings) -> None:
    (last,) = events(settings, name="diptych/no-such-model", max_new_tokens=4)
    assert isinstance(last, Failed)
    assert last.error.startswith("transformers serve ")
    assert last.kind in ("RemoteError", "Unreachable")
    assert "Traceback" not in last.error
