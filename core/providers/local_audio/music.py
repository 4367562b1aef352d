"""Music of MusicGen (Copet et al. 2023) and its like: codes of an EnCodec, a frame after another.

The loop is that of transformers' MusicgenForConditionalGeneration, to the last bit, as a generator: the caller looks at
every step, and ends the music by not asking for another. A frame has a code of each codebook; codebook k is a step
behind codebook k - 1, so a frame is whole only `codebooks - 1` steps after it was begun (the delay pattern).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from threading import Lock
from typing import Any

import torch

from core.catalog import checked_seed
from core.errors import PromptTooLong
from core.providers.local_audio import parameters
from core.types import ModelSpec, Request


class Music:
    """A MusicGen that is loaded. Its `rate` is samples a second, `pace` frames a second."""

    def __init__(self, spec: ModelSpec, model: Any, tokenizer: Any, device: str) -> None:
        self.spec, self.model, self.device = spec, model, device
        codec = model.config.audio_encoder
        self.rate, self.pace = int(codec.sampling_rate), codec.sampling_rate / codec.hop_length
        self.codebooks: int = model.config.decoder.num_codebooks
        self._tokenizer, self._lock = tokenizer, Lock()
        config = model.generation_config
        starts = (config.decoder_start_token_id, config.bos_token_id, model.config.decoder.pad_token_id)
        self.nothing: int = next(token for token in starts if token is not None)

    def piece(self, request: Request) -> Piece:
        """What a request asks for, not begun yet.

        Raises:
            InvalidInput, PromptTooLong: it cannot be made; the message says why.
        """
        want = parameters.read(parameters.Music, request.parameters, self.spec.parameters)
        prompt, seed = parameters.prompt(request), checked_seed(request.seed)
        with self._lock:  # a fast tokenizer raises "Already borrowed" when two threads use it
            ids = self._tokenizer(prompt)["input_ids"]
        if len(ids) > self.spec.context:
            raise PromptTooLong(
                f"The prompt has {len(ids)} tokens and {self.spec.name} reads {self.spec.context}. Shorten it."
            )
        return Piece(self, want, prompt, ids, seed)

    @torch.inference_mode()
    def heard(self, ids: list[int], guided: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """What the decoder listens to, (rows, tokens, width), and its mask, (rows, tokens).

        With guidance there is a second row of nothing at all (Kreuk et al. 2023, section 3.2).
        """
        words = torch.tensor([ids], device=self.device)
        mask = torch.ones_like(words)
        states = self.model.text_encoder(input_ids=words, attention_mask=mask).last_hidden_state
        if guided:
            states, mask = torch.cat([states, torch.zeros_like(states)]), torch.cat([mask, torch.zeros_like(mask)])
        decoder = self.model.decoder.config
        if self.model.text_encoder.config.hidden_size != decoder.hidden_size:
            states = self.model.enc_to_dec_proj(states)
        return states * mask[..., None], mask

    @torch.inference_mode()
    def played(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (codebooks, frames) as samples."""
        found = self.model.audio_encoder.decode(codes[None, None].to(self.device), audio_scales=[None])
        samples: torch.Tensor = found.audio_values[0, 0].cpu()
        return samples


class Piece:
    """One piece of music on its way; a unit of its work is a step of the decoder. See core.providers.local_audio."""

    def __init__(self, music: Music, want: parameters.Music, prompt: str, ids: list[int], seed: int) -> None:
        self.prompt, self.prompt_tokens, self.notes = prompt, len(ids), list[str]()
        self._music, self._want, self._ids = music, want, ids
        self._length = max(music.codebooks, round(want.duration * music.pace))
        self._codes = torch.full((music.codebooks, self._length), music.nothing)
        self._generator = torch.Generator().manual_seed(seed)
        self.done, self.total = 0, self._length + music.codebooks - 1

    @property
    def frames(self) -> int:
        """Those that are whole."""
        return max(0, self.done - self._music.codebooks + 1)

    def told(self) -> str:
        pace = self._music.pace
        return f"{self.frames / pace:.1f} of {self._length / pace:.1f} s of sound"

    def samples(self) -> torch.Tensor:
        return self._music.played(self._codes[:, : self.frames]) if self.frames else torch.zeros(0)

    @torch.inference_mode()
    def steps(self) -> Iterator[None]:
        """One column of codes a step: a code of each codebook that has begun and not ended."""
        guided = self._want.guidance_scale > 1
        states, mask = self._music.heard(self._ids, guided)
        memory = None
        for step in range(self.total):
            found = self._music.model.decoder(
                input_ids=self._column(step).repeat(len(states), 1).to(states.device),
                encoder_hidden_states=states,
                encoder_attention_mask=mask,
                past_key_values=memory,
                use_cache=True,
            )
            memory = found.past_key_values
            codes = chosen(self._mixed(found.logits[:, -1].float().cpu()), self._want, self._generator)
            for book, code in enumerate(codes.tolist()):
                if 0 <= step - book < self._length:
                    self._codes[book, step - book] = code
            self.done = step + 1
            yield

    def _column(self, step: int) -> torch.Tensor:
        """What the decoder is given at a step, (codebooks, 1): the codes of the step before."""
        nothing, places = self._music.nothing, range(self._music.codebooks)
        codes = [
            int(self._codes[book, step - 1 - book]) if 0 <= step - 1 - book < self._length else nothing
            for book in places
        ]
        return torch.tensor(codes)[:, None]

    def _mixed(self, logits: torch.Tensor) -> torch.Tensor:
        """(codebooks, codes): with the prompt, and further from what comes without it (Ho and Salimans 2022)."""
        if len(logits) == self._music.codebooks:
            return logits
        with_prompt, without = logits.chunk(2)
        return without + (with_prompt - without) * self._want.guidance_scale


def chosen(logits: torch.Tensor, want: parameters.Music, generator: torch.Generator) -> torch.Tensor:
    """One code for each line of `logits`, (codebooks, codes).

    The draw is exact: the argmax of logits / temperature plus Gumbel noise is a sample of their softmax (Gumbel 1954;
    Maddison et al. 2014). As much noise is drawn at every step, whatever is kept of it. Codes exactly as likely as the
    last of the top-k are kept too.
    """
    noise = torch.rand(logits.shape, generator=generator, dtype=torch.float64)
    if want.temperature <= 0:
        return logits.argmax(-1)
    scores = logits / want.temperature
    if 0 < want.top_k < scores.shape[-1]:
        scores = scores.masked_fill(scores < scores.topk(want.top_k).values[:, -1:], -math.inf)
    return (scores - noise.log().neg_().log_()).argmax(-1)
