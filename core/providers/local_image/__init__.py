"""Images on this machine, through diffusers' components: Stable Diffusion 1.x and its like, and what was distilled
from it.

`parameters` reads a request, `components` a model's files, `schedulers` builds the rule of the steps, `denoising` takes
them, `preview` shows how far it has come; this file turns requests into images and those into outputs. Nothing of a
request is kept on the model. It knows nothing of runs, queues or history.

The same prompt and seed give the same file, byte for byte, on the same machine with the same number of threads; another
CPU may round otherwise, so the provenance names it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import diffusers
import torch
import transformers
from PIL import Image

from core import device
from core.catalog import checked_seed
from core.errors import InvalidInput, ModelError
from core.providers import Report
from core.providers.local.failures import one_by_one
from core.providers.local.files import load, weight_bytes
from core.providers.local.provenance import provenance
from core.providers.local_image import components, denoising, parameters, preview, schedulers
from core.providers.local_image.components import Components
from core.providers.local_image.parameters import ImageParameters
from core.settings import Settings
from core.text import duration
from core.types import Event, Finished, FinishReason, ModelSpec, Output, Progress, Request

BLACK = (
    "The safety checker that ships with this model judged the picture and replaced it by black. It errs often: "
    "another seed or other words may help."
)


def open_model(spec: ModelSpec, settings: Settings, report: Report = lambda progress: None) -> LocalImage:
    """Find the model's files, downloading them where the catalog says so, and read them in float32.

    Raises:
        HubUnreachable, ModelRefused: the model cannot be had; the message says why and what to do.
    """
    read = load(spec, settings, report, components.read)
    here = device.choose(settings)
    for model in read.models:
        model.to(here.kind)
    return LocalImage(spec, read, device.suited(here, weight_bytes(*read.models), settings))


@dataclass(slots=True)
class _Drawing:
    """One request on its way: its parameters, how many steps are done, and the last preview. Times are seconds."""

    index: int
    parameters: ImageParameters
    prompt: str
    prompt_tokens: int
    total: int
    notes: list[str]
    started: float = field(default_factory=time.monotonic)
    done: int = 0
    preview: Image.Image | None = None

    def progress(self) -> Progress:
        note = f"step {max(1, self.done)} of {self.total}"
        if self.done == self.total:
            note += ", decoding"
        elif self.done:
            left = (time.monotonic() - self.started) / self.done * (self.total - self.done)
            note += f", about {duration(left)} left"
        shown = preview.png(self.preview) if self.preview else b""
        return Progress(self.index, float(self.done), float(self.total), note, shown)


class LocalImage:
    """A Stable Diffusion that is loaded. See core.providers.Model.

    One request a call: a CPU draws two images side by side no quicker than one after the other, and one alone is there
    sooner, and sooner stopped.
    """

    max_batch = 1

    def __init__(self, spec: ModelSpec, model: Components, here: device.Device) -> None:
        self.spec, self._components, self._device = spec, model, here
        self._lock = Lock()
        self._checked = model.safety_checker is not None

    def close(self) -> None:
        """Drop the weights; the pool collects them."""
        del self._components

    def generate(self, requests: Sequence[Request], stopped: Callable[[int], bool]) -> Iterator[Event]:
        """Draw one image after another; see core.providers.Model. What is wrong with one request fails that one alone.

        Each step yields its progress, with a preview. A request that is stopped ends before the next step, with its
        last preview, enlarged, as its image; that one no safety checker has seen.
        """
        # One number for the whole process: set for each call, since another model may want another.
        torch.set_num_threads(self._device.threads)
        yield from one_by_one(requests, lambda index, request: self._draw(index, request, stopped))

    def _draw(self, index: int, request: Request, stopped: Callable[[int], bool]) -> Iterator[Event]:
        asked, seed = parameters.read(request.parameters, self.spec.parameters), checked_seed(request.seed)
        self._refuse_size(asked)
        config = self._components.scheduler_config
        scheduler, note = schedulers.build(asked.scheduler, config, asked.steps, self._device.kind)
        drawing = self._begin(index, asked, parameters.prompt(request), len(scheduler.timesteps), note)
        yield drawing.progress()
        if not stopped(index):
            embeds = self._prompt_embeds(drawing)
            steps = denoising.denoise(self._components, asked, embeds, scheduler, seed, self._device.kind)
            for reached in steps:
                latents, estimate = reached
                _refuse_infinite(estimate)
                drawing.done, drawing.preview = drawing.done + 1, denoising.preview_of(self._components, estimate)
                yield drawing.progress()
                if stopped(index):
                    break
            else:
                yield Finished(index, self._finished(drawing, latents))
                return
        yield Finished(index, self._stopped(drawing))

    def _begin(self, index: int, asked: ImageParameters, prompt: str, total: int, note: str) -> _Drawing:
        count, notes = self._counted("prompt", prompt)
        if asked.negative_prompt and not self._guided(asked):
            why = (
                "has its guidance built in" if self._components.distilled else "was asked without guidance (1 or below)"
            )
            notes.append(f"The negative prompt was not used: the model {why}.")
        elif asked.negative_prompt:
            notes += self._counted("negative prompt", asked.negative_prompt)[1]
        return _Drawing(index, asked, prompt, count, total, [*notes, *([note] if note else [])])

    def _counted(self, what: str, text: str) -> tuple[int, list[str]]:
        """How many tokens a text has, and a note where not all of them are read."""
        tokenizer = self._components.tokenizer
        with self._lock:  # a fast tokenizer raises "Already borrowed" when two threads use it
            count = len(tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])
        room = tokenizer.model_max_length - 2  # one token begins a text, one ends it
        over = count - room
        note = f"The {what} has {count} tokens and the model reads {room}: the last {over} were not read."
        return count, [note] if over > 0 else []

    def _guided(self, asked: ImageParameters) -> bool:
        return asked.guidance_scale > 1 and not self._components.distilled

    def _prompt_embeds(self, drawing: _Drawing) -> torch.Tensor:
        """(1, tokens, width), or (2, tokens, width) with the negative prompt's first."""
        texts = [drawing.parameters.negative_prompt] if self._guided(drawing.parameters) else []
        with self._lock:
            return denoising.encode_prompts(self._components, [*texts, drawing.prompt], self._device.kind)

    def _refuse_size(self, asked: ImageParameters) -> None:
        unit = self._components.vae_scale_factor * 2 ** (len(self._components.unet.config.block_out_channels) - 1)
        if any(side % unit for side in asked.pixels):
            raise InvalidInput(f"Size must be a multiple of {unit} pixels each way; it is {asked.size}.")

    def _finished(self, drawing: _Drawing, latents: torch.Tensor) -> Output:
        image, taken_away = denoising.decode_checked(self._components, latents)
        return self._output(drawing, image, "stop", [BLACK] if taken_away else [])

    def _stopped(self, drawing: _Drawing) -> Output:
        if drawing.preview is None:
            when = f"at step {drawing.done} of {drawing.total}" if drawing.done else "before the first step"
            return self._output(drawing, None, "cancelled", [f"Stopped {when}: there is no image."])
        large = drawing.preview.resize(drawing.parameters.pixels, Image.Resampling.BICUBIC)
        note = f"Stopped at step {drawing.done} of {drawing.total}: this is the preview."
        return self._output(drawing, large, "cancelled", [note])

    def _output(
        self, drawing: _Drawing, image: Image.Image | None, finish: FinishReason, notes: Sequence[str]
    ) -> Output:
        return Output(
            text="",
            finish=finish,
            prompt_tokens=drawing.prompt_tokens,
            output_tokens=drawing.done,
            seconds=time.monotonic() - drawing.started,
            notes=(*drawing.notes, *notes),
            images=(preview.png(image),) if image else (),
            provenance={"rendered_prompt": drawing.prompt, **self._provenance(drawing.parameters)},
        )

    def _provenance(self, asked: ImageParameters) -> Mapping[str, object]:
        packages = {
            "torch": torch.__version__,
            "diffusers": diffusers.__version__,
            "transformers": transformers.__version__,
        }
        return provenance(
            self.spec,
            self._device,
            packages,
            scheduler=asked.scheduler,
            size=asked.size,
            safety_checker=self._checked,
            processor=torch.backends.cpu.get_cpu_capability(),
        )


def _refuse_infinite(estimate: torch.Tensor) -> None:
    if not bool(estimate.isfinite().all()):
        raise ModelError("The numbers of this image are not finite. Try a lower guidance or another scheduler.")
