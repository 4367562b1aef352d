"""The worker process, for real: started, spoken with, stopped, killed, and what does and does not cross over to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core import errors
from core.engine import Engine
from core.errors import DiptychError, ModelError, ModelRefused, NeedsNewProcess, WorkerDied
from core.settings import ROOT, Secret, Settings
from core.types import Delta, Event, Finished, Progress, Request, State
from core.worker import Worker, opener
from core.worker.launch import environment
from core.worker.messages import Refused, rebuilt, refusal
from tests.support.fakes import PATIENCE, Memory, request, run, spec, until

COMMAND = (sys.executable, "-m", "tests.support.fakes")


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """One process for all tests that leave it as they found it."""
    worker = Worker(_settings(tmp_path_factory.mktemp("data")), COMMAND)
    yield worker
    worker.close()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    workers: list[Worker] = []

    def make(*arguments: str, **graces: float) -> Worker:
        workers.append(Worker(_settings(tmp_path), (*COMMAND, *arguments), **graces))
        return workers[-1]

    yield make
    for made in workers:
        made.close()
        assert made.pid is None


def _settings(folder: Path) -> Settings:
    return Settings(
        data=folder,
        memory_budget=10**9,
        database="postgresql://me:sk-database@host/db",
        secrets={"gemini": Secret("sk-deployment")},
    )


def answer(worker: Worker, source: str, *prompts: str, stopped: Callable[[int], bool] = lambda i: False) -> list[Event]:
    model = worker.open(spec(source), lambda progress: None)
    return list(model.generate([request(prompt) for prompt in prompts], stopped))


def gone(pid: int) -> bool:
    """Ended, if perhaps not yet collected by whoever has to."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


# Answers


def test_a_model_in_the_process_looks_like_any_other(worker: Worker) -> None:
    told: list[Progress] = []
    model = worker.open(spec("echo"), told.append)
    assert model.max_batch == 3
    events = list(model.generate([request("one"), request("two")], lambda i: False))
    assert [type(event) for event in events] == [Delta, Finished, Delta, Finished]
    assert [event.output.text for event in events if isinstance(event, Finished)] == ["one!", "two!"]
    assert [progress.note for progress in told] == ["reading weights"]
    model.close()
    assert worker.pid is not None
    assert worker.pid != os.getpid()


def test_events_arrive_as_they_are_made_and_a_stop_gets_through(worker: Worker) -> None:
    stop = threading.Event()
    events = worker.open(spec("hang"), lambda progress: None).generate([request("a")] * 2, lambda i: stop.is_set())
    assert [next(events), next(events)] == [Delta(0, "half", 5), Delta(1, "half", 5)]
    stop.set()
    asked = time.monotonic()
    rest = list(events)
    assert [(type(event), event.index) for event in rest] == [(Finished, 0), (Finished, 1)]
    assert all(isinstance(event, Finished) and event.output.finish == "cancelled" for event in rest)
    assert time.monotonic() - asked < 2.0


def test_a_stop_of_one_row_leaves_the_other(worker: Worker) -> None:
    stop: set[int] = set()
    events = worker.open(spec("hang"), lambda progress: None).generate([request("a")] * 2, stop.__contains__)
    next(events)
    stop.add(0)
    first = next(event for event in events if isinstance(event, Finished))
    assert first.index == 0
    stop.add(1)
    assert [event.index for event in events] == [1]


def test_a_stop_gets_through_a_stream_that_never_pauses(worker: Worker) -> None:
    seen = 0

    def stopped(index: int) -> bool:
        return seen > 50

    last: Event | None = None
    for event in worker.open(spec("chatty"), lambda progress: None).generate([request("a")], stopped):
        last, seen = event, seen + 1
        assert seen < 1_000_000
    assert isinstance(last, Finished)


def test_a_batch_that_nobody_reads_to_the_end_is_stopped(worker: Worker) -> None:
    before = worker.pid
    events = worker.open(spec("hang"), lambda progress: None).generate([request("a")], lambda i: False)
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert answer(worker, "echo", "next")[-1].index == 0
    assert before is None or worker.pid == before


def test_what_a_library_prints_fills_no_pipe(worker: Worker, capfd: pytest.CaptureFixture[str]) -> None:
    assert isinstance(answer(worker, "noisy", "a")[-1], Finished)


# Failures


def test_errors_keep_their_class_and_sentence(worker: Worker) -> None:
    with pytest.raises(ModelRefused, match="9 GB"):
        worker.open(spec("refuse"), lambda progress: None)
    assert isinstance(answer(worker, "echo", "next")[-1], Finished)


@pytest.mark.parametrize(
    ("source", "said"), [("wrong", "ValueError"), ("memory", "ran out of memory"), ("leave", "SystemExit")]
)
def test_an_unexpected_exception_is_named_but_not_quoted(
    make: Callable[..., Worker], source: str, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    worker = make()
    answer(worker, "echo", "first")
    before = worker.pid
    with pytest.raises(ModelError, match=said) as raised:
        answer(worker, source, "my private prompt")
    assert "private" not in str(raised.value)
    assert isinstance(answer(worker, "echo", "next")[-1], Finished)
    assert worker.pid == before
    logged = capfd.readouterr().err
    assert "fakes.py" in logged, "the places are in the worker's log"
    assert "private" not in logged


def test_an_unexpected_exception_while_loading_is_not_quoted(worker: Worker) -> None:
    with pytest.raises(ModelError, match="RuntimeError") as raised:
        worker.open(spec("broken"), lambda progress: None)
    assert "secret" not in str(raised.value)


def test_what_cannot_be_sent_fails_its_own_job_only(worker: Worker) -> None:
    with pytest.raises(ModelError):
        answer(worker, "unsendable", "a")
    model = worker.open(spec("echo"), lambda progress: None)
    odd = Request(messages=(), parameters={"x": lambda: None}, seed=0)  # type: ignore[dict-item]
    with pytest.raises((AttributeError, TypeError)):
        list(model.generate([odd], lambda i: False))
    assert isinstance(answer(worker, "echo", "next")[-1], Finished)


def test_every_error_of_ours_crosses_as_itself() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DiptychError)]
    assert len(kinds) > 10
    for kind in kinds:
        back = rebuilt(refusal(1, kind("A sentence.")))
        assert type(back) is kind
        assert str(back) == "A sentence."
    assert type(rebuilt(Refused(1, "annotations", "A sentence."))) is ModelError


def test_a_model_that_needs_a_new_process_gets_one_once(make: Callable[..., Worker]) -> None:
    worker = make()
    assert isinstance(answer(worker, "echo", "a")[-1], Finished)
    before = worker.pid
    assert isinstance(answer(worker, "roomy", "b")[-1], Finished)
    assert worker.pid not in (None, before)
    with pytest.raises(NeedsNewProcess, match="Vast needs a new process"):
        worker.open(spec("vast"), lambda progress: None)
    assert isinstance(answer(worker, "echo", "c")[-1], Finished)


# Deaths


def test_killed_while_answering_then_the_next_one_works(make: Callable[..., Worker]) -> None:
    worker = make()
    events = worker.open(spec("hang"), lambda progress: None).generate([request("a")], lambda i: False)
    next(events)
    killed = worker.pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    with pytest.raises(WorkerDied, match="out of memory"):
        list(events)
    assert worker.pid is None
    assert isinstance(answer(worker, "echo", "next")[-1], Finished)
    assert worker.pid not in (None, killed)


def test_killed_between_two_batches(make: Callable[..., Worker]) -> None:
    worker = make()
    model = worker.open(spec("echo"), lambda progress: None)
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(WorkerDied):
        list(model.generate([request("a")], lambda i: False))
    assert isinstance(answer(worker, "echo", "next")[-1], Finished)


def test_a_crash_costs_its_own_cells_and_the_engine_goes_on(make: Callable[..., Worker], tmp_path: Path) -> None:
    worker, sink = make(), Memory()
    engine = Engine(opener(worker, _settings(tmp_path)), sink, _settings(tmp_path), lookup=lambda name: spec(name))
    engine.submit("ann", run("r", *["crash"] * 4, "echo"), {})
    snapshot = engine.wait("r", "ann", PATIENCE)
    assert [cell.state for cell in snapshot.cells] == [State.FAILED] * 4 + [State.DONE]
    assert all("model process ended" in cell.error for cell in snapshot.cells[:4])
    assert [cell.text for cell in snapshot.cells] == ["half", "", "", "half", "r/4!"]
    engine.close()


def test_the_engine_stops_a_batch_in_the_process(make: Callable[..., Worker], tmp_path: Path) -> None:
    worker, sink = make(), Memory()
    engine = Engine(opener(worker, _settings(tmp_path)), sink, _settings(tmp_path), lookup=lambda name: spec(name))
    engine.submit("ann", run("r", "hang", "hang"), {})
    until(lambda: all(cell.text for cell in engine.snapshot("r", "ann").cells))
    before = worker.pid
    engine.cancel("r", "ann")
    snapshot = engine.wait("r", "ann", PATIENCE)
    assert [(cell.state, cell.text) for cell in snapshot.cells] == [(State.CANCELLED, "half")] * 2
    assert worker.pid == before
    engine.close()


def test_a_model_that_does_not_stop_is_ended_with_its_process(make: Callable[..., Worker]) -> None:
    worker = make(stop_grace=0.1)
    events = worker.open(spec("deaf"), lambda progress: None).generate([request("a")], lambda i: True)
    with pytest.raises(WorkerDied, match="did not stop"):
        list(events)
    assert isinstance(answer(worker, "echo", "next")[-1], Finished)


def test_a_load_that_nobody_waits_for_ends_at_its_next_report(make: Callable[..., Worker]) -> None:
    worker, told = make(), threading.Event()
    with pytest.raises(ModelError, match="stopped"):
        worker.open(spec("slow"), lambda progress: told.set(), told.is_set)
    before = worker.pid
    assert isinstance(answer(worker, "echo", "next")[-1], Finished)
    assert worker.pid == before


def test_a_load_that_does_not_report_is_ended_with_its_process(make: Callable[..., Worker]) -> None:
    worker, told = make(load_grace=0.1), threading.Event()
    with pytest.raises(WorkerDied, match="did not stop"):
        worker.open(spec("stuck"), lambda progress: told.set(), told.is_set)
    assert worker.pid is None


def test_a_process_that_cannot_start(make: Callable[..., Worker]) -> None:
    with pytest.raises(WorkerDied, match="could not be started"):
        make("refuse-to-start").open(spec("echo"), lambda progress: None)


def test_close_ends_it_in_the_middle_of_an_answer_and_for_good(make: Callable[..., Worker]) -> None:
    worker = make()
    events = worker.open(spec("deaf"), lambda progress: None).generate([request("a")], lambda i: False)
    next(events)
    raised: list[BaseException] = []

    def listen() -> None:
        try:
            list(events)
        except WorkerDied as error:
            raised.append(error)

    listener = threading.Thread(target=listen)
    listener.start()
    worker.close()
    listener.join(PATIENCE)
    assert len(raised) == 1
    assert worker.pid is None
    with pytest.raises(WorkerDied, match="closing down"):
        worker.open(spec("echo"), lambda progress: None)


@pytest.mark.skipif(sys.platform == "win32", reason="reads /proc and sends SIGKILL")
def test_it_leaves_when_the_server_is_killed(tmp_path: Path) -> None:
    script = f"""
import sys
from pathlib import Path
from core.settings import Settings
from core.worker import Worker
from tests.support.fakes import request, spec
worker = Worker(Settings(data=Path({str(tmp_path)!r}), memory_budget=10**9), {COMMAND!r})
events = worker.open(spec("deaf"), lambda progress: None).generate([request("a")], lambda i: False)
next(events)
print(worker.pid, flush=True)
sys.stdin.read()
"""
    server = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with server:
        assert server.stdout is not None
        pid = int(server.stdout.readline())
        assert not gone(pid)
        server.kill()
    until(lambda: gone(pid))


# What crosses over


def test_no_key_reaches_the_process(make: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch) -> None:
    secret = ("OPENAI_API_KEY", "HF_TOKEN", "GEMINI_API_KEY", "my_own_secret_name", "DIPTYCH_DATABASE", "AWS_PROFILE")
    for name in secret:
        monkeypatch.setenv(name, "sk-environment")
    finished = answer(make(), "where", "a")[0]
    assert isinstance(finished, Finished)
    found = json.loads(finished.output.text)
    assert not set(secret) & set(found["environment"])
    assert "sk-" not in finished.output.text
    assert "authkey" not in finished.output.text
    assert "memory_budget=1000000000" in found["settings"]
    assert found["thread"] == "MainThread"
    assert found["nice"] >= 10
    assert {"PATH", "HOME"} & set(os.environ) <= set(found["environment"])


def test_the_environment_is_chosen_by_name() -> None:
    passed = {"PATH", "HF_HOME", "HF_HUB_OFFLINE", "OMP_NUM_THREADS", "LC_ALL", "https_proxy", "PYTHONPATH", "TMPDIR"}
    kept = {"HF_TOKEN", "HUGGINGFACE_HUB_TOKEN", "TORCH_KEY", "STREAMLIT_X", "PATHOLOGY", "ANTHROPIC_API_KEY", "token"}
    assert environment(dict.fromkeys(passed | kept, "x")) == dict.fromkeys(passed, "x")


def test_the_server_imports_no_model_library() -> None:
    code = """
import sys
import core.engine, core.worker
heavy = {"torch", "transformers", "diffusers", "numpy", "google.genai", "openai"}
elsewhere = {"streamlit", "sqlalchemy", "core.history", "core.worker.pool", "core.worker.server"}
sys.exit(", ".join((heavy | elsewhere) & set(sys.modules)) or 0)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)


def test_idle_models_are_let_go(tmp_path: Path) -> None:
    worker = Worker(replace(_settings(tmp_path), idle_seconds=0.2), COMMAND)
    worker.open(spec("mortal"), lambda progress: None)
    until((tmp_path / "closed").exists)
    assert worker.pid is not None, "the process stays"
    worker.close()


def test_the_built_in_model_gives_the_same_answers_after_its_process_was_killed(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, offline=True)
    worker, sink = Worker(settings), Memory()
    engine = Engine(opener(worker, settings), sink, settings)
    texts = []
    for name in ("first", "again", "restarted"):
        planned = run(name, *["tiny-text"] * 3)
        cells = [
            replace(cell, request=replace(request("A story about a fox."), seed=cell.index)) for cell in planned.cells
        ]
        engine.submit("ann", replace(planned, cells=tuple(cells)), {})
        snapshot = engine.wait(name, "ann", 120)
        assert [cell.error for cell in snapshot.cells] == [""] * 3
        texts.append([cell.text for cell in snapshot.cells])
        if name == "again" and worker.pid:
            os.kill(worker.pid, signal.SIGKILL)
            until(lambda: worker.pid is None)
    assert texts[0] == texts[1] == texts[2]
    speed = engine.speed("tiny-text")
    assert speed is not None
    assert speed > 1
    engine.close()
    worker.close()
