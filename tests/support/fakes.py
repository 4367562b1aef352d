"""Models, clocks and sinks for tests, steered by events: nothing here sleeps, and every wait is bounded.

Run as a program (`python -m tests.support.fakes`) it is a worker process whose only provider is `fake`, further down.
"""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING

from core import catalog
from core.errors import HistoryUnavailable, ModelRefused, NeedsNewProcess, UnknownModel
from core.experiment.grid import GridCell
from core.experiment.ungraded import Ungraded
from core.settings import Settings
from core.types import (
    Cell,
    CellResult,
    Delta,
    Event,
    Experiment,
    Failed,
    Finished,
    Message,
    Modality,
    ModelSpec,
    Output,
    Parameter,
    Progress,
    Request,
    Run,
    State,
    Variant,
)

if TYPE_CHECKING:
    import pytest

PATIENCE = 10.0
"""Seconds after which a test that waits has failed."""

Stopped = Callable[[int], bool]
Behaviour = Callable[[Sequence[Request], Stopped], Iterator[Event]]


def wait_for(true: Callable[[], bool], pause: float = 0.002) -> bool:
    """Whether it became true within PATIENCE."""
    still = threading.Event()
    return any(true() or still.wait(pause) for _ in range(int(PATIENCE / pause)))


def until(true: Callable[[], bool]) -> None:
    """Wait for something that another thread or process is about to make true."""
    assert wait_for(true), "it did not become true"


def spec(model: str = "local", **changes: object) -> ModelSpec:
    row: dict[str, object] = {
        "id": model,
        "name": model.title(),
        "modality": Modality.TEXT,
        "provider": "fake",
        "source": model,
        "summary": "",
        "licence": "MIT",
        "parameters": (),
        "local": not model.startswith("remote"),
    }
    return ModelSpec(**(row | changes))  # type: ignore[arg-type]


IMAGE_PARAMETERS = (
    Parameter(name="negative_prompt", label="Negative prompt", kind="text", default=""),
    Parameter(name="steps", label="Steps", kind="int", default=20, low=1, high=50, step=1),
    Parameter(name="guidance_scale", label="Guidance", kind="float", default=5.0, low=1.0, high=15.0, step=0.5),
    Parameter(name="size", label="Size", kind="choice", default="512x512", choices=("512x512", "256x256")),
    Parameter(name="scheduler", label="Scheduler", kind="choice", default="DDIM", choices=("DDIM", "DPM++ 2M Karras")),
)


def offering(monkeypatch: pytest.MonkeyPatch, *rows: ModelSpec) -> None:
    """Put rows into the catalog for one test."""
    monkeypatch.setattr(catalog, "CATALOG", (*catalog.CATALOG, *rows))


def painter(model: str = "painter", **changes: object) -> ModelSpec:
    """The row of a model that makes images."""
    return spec(model, **({"modality": Modality.IMAGE, "parameters": IMAGE_PARAMETERS, "unit_seconds": 4.0} | changes))


def png(width: int = 64, height: int = 64, colour: str | None = None) -> bytes:
    """A small PNG file: half red and half blue, or of one colour."""
    from PIL import Image

    image = Image.new("RGB", (width, height), colour or "red")
    if colour is None:
        image.paste("blue", (0, 0, width // 2, height))
    made = io.BytesIO()
    image.save(made, "PNG")
    return made.getvalue()


def lookup(model: str) -> ModelSpec:
    if model == "unknown":
        raise UnknownModel(f"There is no model '{model}' here.")
    return spec(model)


def request(text: str) -> Request:
    return Request(messages=(Message("user", text),), parameters={"max_new_tokens": 4}, seed=0)


def asked(page: str, *models: str) -> Experiment:
    """What a run of `run` was asked, as far as its page looks at it."""
    return Experiment(page=page, variants=(Variant(name="A", user="?"),), models=tuple(dict.fromkeys(models)))


def run(name: str, *models: str, page: str = "text") -> Run:
    """A run with one cell for each model named; cell i of run r asks for 'r/i'."""
    cells = tuple(
        Cell(index=i, variant=0, model=model, input=0, sample=i, request=request(f"{name}/{i}"))
        for i, model in enumerate(models or ("local",))
    )
    return Run(id=name, page=page, title=name, cells=cells, experiment=asked(page, *(models or ("local",))))


def text(asked: Request) -> str:
    return asked.messages[-1].text


def output(words: str, finish: str = "stop", tokens: int = 10) -> Output:
    return Output(text=words, finish=finish, prompt_tokens=1, output_tokens=tokens, seconds=1.0)  # type: ignore[arg-type]


def echo(requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
    for i, asked in enumerate(requests):
        yield Delta(i, text(asked), 5)
        yield Finished(i, output(text(asked) + "!"))


class Gate:
    """A behaviour that says half an answer, then waits to be opened; a row that is stopped ends with what it has."""

    def __init__(self, obedient: bool = True) -> None:
        self.entered, self.opened = threading.Event(), threading.Event()
        self.obedient = obedient
        self.checked = threading.Event()

    def __call__(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        live = set(range(len(requests)))
        for i in live:
            yield Delta(i, "half", 5)
        self.entered.set()
        while live and not self.opened.wait(0.002):
            for i in [i for i in live if stopped(i)]:
                self.checked.set()
                if self.obedient:
                    live.discard(i)
                    yield Finished(i, output("half", "cancelled", 5))
        for i in live:
            yield Finished(i, output("whole"))


class Fake:
    """A model that behaves as told."""

    def __init__(self, behaviour: Behaviour, max_batch: int) -> None:
        self.max_batch = max_batch
        self._behaviour = behaviour
        self.closed = False

    def generate(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        return self._behaviour(requests, stopped)

    def close(self) -> None:
        self.closed = True


class Easel:
    """An opener whose models draw: a face of its own for every prompt and seed, step by step, as a local model does.

    `pause` is the seconds between steps; a step whose number is `halt` waits to be stopped.
    """

    def __init__(self, pause: float = 0.0, halt: int = 0, black: bool = False) -> None:
        self.pause, self.halt, self.black = pause, halt, black
        self.asked: list[Request] = []

    def __call__(self, row: ModelSpec, secrets: object, report: object, abandoned: object) -> Fake:
        return Fake(self.draw, 1)

    def draw(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        for i, asked in enumerate(requests):
            self.asked.append(asked)
            yield from self._draw(i, asked, stopped)

    def _draw(self, i: int, asked: Request, stopped: Stopped) -> Iterator[Event]:
        steps = int(asked.parameters["steps"])  # type: ignore[arg-type]
        clock = threading.Event()
        for step in range(1, steps + 1):
            clock.wait(self.pause)
            while step == self.halt and not stopped(i):
                clock.wait(0.01)
            if stopped(i):
                yield Finished(i, self._made(asked, step - 1, steps, "cancelled"))
                return
            yield Progress(i, step, steps, f"step {step} of {steps}, about 1 s left", face(asked, step / steps, 32))
        yield Finished(i, self._made(asked, steps, steps, "stop"))

    def _made(self, asked: Request, done: int, steps: int, finish: str) -> Output:
        picture = png(64, 64, "black") if self.black else face(asked, done / steps)
        notes = ("The safety checker replaced the picture by black.",) if self.black else ()
        made = output("", finish, done)
        return replace(made, images=(picture,), notes=notes, provenance={"versions": {"fake": "1"}, "revision": "main"})


class Band:
    """An opener whose models play a second of a tone; with `halt` they wait half-way to be stopped."""

    def __init__(self, halt: bool = False) -> None:
        self.halt = halt
        self.asked: list[Request] = []

    def __call__(self, row: ModelSpec, secrets: object, report: object, abandoned: object) -> Fake:
        return Fake(self.play, 1)

    def play(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        clock = threading.Event()
        for i, asked in enumerate(requests):
            self.asked.append(asked)
            yield Progress(i, 25, 50, "0.5 of 1.0 s of sound")
            while self.halt and not stopped(i):
                clock.wait(0.01)
            length = 0.5 if stopped(i) else 1.0
            made = output("", "cancelled" if stopped(i) else "stop", round(50 * length))
            notes = ("Stopped at 0.5 of 1.0 s: this is the sound so far.",) if stopped(i) else ()
            wav = tone(300 + asked.seed % 200, length, 8000)
            yield Finished(i, replace(made, audio=wav, notes=notes, provenance={"duration": length}))


def tone(pitch: float, seconds: float, rate: int) -> bytes:
    """A WAV file with a sine of this pitch in hertz, at half loudness."""
    import wave

    import numpy as np

    times = np.arange(round(seconds * rate)) / rate
    made = io.BytesIO()
    with wave.open(made, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((0.5 * 32767 * np.sin(2 * np.pi * pitch * times)).astype("<i2").tobytes())
    return made.getvalue()


def face(asked: Request, done: float, side: int = 64) -> bytes:
    """What an easel has drawn of a request when that share of it is done."""
    import random

    from PIL import Image, ImageDraw

    chance = random.Random(f"{text(asked)} {asked.seed}")
    image = Image.new("RGB", (64, 64), (chance.randrange(256), chance.randrange(256), 230))
    brush = ImageDraw.Draw(image)
    for _ in range(max(1, round(6 * done))):
        x, y, r = chance.randrange(64), chance.randrange(64), chance.randrange(4, 20)
        brush.ellipse((x - r, y - r, x + r, y + r), fill=tuple(chance.randrange(256) for _ in range(3)))
    made = io.BytesIO()
    image.resize((side, side)).save(made, "PNG")
    return made.getvalue()


class Models:
    """An opener: which behaviour each model has, what was asked in which batches, and how many ran at a time."""

    def __init__(self, max_batch: int = 3, **behaviours: Behaviour) -> None:
        self.behaviours = behaviours
        self.max_batch = max_batch
        self.batches: list[list[str]] = []
        self.opened: list[str] = []
        self.secrets: list[dict[str, object]] = []
        self.models: list[Fake] = []
        self.failing: dict[str, BaseException] = {}
        self.loading: dict[str, threading.Event] = {}
        self.load_begun = threading.Event()
        self.running: dict[bool, int] = defaultdict(int)
        self.peak: dict[bool, int] = defaultdict(int)
        self._lock = threading.Lock()

    def __call__(self, row: ModelSpec, secrets: object, report: object, abandoned: Callable[[], bool]) -> Fake:
        self.opened.append(row.id)
        self.secrets.append(dict(secrets))  # type: ignore[call-overload]
        if row.id in self.loading:
            report(Progress(None, 1, 4, "reading weights"))  # type: ignore[operator]
            self.load_begun.set()
            while not self.loading[row.id].wait(0.002):
                if abandoned():
                    raise ModelRefused("nobody waits any more")
        if row.id in self.failing:
            raise self.failing[row.id]
        self.models.append(
            Fake(self._watched(row, self.behaviours.get(row.id, echo)), self.max_batch if row.local else 1)
        )
        return self.models[-1]

    def _watched(self, row: ModelSpec, behaviour: Behaviour) -> Behaviour:
        def generate(requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
            with self._lock:
                self.batches.append([text(asked) for asked in requests])
                self.running[row.local] += 1
                self.peak[row.local] = max(self.peak[row.local], self.running[row.local])
            try:
                yield from behaviour(requests, stopped)
            finally:
                with self._lock:
                    self.running[row.local] -= 1

        return generate


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Memory:
    """A sink that keeps everything in lists, and fails where it is told to."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, str]] = []
        self.finished: list[tuple[str, int, State]] = []
        self.results: dict[tuple[str, int], CellResult] = {}
        self.ends: list[tuple[str, State]] = []
        self.grades: dict[tuple[str, int], bool | None] = {}
        self.left_ungraded: list[Ungraded] = []
        self.failing: set[str] = set()
        self.error: Exception = HistoryUnavailable("The disk is full.")

    def begin(self, owner: str, begun: Run) -> None:
        self._fail("begin")
        self.begun.append((owner, begun.id))

    def finish(self, run: Run, cell: Cell, result: CellResult) -> None:
        self._fail("finish")
        self.finished.append((run.id, cell.index, result.state))
        self.results[run.id, cell.index] = result

    def end(self, run_id: str, state: State) -> None:
        self._fail("end")
        self.ends.append((run_id, state))

    def graded(self, run_id: str, cell: Cell | GridCell, passed: bool | None) -> None:
        self._fail("graded")
        self.grades[run_id, cell.index] = passed
        self.left_ungraded = [one for one in self.left_ungraded if (one.run_id, one.cell.index) != (run_id, cell.index)]

    def ungraded(self, limit: int) -> tuple[Ungraded, ...]:
        return tuple(self.left_ungraded[:limit])

    def _fail(self, step: str) -> None:
        if step in self.failing:
            raise self.error


def fail_second(requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
    """Answers all but the second row of a batch."""
    for i, asked in enumerate(requests):
        yield Failed(i, "This one is too long.", "PromptTooLong") if i == 1 else Finished(i, output(text(asked)))


def raising(error: BaseException) -> Behaviour:
    """Says half of the first row, answers the last, and raises."""

    def generate(requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        yield Delta(0, "half", 5)
        yield Finished(len(requests) - 1, output("whole"))
        raise error

    return generate


# The worker process: a provider whose models are told by `spec.source` what to do.


class Puppet:
    """A model in the worker process, whose source names its behaviour."""

    max_batch = 3

    def __init__(self, source: str, settings: Settings) -> None:
        self._source = source
        self._settings = settings

    def generate(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        return getattr(self, f"_{self._source}", echo)(requests, stopped)

    def close(self) -> None:
        if self._source == "mortal":
            (self._settings.data / "closed").touch()

    def _where(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        found = {
            "settings": repr(self._settings),
            "environment": sorted(os.environ),
            "arguments": sys.argv,
            "nice": os.nice(0),
            "thread": threading.current_thread().name,
        }
        yield Finished(0, output(json.dumps(found)))

    def _hang(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        yield from (Delta(i, "half", 5) for i in range(len(requests)))
        for i in range(len(requests)):
            wait_for(lambda i=i: stopped(i))
            yield Finished(i, output("half", "cancelled" if stopped(i) else "length", 5))

    def _deaf(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        yield Delta(0, "half", 5)
        wait_for(lambda: False)

    def _chatty(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        count = 0
        while not stopped(0):
            count += 1
            yield Delta(0, "x", count)
        yield Finished(0, output("x" * count, "cancelled", count))

    def _wrong(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        yield Delta(0, "half", 5)
        raise ValueError(text(requests[0]))

    def _memory(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        raise MemoryError
        yield

    def _leave(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        raise SystemExit(3)
        yield

    def _crash(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        yield Delta(0, "half", 5)
        os._exit(3)

    def _unsendable(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        yield Delta(0, lambda: None, 5)  # type: ignore[arg-type]

    def _noisy(self, requests: Sequence[Request], stopped: Stopped) -> Iterator[Event]:
        print("a library's chatter\n" * 20_000)
        yield from echo(requests, stopped)


_opened: list[str] = []  # in this process


def open_model(row: ModelSpec, settings: Settings, report: Callable[[Progress], None]) -> Puppet:
    if row.source == "refuse":
        raise ModelRefused(f"{row.name} needs 9 GB; 4 GB are allowed.")
    if row.source == "vast" or (row.source == "roomy" and _opened):
        raise NeedsNewProcess(f"{row.name} needs a new process.")
    if row.source == "broken":
        raise RuntimeError("a secret path")
    if row.source == "slow":
        wait_for(lambda: report(Progress(None, 1, 4, "downloading")) is not None)
    if row.source == "stuck":
        report(Progress(None, 0, 0, "reading"))
        wait_for(lambda: False)
    report(Progress(None, 4, 4, "reading weights"))
    _opened.append(row.source)
    return Puppet(row.source, settings)


if __name__ == "__main__":
    provider = ModuleType("core.providers.fake")
    provider.open_model = open_model  # type: ignore[attr-defined]
    sys.modules[provider.__name__] = provider
    if sys.argv[1:] == ["refuse-to-start"]:
        sys.exit(1)
    from core.worker.server import main

    main()
