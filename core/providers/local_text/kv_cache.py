"""One forward pass for many rows, computed so that a row's numbers do not depend on its neighbours.

Float sums are not associative, and a library picks its order of summation by the shapes it sees. So the shapes that a
row sees are kept the same, alone or in company:

* A prompt is prefilled alone: no padding, no neighbours.
* Decoding computes a multiple of 8 rows, idle ones included. Matrix products of 1, 2, 3, 5, 6 or 7 rows take other
  kernels than those of 8, 16 or 32, which agree to the last bit, whatever the row's place.
* Every row's keys begin in column 0 and the columns are a multiple of 64, masked after the row's last token.
  A masked column adds an exact zero at the end of the sum. (Left padding would shift the row's own terms against the
  vector lanes; fused attention splits its sums by length, so attention is the plain kind.)

Measured on an AMD EPYC (AVX-512) with torch 2.13, on one thread and on two: of 4440 answers given alone and in batches
of 8 and 16, by random GPT-2, CodeGen, Llama and Qwen2 models and by tiny-text, no text and no probability differed in
a single bit. Another CPU or a GPU may sum otherwise: on an Intel Ice Lake, products of 16 rows had other bits than
those of 8 in a Llama of 135 million parameters. There a near tie could flip, so the provenance names the batch size,
the device and its threads.

Knows tensors only: nothing of text, sampling or requests.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer

ROWS = 8
COLUMNS = 64
"""Rows and columns are computed in multiples of these."""

KeyValues = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of one prompt, a pair per layer, each (1, heads, tokens, head size), float32."""


def rounded(count: int, unit: int) -> int:
    """The multiple of `unit` that is not below `count`, and at least one unit."""
    return max(1, -(-count // unit)) * unit


@torch.inference_mode()
def prefill(model: Any, ids: list[int], device: str) -> tuple[torch.Tensor, KeyValues]:
    """Run a prompt. Returns the logits after its last token, (1, vocabulary), and its keys and values."""
    past = DynamicCache()
    positions = torch.arange(len(ids), device=device)[None]  # (1, tokens)
    out = model(
        input_ids=torch.tensor([ids], device=device),  # (1, tokens)
        attention_mask=torch.ones_like(positions),
        position_ids=positions,
        past_key_values=past,
        use_cache=True,
        logits_to_keep=1,
    )
    logits = out.logits[:, -1]  # (1, 1, vocabulary) -> (1, vocabulary)
    return logits, [(layer.keys, layer.values) for layer in past.layers]


class _Layer(DynamicLayer):  # type: ignore[misc]
    """One layer's keys and values, (rows, heads, columns, head size), written at each row's own column."""

    def __init__(self, cache: KVCache, keys: torch.Tensor, values: torch.Tensor) -> None:
        super().__init__()
        self.cache, self.keys, self.values = cache, keys, values
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: object, **kwargs: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        # key_states, value_states: (rows, heads, 1, head size)
        self.keys[self.cache.rows, :, self.cache.lengths] = key_states[:, :, 0]
        self.values[self.cache.rows, :, self.cache.lengths] = value_states[:, :, 0]
        return self.keys, self.values


class KVCache:
    """Keys and values of rows being decoded. A row is free, or holds one request's tokens from column 0 on."""

    def __init__(self, model: Any, device: str) -> None:
        self._model, self._device = model, device
        self._layers: list[_Layer] = []
        self._free: list[int] = []
        self._allocate(0, 0)

    def _allocate(self, size: int, columns: int) -> None:
        self.rows = torch.arange(size, device=self._device)  # (rows,)
        self.lengths = torch.zeros(size, dtype=torch.long, device=self._device)  # (rows,): tokens so far
        # A finite floor, as in transformers: a row of nothing but -inf would be NaN.
        floor = torch.finfo(torch.float32).min
        self._mask = torch.full((size, 1, 1, columns), floor, device=self._device)  # added to attention's scores

    @property
    def size(self) -> int:
        return len(self.rows)

    @property
    def columns(self) -> int:
        return int(self._mask.shape[-1])

    @property
    def column_bytes(self) -> int:
        """Bytes that one column of one row takes in all layers; 0 before the first prompt."""
        return sum(2 * layer.keys.element_size() * layer.keys[:1, :, :1].numel() for layer in self._layers)

    @torch.inference_mode()
    def insert(self, prompt: KeyValues) -> int:
        """Put a prefilled prompt into a free row; returns the row's number."""
        length = prompt[0][0].shape[2]  # keys: (1, heads, tokens, head size)
        if not self._layers:
            self._layers = [_Layer(self, keys[:, :, :0].clone(), values[:, :, :0].clone()) for keys, values in prompt]
            self._select([])
        self._widen(length + 1)
        if not self._free:
            self._select(list(range(self.size)), self.size + ROWS)
        row = self._free.pop(0)
        for layer, (keys, values) in zip(self._layers, prompt, strict=True):
            layer.keys[row, :, :length] = keys[0]
            layer.values[row, :, :length] = values[0]
        self._mask[row] = torch.finfo(torch.float32).min
        self._mask[row, ..., :length] = 0
        self.lengths[row] = length
        return row

    @torch.inference_mode()
    def release(self, row: int) -> None:
        """Free a row. It is wiped, because a masked column of NaN would still be NaN."""
        for layer in self._layers:
            layer.keys[row] = 0
            layer.values[row] = 0
        self.lengths[row] = 0
        self._free = sorted([*self._free, row])

    @torch.inference_mode()
    def compact(self) -> dict[int, int]:
        """Drop rows that are not needed any more. Returns where every row in use is now, by where it was."""
        used = [row for row in range(self.size) if row not in self._free]
        if rounded(len(used), ROWS) < self.size:
            self._select(used, rounded(len(used), ROWS))
            return {old: new for new, old in enumerate(used)}
        return {row: row for row in used}

    @torch.inference_mode()
    def decode(self, tokens: dict[int, int]) -> torch.Tensor:
        """Append one token to each row named; returns logits (rows, vocabulary). Those of free rows mean nothing."""
        ids = torch.zeros(self.size, 1, dtype=torch.long)  # (rows, 1)
        for row, token in tokens.items():
            ids[row] = token
        self._widen(int(self.lengths.max()) + 1)
        self._mask[self.rows, 0, 0, self.lengths] = 0
        out = self._model(
            input_ids=ids.to(self._device),
            attention_mask=self._mask,  # (rows, 1, 1, columns)
            position_ids=self.lengths[:, None],  # (rows, 1)
            past_key_values=Cache(layers=self._layers),
            use_cache=True,
            logits_to_keep=1,
        )
        self.lengths[list(tokens)] += 1
        logits: torch.Tensor = out.logits[:, -1]  # (rows, 1, vocabulary) -> (rows, vocabulary)
        return logits

    def _widen(self, columns: int) -> None:
        more = rounded(columns, COLUMNS) - self.columns
        if more <= 0:
            return
        for layer in self._layers:
            layer.keys = torch.nn.functional.pad(layer.keys, (0, 0, 0, more))
            layer.values = torch.nn.functional.pad(layer.values, (0, 0, 0, more))
        self._mask = torch.nn.functional.pad(self._mask, (0, more), value=torch.finfo(torch.float32).min)

    def _select(self, rows: list[int], size: int = 0) -> None:
        """Keep these rows, in this order, in a cache of `size` rows; the others are free and zero."""
        old_lengths, old_mask = self.lengths, self._mask
        self._allocate(size, old_mask.shape[-1])
        self.lengths[: len(rows)] = old_lengths[rows]
        self._mask[: len(rows)] = old_mask[rows]
        more = (0, 0, 0, 0, 0, 0, 0, size - len(rows))  # pads the first axis, rows
        for layer in self._layers:
            layer.keys = torch.nn.functional.pad(layer.keys[rows], more)
            layer.values = torch.nn.functional.pad(layer.values[rows], more)
        busy = {new for new, old in enumerate(rows) if old not in self._free}
        self._free = [row for row in range(size) if row not in busy]
