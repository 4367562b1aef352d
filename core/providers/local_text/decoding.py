"""The decode loop: prompts are prefilled, rows take a token each step, and leave when they end.

A row that ends makes room for one that waits, so a long answer does not hold the short ones up. Whatever the company, a
row's tokens are the same (see `kv_cache`). Knows tokens and rows; nothing of requests, prompts or provenance.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from core.providers.local.gumbel_noise import GumbelNoise
from core.providers.local_text.detokenize import IncrementalDetokenizer, StopStrings
from core.providers.local_text.kv_cache import COLUMNS, ROWS, KeyValues, KVCache, prefill, rounded
from core.providers.local_text.sampling import Sampling, choose, penalise
from core.types import Delta, Failed, FinishReason, Token

ROWS_AT_ONCE = 32


@dataclass(slots=True, eq=False, kw_only=True)
class Row:
    """One answer being written. Times are seconds of `time.perf_counter`."""

    index: int
    prompt: str
    prompt_ids: list[int]
    sampling: Sampling
    noise: GumbelNoise
    detokenizer: IncrementalDetokenizer
    stop_strings: StopStrings
    started: float = 0.0
    first_token: float | None = None
    ended: float = 0.0
    text: str = ""
    last_id: int = -1
    tokens: list[Token] = field(default_factory=list)
    seen: torch.Tensor | None = None  # (vocabulary,), bool: tokens used so far, where they are penalised
    finish: FinishReason | None = None
    error: str = ""

    @property
    def max_length(self) -> int:
        """Tokens of prompt and answer that this row can come to have."""
        return len(self.prompt_ids) + self.sampling.max_new_tokens


class Batch:
    """Rows on their way through one model.

    Args:
        model: a transformers causal language model, in evaluation mode.
        device: its torch device.
        eos_ids: token ids that end a text.
        cache_bytes: what keys and values may take; one row always runs.
    """

    def __init__(self, model: Any, device: str, eos_ids: frozenset[int], cache_bytes: int) -> None:
        self._model, self._device, self._eos_ids, self._cache_bytes = model, device, eos_ids, cache_bytes
        self._cache = KVCache(model, device)
        self._rows: dict[int, Row] = {}  # by their number in the cache
        self._prefilled: tuple[list[int], torch.Tensor, KeyValues] | None = None

    def run(self, rows: Sequence[Row], stopped: Callable[[int], bool]) -> Iterator[Delta | Failed | Row]:
        """Text as it comes, and each row itself (or Failed) when it has ended."""
        waiting = deque(rows)
        while waiting or self._rows:
            for row in [row for row in waiting if stopped(row.index)]:
                waiting.remove(row)
                row.finish = "cancelled"
                yield row
            for row in self._rows.values():
                if row.finish is None and stopped(row.index):
                    yield from self._end(row, "cancelled")
            yield from self._release_ended()
            # One prompt at a time, so that a stop is heeded between two of them.
            if waiting and self._fits(waiting[0]):
                yield from self._prefill(waiting.popleft())
            elif self._rows:
                yield from self._decode()

    def _fits(self, row: Row) -> bool:
        rows = len(self._rows) + 1
        if rows == 1 or rows > ROWS_AT_ONCE:
            return rows == 1
        columns = rounded(max(other.max_length for other in (row, *self._rows.values())), COLUMNS)
        return rounded(rows, ROWS) * columns * self._cache.column_bytes <= self._cache_bytes

    def _prefill(self, row: Row) -> Iterator[Delta | Failed]:
        row.started = row.ended = time.perf_counter()
        try:
            # Samples of one prompt follow each other: it is read once for all of them.
            if self._prefilled is None or self._prefilled[0] != row.prompt_ids:
                self._prefilled = (row.prompt_ids, *prefill(self._model, row.prompt_ids, self._device))
            _, logits, key_values = self._prefilled  # logits: (1, vocabulary)
            number = self._cache.insert(key_values)
        except (RuntimeError, MemoryError, IndexError) as error:
            self._prefilled = None
            yield Failed(row.index, f"The model failed on this prompt ({type(error).__name__}).", "ModelError")
            return
        self._rows[number] = row
        if row.sampling.repetition_penalty != 1:
            row.seen = torch.zeros(logits.shape[-1], dtype=torch.bool, device=self._device)
            row.seen[row.prompt_ids] = True
        yield from self._append([row], logits)

    def _decode(self) -> Iterator[Delta | Failed]:
        numbers = list(self._rows)
        try:
            logits = self._cache.decode({number: self._rows[number].last_id for number in numbers})
        except (RuntimeError, MemoryError) as error:
            for row in self._rows.values():
                row.error = f"The model failed while it was writing ({type(error).__name__})."
            return
        yield from self._append([self._rows[number] for number in numbers], logits[numbers])

    def _append(self, rows: Sequence[Row], logits: torch.Tensor) -> Iterator[Delta]:
        """Give each row its next token; logits are (rows, vocabulary)."""
        for row, token_id, logprob in zip(rows, *_next_tokens(rows, logits), strict=True):
            if not math.isfinite(logprob):
                row.error = "The model's numbers are not finite (NaN), so no next token can be chosen."
                continue
            row.first_token = row.first_token or time.perf_counter()
            if token_id in self._eos_ids:
                yield from self._end(row, "stop")
                continue
            row.last_id = token_id
            if row.seen is not None:
                row.seen[token_id] = True
            yield from self._write(row, Token(row.detokenizer.add(token_id), logprob))

    def _write(self, row: Row, token: Token) -> Iterator[Delta]:
        row.tokens.append(token)
        yield from _show(row, row.stop_strings.add(token.text))
        if row.stop_strings.reached:
            row.finish, row.ended = "stop", time.perf_counter()
        elif len(row.tokens) >= row.sampling.max_new_tokens:
            yield from self._end(row, "length")

    def _end(self, row: Row, reason: FinishReason) -> Iterator[Delta]:
        row.finish, row.ended = reason, time.perf_counter()
        yield from _show(row, row.stop_strings.rest())

    def _release_ended(self) -> Iterator[Row | Failed]:
        ended = [number for number, row in self._rows.items() if row.finish or row.error]
        for number in ended:
            row = self._rows.pop(number)
            self._cache.release(number)
            yield Failed(row.index, row.error, "ModelError") if row.error else row
        if ended:
            moved = self._cache.compact()
            self._rows = {moved[number]: row for number, row in self._rows.items()}


def _show(row: Row, text: str) -> Iterator[Delta]:
    row.text += text
    if text:
        yield Delta(row.index, text, len(row.tokens))


@torch.inference_mode()
def _next_tokens(rows: Sequence[Row], logits: torch.Tensor) -> tuple[list[int], list[float]]:
    """The next token of each row and the model's own log-probability of it: NaN where a row's logits are not finite.

    `logits` are (rows, vocabulary), float32.
    """
    adjusted = logits
    if any(row.seen is not None for row in rows):
        adjusted = torch.stack(
            [
                line if row.seen is None else penalise(line, row.seen, row.sampling.repetition_penalty)
                for row, line in zip(rows, logits, strict=True)
            ]
        )
    tokens = choose(adjusted, [row.sampling for row in rows], [row.noise for row in rows])
    picked = logits.gather(-1, torch.tensor(tokens, device=logits.device)[:, None])[:, 0]  # (rows,)
    logprobs: list[float] = (picked - logits.logsumexp(-1)).tolist()  # natural logarithm
    return tokens, logprobs
