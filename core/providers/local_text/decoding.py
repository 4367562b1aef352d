"""The decode loop: rows read their prompts, take a token each step, and leave when they end.

A row that ends frees its slot for one that waits, so a long answer does not hold the short ones up. Whatever the
company, a row's tokens are the same (see `slots`). Knows tokens and slots; nothing of requests, prompts or recipes.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from core.providers.local_text.detokenize import Gate, Letters
from core.providers.local_text.kv_cache import COLUMNS, ROWS, Memory, Slots, read_prompt, rounded
from core.providers.local_text.sampling import Dice, Sampling, choose, penalise
from core.types import Delta, Failed, FinishReason, Token

ROWS_AT_ONCE = 32


@dataclass(slots=True, eq=False, kw_only=True)
class Row:
    """One answer being written. Times are seconds of `time.perf_counter`."""

    index: int
    prompt: str
    ids: list[int]
    want: Sampling
    dice: Dice
    letters: Letters
    gate: Gate
    started: float = 0.0
    first: float | None = None
    ended: float = 0.0
    text: str = ""
    last: int = -1
    tokens: list[Token] = field(default_factory=list)
    seen: torch.Tensor | None = None
    end: FinishReason | None = None
    error: str = ""

    @property
    def longest(self) -> int:
        """Columns that this row can come to need."""
        return len(self.ids) + self.want.max_new_tokens


class Batch:
    """Rows on their way through one model.

    Args:
        model: a transformers causal language model, in evaluation mode.
        device: its torch device.
        ends: token ids that end a text.
        spare: bytes that keys and values may take; one row always runs.
    """

    def __init__(self, model: Any, device: str, ends: frozenset[int], spare: int) -> None:
        self._model, self._device, self._ends, self._spare = model, device, ends, spare
        self._table = Slots(model, device)
        self._live: dict[int, Row] = {}
        self._read: tuple[list[int], torch.Tensor, Memory] | None = None

    def run(self, rows: Sequence[Row], stopped: Callable[[int], bool]) -> Iterator[Delta | Failed | Row]:
        """Text as it comes, and each row itself (or Failed) when it has ended."""
        waiting = deque(rows)
        while waiting or self._live:
            for row in [row for row in waiting if stopped(row.index)]:
                waiting.remove(row)
                row.end = "cancelled"
                yield row
            for row in self._live.values():
                if row.end is None and stopped(row.index):
                    yield from self._close(row, "cancelled")
            yield from self._leave()
            # One prompt at a time, so that a stop is heeded between two of them.
            if waiting and self._fits(waiting[0]):
                yield from self._enter(waiting.popleft())
            elif self._live:
                yield from self._step()

    def _fits(self, row: Row) -> bool:
        rows = len(self._live) + 1
        if rows == 1 or rows > ROWS_AT_ONCE:
            return rows == 1
        columns = rounded(max(other.longest for other in (row, *self._live.values())), COLUMNS)
        return rounded(rows, ROWS) * columns * self._table.column_bytes <= self._spare

    def _enter(self, row: Row) -> Iterator[Delta | Failed]:
        row.started = row.ended = time.perf_counter()
        try:
            # Samples of one prompt follow each other: it is read once for all of them.
            if self._read is None or self._read[0] != row.ids:
                self._read = (row.ids, *read_prompt(self._model, row.ids, self._device))
            _, logits, memory = self._read
            slot = self._table.place(memory)
        except (RuntimeError, MemoryError, IndexError) as error:
            self._read = None
            yield Failed(row.index, f"The model failed on this prompt ({type(error).__name__}).", "ModelError")
            return
        self._live[slot] = row
        if row.want.repetition_penalty != 1:
            row.seen = torch.zeros(logits.shape[-1], dtype=torch.bool, device=self._device)
            row.seen[row.ids] = True
        yield from self._take([row], logits)

    def _step(self) -> Iterator[Delta | Failed]:
        table = list(self._live)
        try:
            logits = self._table.step({slot: self._live[slot].last for slot in table})
        except (RuntimeError, MemoryError) as error:
            for row in self._live.values():
                row.error = f"The model failed while it was writing ({type(error).__name__})."
            return
        yield from self._take([self._live[slot] for slot in table], logits[table])

    def _take(self, rows: Sequence[Row], logits: torch.Tensor) -> Iterator[Delta]:
        """Give each row its next token; logits are (rows, vocabulary)."""
        for row, token, logprob in zip(rows, *_next(rows, logits), strict=True):
            if not math.isfinite(logprob):
                row.error = "The model's numbers are not finite (NaN), so no next token can be chosen."
                continue
            row.first = row.first or time.perf_counter()
            if token in self._ends:
                yield from self._close(row, "stop")
                continue
            row.last = token
            if row.seen is not None:
                row.seen[token] = True
            yield from self._write(row, Token(row.letters.add(token), logprob))

    def _write(self, row: Row, token: Token) -> Iterator[Delta]:
        row.tokens.append(token)
        yield from _show(row, row.gate.add(token.text))
        if row.gate.closed:
            row.end, row.ended = "stop", time.perf_counter()
        elif len(row.tokens) >= row.want.max_new_tokens:
            yield from self._close(row, "length")

    def _close(self, row: Row, reason: FinishReason) -> Iterator[Delta]:
        row.end, row.ended = reason, time.perf_counter()
        yield from _show(row, row.gate.rest())

    def _leave(self) -> Iterator[Row | Failed]:
        gone = [slot for slot, row in self._live.items() if row.end or row.error]
        for slot in gone:
            row = self._live.pop(slot)
            self._table.release(slot)
            yield Failed(row.index, row.error, "ModelError") if row.error else row
        if gone:
            places = self._table.shrink()
            self._live = {places[slot]: row for slot, row in self._live.items()}


def _show(row: Row, text: str) -> Iterator[Delta]:
    row.text += text
    if text:
        yield Delta(row.index, text, len(row.tokens))


@torch.inference_mode()
def _next(rows: Sequence[Row], logits: torch.Tensor) -> tuple[list[int], list[float]]:
    """The next token of each row and the model's own log-probability of it: NaN where a row's logits are not finite."""
    adjusted = logits
    if any(row.seen is not None for row in rows):
        adjusted = torch.stack(
            [
                line if row.seen is None else penalise(line, row.seen, row.want.repetition_penalty)
                for row, line in zip(rows, logits, strict=True)
            ]
        )
    tokens = choose(adjusted, [row.want for row in rows], [row.dice for row in rows])
    picked = logits.gather(-1, torch.tensor(tokens, device=logits.device)[:, None])[:, 0]
    logprobs: list[float] = (picked - logits.logsumexp(-1)).tolist()
    return tokens, logprobs
