"""Sound on this machine, through transformers: music of MusicGen and its like, speech of VITS.

`asking` reads a request, `weights` a model's files, `music` and `speech` make sound a step at a time, `wav` writes it
down; this file turns requests into pieces of sound and those into outputs. Nothing of a request is kept on the model.
It knows nothing of runs, queues or history.

The same prompt and seed give the same file, byte for byte, on the same machine with the same number of threads; another
CPU may round otherwise, so the recipe names it.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import tokenizers
import torch
import transformers

from core import device, repository
from core.errors import DiptychError, ModelError
from core.providers import Report
from core.providers.local_audio import music, speech, wav, weights
from core.settings import Settings
from core.text import duration
from core.types import Event, Failed, Finished, ModelSpec, Output, Progress, Request

LOUD = 0.01
"""The share of samples cut off at full loudness from which on a note says so."""


class Piece(Protocol):
    """One sound on its way. `done` of `total` are units of work, `frames` counts the codec's or spectrogram's that are
    there, `prompt` is what the model was given and `notes` what was changed."""

    prompt: str
    prompt_tokens: int
    notes: list[str]
    done: int
    total: int

    @property
    def frames(self) -> int: ...

    def steps(self) -> Iterator[None]:
        """Makes more of it, a unit or a few at a time."""
        ...

    def told(self) -> str:
        """How far it is, such as "2.4 of 8.0 s of sound"."""
        ...

    def samples(self) -> torch.Tensor:
        """(samples,) of what is there, about -1 to 1; empty where there is nothing."""
        ...


class Maker(Protocol):
    """A model that is loaded: `rate` is its samples per second."""

    rate: int

    def piece(self, request: Request) -> Piece: ...


MAKERS: dict[str, Callable[[ModelSpec, Any, Any, str], Maker]] = {"musicgen": music.Music, "vits": speech.Speech}


def open_model(spec: ModelSpec, settings: Settings, report: Report = lambda progress: None) -> LocalAudio:
    """Find the model's files, downloading them where the catalog says so, and read them in float32.

    Raises:
        HubUnreachable, ModelRefused: the model cannot be had; the message says why and what to do.
    """
    folder = repository.folder(spec, settings, report)
    place = device.choose(settings)
    report(Progress(None, 0.0, 1.0, f"reading {spec.name}"))
    kind, model, tokenizer = weights.read(spec, folder)
    report(Progress(None, 1.0, 1.0, f"reading {spec.name}"))
    maker = MAKERS[kind](spec, model.to(place.kind), tokenizer, place.kind)
    return LocalAudio(spec, maker, device.suited(place, weights.size(model), settings))


class LocalAudio:
    """A model of sound that is loaded. See core.providers.Model.

    One request a call: a CPU makes two sounds side by side hardly quicker than one after the other, and one alone is
    there sooner, and sooner stopped.
    """

    max_batch = 1

    def __init__(self, spec: ModelSpec, maker: Maker, place: device.Device) -> None:
        self.spec, self._maker, self._place = spec, maker, place

    def close(self) -> None:
        """Drop the weights; the pool collects them."""
        del self._maker

    def generate(self, requests: Sequence[Request], stopped: Callable[[int], bool]) -> Iterator[Event]:
        """Make one sound after another; see core.providers.Model. What is wrong with one request fails that one alone.

        Music is asked after every frame whether it is stopped, speech after every sentence; what is there by then is
        the output.
        """
        # One number for the whole process: set for each call, since another model may want another.
        torch.set_num_threads(self._place.threads)
        for index, request in enumerate(requests):
            try:
                yield from self._made(index, request, stopped)
            except DiptychError as error:
                yield Failed(index, str(error), type(error).__name__)
            except Exception as error:  # its text may quote the prompt
                yield Failed(index, f"The model failed ({type(error).__name__}). Try other settings or another model.")

    def _made(self, index: int, request: Request, stopped: Callable[[int], bool]) -> Iterator[Event]:
        piece, started = self._maker.piece(request), time.monotonic()
        yield _progress(index, piece, started)
        if not stopped(index):
            for _ in piece.steps():
                yield _progress(index, piece, started)
                if stopped(index):
                    break
        yield Finished(index, self._output(piece, started))

    def _output(self, piece: Piece, started: float) -> Output:
        samples, notes = piece.samples(), list(piece.notes)
        if not bool(samples.isfinite().all()):
            raise ModelError("The numbers of this sound are not finite. Try other settings.")
        ended = piece.done >= piece.total
        if not ended:
            kept = "this is the sound so far" if len(samples) else "there is no sound"
            notes.append(f"Stopped at {piece.told()}: {kept}.")
        if len(samples) and float((samples.abs() > 1).float().mean()) > LOUD:
            notes.append("The sound is louder than a file can hold, so its peaks were cut off.")
        return Output(
            text="",
            finish="stop" if ended else "cancelled",
            prompt_tokens=piece.prompt_tokens,
            output_tokens=piece.frames,
            seconds=time.monotonic() - started,
            notes=tuple(notes),
            audio=wav.written(samples, self._maker.rate) if len(samples) else b"",
            provenance={"rendered_prompt": piece.prompt, **self._recipe(len(samples))},
        )

    def _recipe(self, samples: int) -> dict[str, object]:
        return {
            "source": self.spec.source,
            "revision": self.spec.revision,
            "versions": {
                "python": platform.python_version(),
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "tokenizers": tokenizers.__version__,
            },
            "sampling_rate": self._maker.rate,
            "duration": round(samples / self._maker.rate, 3),
            "batch_size": 1,
            "device": self._place.kind,
            "dtype": self._place.dtype,
            "threads": self._place.threads,
            "processor": torch.backends.cpu.get_cpu_capability(),
        }


def _progress(index: int, piece: Piece, started: float) -> Progress:
    note = piece.told()
    if piece.done and piece.done < piece.total:
        left = (time.monotonic() - started) / piece.done * (piece.total - piece.done)
        note += f", about {duration(left)} left"
    return Progress(index, float(piece.done), float(piece.total), note)
