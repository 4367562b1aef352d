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

from core.errors import PromptTooLong
from core.providers.local.gumbel_noise import GumbelNoise
from core.providers.local_audio import parameters
from core.providers.local_audio.parameters import MusicParameters
from core.tokenization.control_tokens import ControlTokens
from core.types import ModelSpec, Request


class MusicModel:
    """A MusicGen that is loaded. `sampling_rate` is samples a second, `frame_rate` frames a second."""

    def __init__(self, spec: ModelSpec, model: Any, tokenizer: Any, device: str) -> None:
        self.spec, self.model, self.device = spec, model, device
        codec = model.config.audio_encoder
        self.sampling_rate, self.frame_rate = int(codec.sampling_rate), codec.sampling_rate / codec.hop_length
        self.codebooks: int = model.config.decoder.num_codebooks
        self._tokens, self._lock = ControlTokens(tokenizer.backend_tokenizer), Lock()
        config = model.generation_config
        starts = (config.decoder_start_token_id, config.bos_token_id, model.config.decoder.pad_token_id)
        self.pad_token: int = next(token for token in starts if token is not None)

    def begin(self, request: Request) -> MusicGeneration:
        """What a request asks for, not begun yet.

        Raises:
            InvalidInput, PromptTooLong: it cannot be made; the message says why.
        """
        asked = parameters.read(MusicParameters, request.parameters, self.spec.parameters)
        prompt, noise = parameters.prompt(request), GumbelNoise(request.seed)
        with self._lock:  # a fast tokenizer raises "Already borrowed" when two threads use it
            ids = self._tokens.encode_typed(prompt, add_special_tokens=True)
        if len(ids) > self.spec.context:
            raise PromptTooLong(
                f"The prompt has {len(ids)} tokens and {self.spec.name} reads {self.spec.context}. Shorten it."
            )
        return MusicGeneration(self, asked, prompt, ids, noise)

    @torch.inference_mode()
    def encode_prompt(self, ids: list[int], guided: bool) -> tuple[torch.Tensor, torch.Tensor]:
        """Text embeddings, (rows, tokens, width), float32, and their mask, (rows, tokens).

        With guidance there is a second row for the unconditional pass, all zeros (Kreuk et al. 2023, section 3.2).
        """
        input_ids = torch.tensor([ids], device=self.device)  # (1, tokens)
        mask = torch.ones_like(input_ids)
        states = self.model.text_encoder(input_ids=input_ids, attention_mask=mask).last_hidden_state
        if guided:
            states, mask = torch.cat([states, torch.zeros_like(states)]), torch.cat([mask, torch.zeros_like(mask)])
        decoder = self.model.decoder.config
        if self.model.text_encoder.config.hidden_size != decoder.hidden_size:
            states = self.model.enc_to_dec_proj(states)
        return states * mask[..., None], mask

    @torch.inference_mode()
    def decode_codes(self, codes: torch.Tensor) -> torch.Tensor:
        """Codes (codebooks, frames) as samples (samples,), float32, about -1 to 1."""
        decoded = self.model.audio_encoder.decode(codes[None, None].to(self.device), audio_scales=[None])
        samples: torch.Tensor = decoded.audio_values[0, 0].cpu()  # (1, 1, samples) -> (samples,)
        return samples


class MusicGeneration:
    """One piece of music on its way; a unit of work is a step of the decoder. See core.providers.local_audio."""

    def __init__(
        self, model: MusicModel, asked: MusicParameters, prompt: str, ids: list[int], noise: GumbelNoise
    ) -> None:
        self.prompt, self.prompt_tokens, self.notes = prompt, len(ids), list[str]()
        self._model, self._asked, self._ids, self._noise = model, asked, ids, noise
        self._length = max(model.codebooks, round(asked.duration * model.frame_rate))  # frames
        self._codes = torch.full((model.codebooks, self._length), model.pad_token)
        self.done, self.total = 0, self._length + model.codebooks - 1

    @property
    def frames(self) -> int:
        """Those that have a code of every codebook."""
        return max(0, self.done - self._model.codebooks + 1)

    def progress(self) -> str:
        rate = self._model.frame_rate
        return f"{self.frames / rate:.1f} of {self._length / rate:.1f} s of sound"

    def samples(self) -> torch.Tensor:
        return self._model.decode_codes(self._codes[:, : self.frames]) if self.frames else torch.zeros(0)

    @torch.inference_mode()
    def steps(self) -> Iterator[None]:
        """One column of codes a step: a code of each codebook that has begun and not ended."""
        states, mask = self._model.encode_prompt(self._ids, guided=self._asked.guidance_scale > 1)
        past_key_values = None
        for step in range(self.total):
            output = self._model.model.decoder(
                input_ids=self._previous_codes(step).repeat(len(states), 1).to(states.device),  # (rows * codebooks, 1)
                encoder_hidden_states=states,
                encoder_attention_mask=mask,
                past_key_values=past_key_values,
                use_cache=True,
            )
            past_key_values = output.past_key_values
            logits = self._guided(output.logits[:, -1].float().cpu())
            for book, code in enumerate(sample(logits, self._asked, self._noise).tolist()):
                if 0 <= step - book < self._length:
                    self._codes[book, step - book] = code
            self.done = step + 1
            yield

    def _previous_codes(self, step: int) -> torch.Tensor:
        """The decoder's input at a step, (codebooks, 1): the codes of the step before."""
        codes = [
            int(self._codes[book, step - 1 - book]) if 0 <= step - 1 - book < self._length else self._model.pad_token
            for book in range(self._model.codebooks)
        ]
        return torch.tensor(codes)[:, None]

    def _guided(self, logits: torch.Tensor) -> torch.Tensor:
        """Logits (codebooks, codes), or (2 * codebooks, codes) with the unconditional ones last, as (codebooks, codes):
        further from what comes without the prompt (Ho and Salimans 2022)."""
        if len(logits) == self._model.codebooks:
            return logits
        conditional, unconditional = logits.chunk(2)
        return unconditional + (conditional - unconditional) * self._asked.guidance_scale


def sample(logits: torch.Tensor, asked: MusicParameters, gumbel: GumbelNoise) -> torch.Tensor:
    """One code for each line of `logits`, (codebooks, codes) -> (codebooks,).

    As much noise is drawn at every step, whatever is kept of it. Codes exactly as likely as the last of the top-k are
    kept too.
    """
    noise = gumbel.draw(*logits.shape)  # (codebooks, codes), float64
    if asked.temperature <= 0:
        return logits.argmax(-1)
    scores = logits / asked.temperature
    if 0 < asked.top_k < scores.shape[-1]:
        scores = scores.masked_fill(scores < scores.topk(asked.top_k).values[:, -1:], -math.inf)
    return (scores + noise).argmax(-1)
