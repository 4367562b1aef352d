"""Sound on this machine, through transformers: music of MusicGen and its like, speech of VITS.

`parameters` reads a request, `weights` a model's files, `music` and `speech` generate a step at a time, `wav` writes
the file; this file turns requests into generations and those into outputs. Nothing of a request is kept on the model.
It knows nothing of runs, queues or history.

The same prompt and seed give the same file, byte for byte, on the same machine with the same number of threads; another
CPU may round otherwise, so the provenance names it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import tokenizers
import torch
import transformers

from core import device
from core.errors import ModelError
from core.providers import Report
from core.providers.local.failures import one_by_one
from core.providers.local.files import load, weight_bytes
from core.providers.local.provenance import provenance
from core.providers.local_audio import music, speech, wav, weights
from core.settings import Settings
from core.text import duration
from core.types import Event, Finished, ModelSpec, Output, Progress, Request

LOUD = 0.01
"""The share of samples cut off at full loudness from which on a note says so."""


class Generation(Protocol):
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

    def progress(self) -> str:
        """How far it is, such as "2.4 of 8.0 s of sound"."""
        ...

    def samples(self) -> torch.Tensor:
        """(samples,) of what is there, float32, about -1 to 1; empty where there is nothing."""
        ...


class AudioModel(Protocol):
    """A model that is loaded: `sampling_rate` is its samples per second."""

    sampling_rate: int

    def begin(self, request: Request) -> Generation: ...


MODELS: dict[str, Callable[[ModelSpec, Any, Any, str], AudioModel]] = {
    "musicgen": music.MusicModel,
    "vits": speech.SpeechModel,
}


def open_model(spec: ModelSpec, settings: Settings, report: Report = lambda progress: None) -> LocalAudio:
    """Find the model's files, downloading them where the catalog says so, and read them in float32.

    Raises:
        HubUnreachable, ModelRefused: the model cannot be had; the message says why and what to do.
    """
    kind, model, tokenizer = load(spec, settings, report, weights.read)
    here = device.choose(settings)
    loaded = MODELS[kind](spec, model.to(here.kind), tokenizer, here.kind)
    return LocalAudio(spec, loaded, device.suited(here, weight_bytes(model), settings))


class LocalAudio:
    """A model of sound that is loaded. See core.providers.Model.

    One request a call: a CPU makes two sounds side by side hardly quicker than one after the other, and one alone is
    there sooner, and sooner stopped.
    """

    max_batch = 1

    def __init__(self, spec: ModelSpec, model: AudioModel, here: device.Device) -> None:
        self.spec, self._model, self._device = spec, model, here

    def close(self) -> None:
        """Drop the weights; the pool collects them."""
        del self._model

    def generate(self, requests: Sequence[Request], stopped: Callable[[int], bool]) -> Iterator[Event]:
        """Make one sound after another; see core.providers.Model. What is wrong with one request fails that one alone.

        Music is asked after every frame whether it is stopped, speech after every sentence; what is there by then is
        the output.
        """
        # One number for the whole process: set for each call, since another model may want another.
        torch.set_num_threads(self._device.threads)
        yield from one_by_one(requests, lambda index, request: self._generate(index, request, stopped))

    def _generate(self, index: int, request: Request, stopped: Callable[[int], bool]) -> Iterator[Event]:
        generation, started = self._model.begin(request), time.monotonic()
        yield _progress(index, generation, started)
        if not stopped(index):
            for _ in generation.steps():
                yield _progress(index, generation, started)
                if stopped(index):
                    break
        yield Finished(index, self._output(generation, started))

    def _output(self, generation: Generation, started: float) -> Output:
        samples, notes = generation.samples(), list(generation.notes)
        if not bool(samples.isfinite().all()):
            raise ModelError("The numbers of this sound are not finite. Try other settings.")
        ended = generation.done >= generation.total
        if not ended:
            kept = "this is the sound so far" if len(samples) else "there is no sound"
            notes.append(f"Stopped at {generation.progress()}: {kept}.")
        if len(samples) and float((samples.abs() > 1).float().mean()) > LOUD:
            notes.append("The sound is louder than a file can hold, so its peaks were cut off.")
        return Output(
            text="",
            finish="stop" if ended else "cancelled",
            prompt_tokens=generation.prompt_tokens,
            output_tokens=generation.frames,
            seconds=time.monotonic() - started,
            notes=tuple(notes),
            audio=wav.encode(samples, self._model.sampling_rate) if len(samples) else b"",
            provenance={"rendered_prompt": generation.prompt, **self._provenance(len(samples))},
        )

    def _provenance(self, samples: int) -> Mapping[str, object]:
        packages = {
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__,
        }
        return provenance(
            self.spec,
            self._device,
            packages,
            sampling_rate=self._model.sampling_rate,
            duration=round(samples / self._model.sampling_rate, 3),  # seconds
            processor=torch.backends.cpu.get_cpu_capability(),
        )


def _progress(index: int, generation: Generation, started: float) -> Progress:
    note = generation.progress()
    if generation.done and generation.done < generation.total:
        left = (time.monotonic() - started) / generation.done * (generation.total - generation.done)
        note += f", about {duration(left)} left"
    return Progress(index, float(generation.done), float(generation.total), note)
