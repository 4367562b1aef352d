"""Speech of VITS (Kim et al. 2021): a sentence in one pass, so a text sentence by sentence, with pauses between them.

The random numbers of VITS come from torch's own generator, which is set for each sentence and left as it was. Its first
sentence sounds as transformers' VitsModel makes it after `set_seed` with the request's seed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from threading import Lock
from typing import Any

import torch

from core.catalog import checked_seed
from core.errors import InvalidInput, PromptTooLong
from core.providers.local_audio import parameters
from core.types import ModelSpec, Request

LONGEST = 160
"""Characters of a sentence, from which on it is parted: some ten seconds, which take half a gigabyte while they are
made, and cannot be stopped until they are."""

PAUSE_SECONDS = 0.25
_ENDS = re.compile(r"(?<=[.!?\u2026])[\"'\u201d\u2019)\]]*\s+|\n+")
_SAID = frozenset("%&@#")
"""Signs that are missed when they are not read, unlike all other punctuation."""


class Speech:
    """A VITS that is loaded. Its `rate` is samples a second, `hop` samples of a frame."""

    def __init__(self, spec: ModelSpec, model: Any, tokenizer: Any, device: str) -> None:
        self.spec, self.model, self.device = spec, model, device
        self.rate = int(model.config.sampling_rate)
        self.hop = int(torch.tensor(model.config.upsample_rates).prod())
        self._tokenizer, self._lock = tokenizer, Lock()

    def piece(self, request: Request) -> Piece:
        """What a request asks for, not begun yet.

        Raises:
            InvalidInput, PromptTooLong: it cannot be spoken; the message says why.
        """
        want = parameters.read(parameters.Speech, request.parameters, self.spec.parameters)
        prompt, seed = parameters.prompt(request), checked_seed(request.seed)
        with self._lock:
            read = [self._tokenizer(text)["input_ids"] for text in sentences(prompt)]
        spoken = [ids for ids in read if self._sounds(ids)]
        count = sum(map(len, spoken))
        if not spoken:
            raise InvalidInput(f"{self.spec.name} knows none of the prompt's signs. Write words in its language.")
        if count > self.spec.context:
            raise PromptTooLong(
                f"The text has {count} tokens and {self.spec.name} reads {self.spec.context} at once. Shorten it."
            )
        return Piece(self, want, prompt, spoken, seed, self._unread(prompt))

    @torch.inference_mode()
    def said(self, ids: list[int], want: parameters.Speech, seed: int) -> torch.Tensor:
        """One sentence as samples."""
        words = torch.tensor([ids], device=self.device)
        devices = [torch.cuda.current_device()] if self.device == "cuda" else []
        with self._lock, torch.random.fork_rng(devices):
            torch.manual_seed(seed)
            own, self.model.noise_scale = self.model.noise_scale, want.noise_scale
            try:
                found = self.model(words, attention_mask=torch.ones_like(words), speaking_rate=want.speaking_rate)
            finally:
                self.model.noise_scale = own
        samples: torch.Tensor = found.waveform[0].cpu()
        return samples

    def _sounds(self, ids: list[int]) -> bool:
        """Whether there is anything but the blanks before, between and after letters. Their token can be a letter's."""
        return len(ids) > 1 if self._tokenizer.add_blank else bool(ids)

    def _unread(self, prompt: str) -> list[str]:
        """A note on signs that the model does not know, such as digits."""
        known = self._tokenizer.get_vocab()
        missing = [sign for sign in dict.fromkeys(prompt.lower()) if sign not in known and _missed(sign)]
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        listed = " ".join(missing[:10])
        return [f"The model does not know these signs, so they were not read: {listed}{more}."] if missing else []


class Piece:
    """One text on its way; a unit of its work is a token. See core.providers.local_audio."""

    def __init__(
        self,
        speech: Speech,
        want: parameters.Speech,
        prompt: str,
        spoken: list[list[int]],
        seed: int,
        notes: list[str],
    ) -> None:
        self.prompt, self.notes = prompt, notes
        self._speech, self._want, self._spoken = speech, want, spoken
        self._seeds = [seed, *_further(seed, len(spoken) - 1)]
        self._parts: list[torch.Tensor] = []
        self.done, self.total = 0, sum(map(len, spoken))
        self.prompt_tokens = self.total

    @property
    def frames(self) -> int:
        return sum(len(part) for part in self._parts) // self._speech.hop

    def told(self) -> str:
        return f"{len(self._parts)} of {len(self._spoken)} sentences, {self._seconds():.1f} s of sound"

    def samples(self) -> torch.Tensor:
        pause = torch.zeros(round(PAUSE_SECONDS * self._speech.rate))
        parted = [piece for part in self._parts for piece in (pause, part)]
        return torch.cat(parted[1:]) if parted else torch.zeros(0)

    def steps(self) -> Iterator[None]:
        """A sentence each."""
        for ids, seed in zip(self._spoken, self._seeds, strict=True):
            self._parts.append(self._speech.said(ids, self._want, seed))
            self.done += len(ids)
            yield

    def _seconds(self) -> float:
        pauses = max(0, len(self._parts) - 1) * PAUSE_SECONDS
        return sum(len(part) for part in self._parts) / self._speech.rate + pauses


def sentences(text: str) -> list[str]:
    """A text's sentences, in order, none longer than LONGEST: a longer one is parted at commas, then between words."""
    found = [" ".join(part.split()) for part in _ENDS.split(text.replace("\u2019", "'"))]
    return [part for sentence in found if sentence for part in _parted(sentence)]


def _parted(sentence: str) -> Iterator[str]:
    while len(sentence) > LONGEST:
        head = sentence[:LONGEST]
        clause = max(head.rfind(sign) for sign in (", ", "; ", ": ", " – ", " — "))
        end = clause + 1 if clause > LONGEST // 4 else head.rfind(" ")
        end = end if end > 0 else LONGEST
        yield sentence[:end].strip()
        sentence = sentence[end:].strip()
    if sentence:
        yield sentence


def _missed(sign: str) -> bool:
    """Whether a listener would miss a sign that is not read."""
    return not sign.isspace() and (sign in _SAID or not unicodedata.category(sign).startswith("P"))


def _further(seed: int, count: int) -> list[int]:
    """Seeds of the sentences after the first."""
    drawn: list[int] = torch.randint(2**62, (count,), generator=torch.Generator().manual_seed(seed)).tolist()
    return drawn
