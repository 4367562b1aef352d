"""Images on this machine, through diffusers' parts: Stable Diffusion 1.x and its like, and what was distilled from it.

`asking` reads a request, `parts` a model's files, `schedules` says by which rule noise is taken away, `drawing` does
it, `preview` shows how far it has come; this file turns requests into drawings and drawings into outputs. Nothing of a
request is kept on the model. It knows nothing of runs, queues or history.

The same prompt and seed give the same file, byte for byte, on the same machine with the same number of threads; another
CPU may round otherwise, so the recipe names it.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import diffusers
import torch
import transformers
from PIL import Image

from core import device, repository
from core.catalog import checked_seed
from core.errors import DiptychError, InvalidInput, ModelError
from core.providers import Report
from core.providers.local_image import drawing, parameters, parts, preview, schedules
from core.providers.local_image.parameters import Wanted
from core.settings import Settings
from core.text import duration
from core.types import Event, Failed, Finished, ModelSpec, Output, Progress, Request

BLACK = (
    "The safety checker that ships with this model judged the picture and replaced it by black. It errs often: "
    "another seed or other words may help."
)


def open_model(spec: ModelSpec, settings: Settings, report: Report = lambda progress: None) -> LocalImage:
    """Find the model's files, downloading them where the catalog says so, and read them in float32.

    Raises:
        HubUnreachable, ModelRefused: the model cannot be had; the message says why and what to do.
    """
    folder = repository.folder(spec, settings, report)
    place = device.choose(settings)
    report(Progress(None, 0.0, 1.0, f"reading {spec.name}"))
    found = parts.read(spec, folder)
    for model in found.models:
        model.to(place.kind)
    report(Progress(None, 1.0, 1.0, f"reading {spec.name}"))
    return LocalImage(spec, found, device.suited(place, found.weight, settings))


@dataclass(slots=True)
class _Canvas:
    """One request on its way: what it wants, how many steps are done, and what can be shown of them."""

    index: int
    wanted: Wanted
    prompt: str
    prompt_tokens: int
    total: int
    notes: list[str]
    started: float = field(default_factory=time.monotonic)
    done: int = 0
    seen: Image.Image | None = None

    def progress(self) -> Progress:
        note = f"step {max(1, self.done)} of {self.total}"
        if self.done == self.total:
            note += ", decoding"
        elif self.done:
            left = (time.monotonic() - self.started) / self.done * (self.total - self.done)
            note += f", about {duration(left)} left"
        shown = preview.png(self.seen) if self.seen else b""
        return Progress(self.index, float(self.done), float(self.total), note, shown)


class LocalImage:
    """A Stable Diffusion that is loaded. See core.providers.Model.

    One request a call: a CPU draws two images side by side no quicker than one after the other, and one alone is there
    sooner, and sooner stopped.
    """

    max_batch = 1

    def __init__(self, spec: ModelSpec, model: parts.Parts, place: device.Device) -> None:
        self.spec, self._parts, self._place = spec, model, place
        self._lock = Lock()
        self._checked = model.checker is not None

    def close(self) -> None:
        """Drop the weights; the pool collects them."""
        del self._parts

    def generate(self, requests: Sequence[Request], stopped: Callable[[int], bool]) -> Iterator[Event]:
        """Draw one image after another; see core.providers.Model. What is wrong with one request fails that one alone.

        Each step tells how far it is, with a preview. A request that is stopped ends before the next step, with its
        last preview, enlarged, as its image; that one no safety checker has seen.
        """
        # One number for the whole process: set for each call, since another model may want another.
        torch.set_num_threads(self._place.threads)
        for index, request in enumerate(requests):
            try:
                yield from self._drawn(index, request, stopped)
            except DiptychError as error:
                yield Failed(index, str(error), type(error).__name__)
            except Exception as error:  # its text may quote the prompt
                yield Failed(index, f"The model failed ({type(error).__name__}). Try other settings or another model.")

    def _drawn(self, index: int, request: Request, stopped: Callable[[int], bool]) -> Iterator[Event]:
        wanted, seed = parameters.read(request.parameters, self.spec.parameters), checked_seed(request.seed)
        self._refuse_size(wanted)
        scheduler, note = schedules.made(wanted.scheduler, self._parts.schedule, wanted.steps, self._place.kind)
        canvas = self._begun(index, wanted, parameters.prompt(request), len(scheduler.timesteps), note)
        yield canvas.progress()
        if not stopped(index):
            words = self._words(canvas)
            walk = drawing.steps(self._parts, wanted, words, scheduler, seed, self._place.kind)
            for reached in walk:
                latents, estimate = reached
                _refuse_infinite(estimate)
                canvas.done, canvas.seen = canvas.done + 1, drawing.shown(self._parts, estimate)
                yield canvas.progress()
                if stopped(index):
                    break
            else:
                yield Finished(index, self._finished(canvas, latents))
                return
        yield Finished(index, self._stopped(canvas))

    def _begun(self, index: int, wanted: Wanted, prompt: str, total: int, note: str) -> _Canvas:
        count, notes = self._measured("prompt", prompt)
        if wanted.negative_prompt and not self._guided(wanted):
            why = "has its guidance built in" if self._parts.distilled else "was asked without guidance (1 or below)"
            notes.append(f"The negative prompt was not used: the model {why}.")
        elif wanted.negative_prompt:
            notes += self._measured("negative prompt", wanted.negative_prompt)[1]
        return _Canvas(index, wanted, prompt, count, total, [*notes, *([note] if note else [])])

    def _measured(self, what: str, text: str) -> tuple[int, list[str]]:
        """How many tokens a text has, and a note where not all of them are read."""
        with self._lock:  # a fast tokenizer raises "Already borrowed" when two threads use it
            count = len(self._parts.tokenizer(text, add_special_tokens=False)["input_ids"])
        room = self._parts.tokenizer.model_max_length - 2  # one token begins a text, one ends it
        over = count - room
        told = f"The {what} has {count} tokens and the model reads {room}: the last {over} were not read."
        return count, [told] if over > 0 else []

    def _guided(self, wanted: Wanted) -> bool:
        return wanted.guidance_scale > 1 and not self._parts.distilled

    def _words(self, canvas: _Canvas) -> torch.Tensor:
        texts = [canvas.wanted.negative_prompt] if self._guided(canvas.wanted) else []
        with self._lock:
            return drawing.encoded(self._parts, [*texts, canvas.prompt], self._place.kind)

    def _refuse_size(self, wanted: Wanted) -> None:
        unit = self._parts.cell * 2 ** (len(self._parts.unet.config.block_out_channels) - 1)
        if any(side % unit for side in wanted.pixels):
            raise InvalidInput(f"Size must be a multiple of {unit} pixels each way; it is {wanted.size}.")

    def _finished(self, canvas: _Canvas, latents: torch.Tensor) -> Output:
        image, taken = drawing.finished(self._parts, latents)
        return self._output(canvas, image, "stop", [BLACK] if taken else [])

    def _stopped(self, canvas: _Canvas) -> Output:
        if canvas.seen is None:
            when = f"at step {canvas.done} of {canvas.total}" if canvas.done else "before the first step"
            return self._output(canvas, None, "cancelled", [f"Stopped {when}: there is no image."])
        large = canvas.seen.resize(canvas.wanted.pixels, Image.Resampling.BICUBIC)
        told = f"Stopped at step {canvas.done} of {canvas.total}: this is the preview."
        return self._output(canvas, large, "cancelled", [told])

    def _output(self, canvas: _Canvas, image: Image.Image | None, finish: Any, more: list[str]) -> Output:
        return Output(
            text="",
            finish=finish,
            prompt_tokens=canvas.prompt_tokens,
            output_tokens=canvas.done,
            seconds=time.monotonic() - canvas.started,
            notes=(*canvas.notes, *more),
            images=(preview.png(image),) if image else (),
            provenance={"rendered_prompt": canvas.prompt, **self._recipe(canvas.wanted)},
        )

    def _recipe(self, wanted: Wanted) -> dict[str, object]:
        return {
            "source": self.spec.source,
            "revision": self.spec.revision,
            "versions": {
                "python": platform.python_version(),
                "torch": torch.__version__,
                "diffusers": diffusers.__version__,
                "transformers": transformers.__version__,
            },
            "scheduler": wanted.scheduler,
            "size": wanted.size,
            "safety_checker": self._checked,
            "batch_size": 1,
            "device": self._place.kind,
            "dtype": self._place.dtype,
            "threads": self._place.threads,
            "processor": torch.backends.cpu.get_cpu_capability(),
        }


def _refuse_infinite(estimate: torch.Tensor) -> None:
    if not bool(estimate.isfinite().all()):
        raise ModelError("The numbers of this image are not finite. Try a lower guidance or another scheduler.")
