"""Speech of VITS (Kim et al. 2021): a sentence in one pass, so a text sentence by sentence, with pauses between them.

The random numbers of VITS come from torch's own generator, which is set for each sentence and left as it was. Its first
sentence sounds as transformers' VitsModel makes it after `set_seed` with the request's seed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import Any

import torch

from core.catalog import checked_seed
from core.errors import InvalidInput, PromptTooLong
from core.providers.local_audio import parameters
from core.providers.local_audio.parameters import SpeechParameters
from core.types import ModelSpec, Request

LONGEST = 160
"""Characters of a sentence, from which on it is split: some ten seconds, which take half a gigabyte while they are
made, and cannot be stopped until they are."""

PAUSE_SECONDS = 0.25
_ENDS = re.compile(r"(?<=[.!?\u2026])[\"'\u201d\u2019)\]]*\s+|\n+")
_READ_ALOUD = frozenset("%&@#")
"""Signs that are missed when they are not read, unlike all other punctuation."""


class SpeechModel:
    """A VITS that is loaded. `sampling_rate` is samples a second, `hop_length` samples of a frame."""

    def __init__(self, spec: ModelSpec, model: Any, tokenizer: Any, device: str) -> None:
        self.spec, self.model, self.device = spec, model, device
        self.sampling_rate = int(model.config.sampling_rate)
        self.hop_length = int(torch.tensor(model.config.upsample_rates).prod())
        self._tokenizer, self._lock = tokenizer, Lock()

    def begin(self, request: Request) -> SpeechGeneration:
        """What a request asks for, not begun yet.

        Raises:
            InvalidInput, PromptTooLong: it cannot be spoken; the message says why.
        """
        asked = parameters.read(SpeechParameters, request.parameters, self.spec.parameters)
        prompt, seed = parameters.prompt(request), checked_seed(request.seed)
        with self._lock:
            encoded = [self._tokenizer(text, split_special_tokens=True)["input_ids"] for text in sentences(prompt)]
        audible = [ids for ids in encoded if self._is_audible(ids)]
        count = sum(map(len, audible))
        if not audible:
            raise InvalidInput(f"{self.spec.name} knows none of the prompt's signs. Write words in its language.")
        if count > self.spec.context:
            raise PromptTooLong(
                f"The text has {count} tokens and {self.spec.name} reads {self.spec.context} at once. Shorten it."
            )
        return SpeechGeneration(self, asked, prompt, audible, seed, self._unread(prompt))

    @torch.inference_mode()
    def speak(self, ids: list[int], asked: SpeechParameters, seed: int) -> torch.Tensor:
        """One sentence as samples (samples,), float32, about -1 to 1."""
        input_ids = torch.tensor([ids], device=self.device)  # (1, tokens)
        mask = torch.ones_like(input_ids)
        devices = [torch.cuda.current_device()] if self.device == "cuda" else []
        with self._lock, torch.random.fork_rng(devices):
            torch.manual_seed(seed)
            own, self.model.noise_scale = self.model.noise_scale, asked.noise_scale
            try:
                output = self.model(input_ids, attention_mask=mask, speaking_rate=asked.speaking_rate)
            finally:
                self.model.noise_scale = own
        samples: torch.Tensor = output.waveform[0].cpu()  # (1, samples) -> (samples,)
        return samples

    def _is_audible(self, ids: list[int]) -> bool:
        """Whether there is anything but the blanks before, between and after letters. Their token can be a letter's."""
        return len(ids) > 1 if self._tokenizer.add_blank else bool(ids)

    def _unread(self, prompt: str) -> list[str]:
        """A note on signs that the model does not know, such as digits."""
        vocabulary = self._tokenizer.get_vocab()
        missing = [sign for sign in dict.fromkeys(prompt.lower()) if sign not in vocabulary and _is_missed(sign)]
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        listed = " ".join(missing[:10])
        return [f"The model does not know these signs, so they were not read: {listed}{more}."] if missing else []


class SpeechGeneration:
    """One text on its way; a unit of work is a token. See core.providers.local_audio."""

    def __init__(
        self,
        model: SpeechModel,
        asked: SpeechParameters,
        prompt: str,
        sentence_ids: Sequence[list[int]],
        seed: int,
        notes: list[str],
    ) -> None:
        self.prompt, self.notes = prompt, notes
        self._model, self._asked, self._sentence_ids = model, asked, sentence_ids
        self._seeds = [seed, *_further_seeds(seed, len(sentence_ids) - 1)]
        self._spoken: list[torch.Tensor] = []  # samples of each sentence, (samples,)
        self.done, self.total = 0, sum(map(len, sentence_ids))
        self.prompt_tokens = self.total

    @property
    def frames(self) -> int:
        return sum(len(samples) for samples in self._spoken) // self._model.hop_length

    def progress(self) -> str:
        return f"{len(self._spoken)} of {len(self._sentence_ids)} sentences, {self._seconds():.1f} s of sound"

    def samples(self) -> torch.Tensor:
        pause = torch.zeros(round(PAUSE_SECONDS * self._model.sampling_rate))
        pieces = [piece for samples in self._spoken for piece in (pause, samples)]
        return torch.cat(pieces[1:]) if pieces else torch.zeros(0)

    def steps(self) -> Iterator[None]:
        """A sentence each."""
        for ids, seed in zip(self._sentence_ids, self._seeds, strict=True):
            self._spoken.append(self._model.speak(ids, self._asked, seed))
            self.done += len(ids)
            yield

    def _seconds(self) -> float:
        pauses = max(0, len(self._spoken) - 1) * PAUSE_SECONDS
        return sum(len(samples) for samples in self._spoken) / self._model.sampling_rate + pauses


def sentences(text: str) -> list[str]:
    """A text's sentences, in order, none longer than LONGEST: a longer one is split at commas, then between words."""
    parts = [" ".join(part.split()) for part in _ENDS.split(text.replace("\u2019", "'"))]
    return [short for sentence in parts if sentence for short in _split(sentence)]


def _split(sentence: str) -> Iterator[str]:
    while len(sentence) > LONGEST:
        head = sentence[:LONGEST]
        clause = max(head.rfind(sign) for sign in (", ", "; ", ": ", " – ", " — "))
        end = clause + 1 if clause > LONGEST // 4 else head.rfind(" ")
        end = end if end > 0 else LONGEST
        yield sentence[:end].strip()
        sentence = sentence[end:].strip()
    if sentence:
        yield sentence


def _is_missed(sign: str) -> bool:
    """Whether a listener would miss a sign that is not read."""
    return not sign.isspace() and (sign in _READ_ALOUD or not unicodedata.category(sign).startswith("P"))


def _further_seeds(seed: int, count: int) -> list[int]:
    """Seeds of the sentences after the first."""
    drawn: list[int] = torch.randint(2**62, (count,), generator=torch.Generator().manual_seed(seed)).tolist()
    return drawn
