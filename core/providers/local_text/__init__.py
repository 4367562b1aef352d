"""Causal language models on this machine, through transformers: GPT-2, CodeGen, Llama, Qwen and their like.

The decode loop is our own (`decoding`) rather than `generate()`: it is a generator, so events are yielded where they
happen, without a streamer's thread; every row has its own seed, filters, stop strings and end; and a row that ends
makes room at once. `weights` reads a model's files, `prompting` frames messages, `kv_cache` computes, `sampling`
chooses tokens, `detokenize` makes text; this file turns requests into rows and rows into outputs. It knows nothing of
runs, queues or history.

The same request gives the same text alone and in any company; `kv_cache` says why, and what another machine may do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Lock
from typing import Any

import tokenizers
import torch
import transformers

from core import catalog, device
from core.errors import PromptTooLong
from core.providers import Report
from core.providers.local.failures import failed
from core.providers.local.files import load, weight_bytes
from core.providers.local.gumbel_noise import GumbelNoise
from core.providers.local.provenance import provenance
from core.providers.local_text import sampling, weights
from core.providers.local_text.decoding import Batch, Row
from core.providers.local_text.detokenize import IncrementalDetokenizer, StopStrings
from core.providers.local_text.prompting import PromptEncoder, fill_in_the_middle
from core.settings import Settings
from core.types import Event, Finished, Modality, ModelSpec, Output, Request


def open_model(spec: ModelSpec, settings: Settings, report: Report = lambda progress: None) -> LocalText:
    """Find the model's files, downloading them where the catalog says so, and read them in float32.

    Raises:
        HubUnreachable, ModelRefused: the model cannot be had; the message says why and what to do.
    """
    model, tokenizer = load(spec, settings, report, weights.read)
    here = device.choose(settings)
    return LocalText(spec, model.to(here.kind), tokenizer, device.suited(here, weight_bytes(model), settings))


class LocalText:
    """A causal language model that is loaded. See core.providers.Model.

    One call may hold 64 requests of a small model, two playground grids' worth, and 16 of a larger one: few enough that
    another visitor's turn comes soon. How many of them are computed at once is the decode loop's business: at most 32
    rows, past which a step on two cores costs nearly as much more as it brings, and never more than the memory that the
    catalog's row leaves.
    """

    def __init__(self, spec: ModelSpec, model: Any, tokenizer: Any, here: device.Device) -> None:
        self.spec, self._model, self._tokenizer, self._device = spec, model, tokenizer, here
        self._encoder = PromptEncoder(tokenizer, self._filled)
        self._lock = Lock()
        weight = weight_bytes(model)
        self.max_batch = 64 if weight <= device.SMALL else 16
        own = getattr(model.config, "max_position_embeddings", None) or getattr(model.config, "n_positions", None)
        self.context = min(spec.context, own) if own else spec.context  # tokens
        self._eos_ids = _eos_ids(model, tokenizer)
        self._cache_bytes = max(64_000_000, spec.memory_bytes - weight)

    def close(self) -> None:
        """Drop the weights; the pool collects them."""
        self._model = self._tokenizer = None
        del self._encoder

    def generate(self, requests: Sequence[Request], stopped: Callable[[int], bool]) -> Iterator[Event]:
        """Answer a batch; see core.providers.Model. What is wrong with one request fails that one alone.

        An output's seconds count from the moment its prompt is read, not from the batch's beginning. Its tokens are all
        that were generated, those of a trimmed stop string too, but not the token that ends a text.
        """
        rows: list[Row] = []
        for index, request in enumerate(requests):
            try:
                rows.append(self._row(index, request))
            except Exception as error:  # of a template or a tokenizer, which came with the model
                yield failed(index, error)
        # One number for the whole process: set for each batch, since another model may want another.
        torch.set_num_threads(self._device.threads)
        shared = self._provenance(len(requests))
        batch = Batch(self._model, self._device.kind, self._eos_ids, self._cache_bytes)
        for event in batch.run(rows, stopped):
            yield Finished(event.index, _output(event, shared)) if isinstance(event, Row) else event

    def _row(self, index: int, request: Request) -> Row:
        settings = sampling.read(request.parameters, self.spec.parameters)
        noise = GumbelNoise(request.seed)
        # A fast tokenizer raises "Already borrowed" when two threads use it (transformers issue 47085).
        with self._lock:
            prompt = self._encoder.encode(request)
        if len(prompt.ids) + settings.max_new_tokens > self.context:
            raise PromptTooLong(
                f"The prompt has {len(prompt.ids)} tokens and the answer may have {settings.max_new_tokens}, together "
                f"{len(prompt.ids) + settings.max_new_tokens}; {self.spec.name} holds {self.context}. "
                "Shorten the prompt or lower Max new tokens."
            )
        return Row(
            index=index,
            prompt=prompt.text,
            prompt_ids=prompt.ids,
            sampling=settings,
            noise=noise,
            detokenizer=IncrementalDetokenizer(self._decode),
            stop_strings=StopStrings(settings.stop),
        )

    def _filled(self, text: str) -> str:
        if self.spec.modality is not Modality.CODE:
            return text
        return fill_in_the_middle(self._tokenizer, text, self.spec.id, catalog.fillers())

    def _decode(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _provenance(self, batch_size: int) -> Mapping[str, object]:
        packages = {
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "tokenizers": tokenizers.__version__,
        }
        processor = torch.backends.cpu.get_cpu_capability()
        return provenance(self.spec, self._device, packages, batch_size, processor=processor)


def _eos_ids(model: Any, tokenizer: Any) -> frozenset[int]:
    """Token ids that end a text: the generation config's (one or several) and the tokenizer's."""
    named = getattr(model.generation_config, "eos_token_id", None)
    ids = named if isinstance(named, list) else [named]
    return frozenset(token for token in (*ids, tokenizer.eos_token_id) if token is not None)


def _output(row: Row, shared: Mapping[str, object]) -> Output:
    return Output(
        text=row.text,
        finish=row.finish or "stop",
        prompt_tokens=len(row.prompt_ids),
        output_tokens=len(row.tokens),
        seconds=row.ended - row.started,
        first_token_seconds=row.first_token - row.started if row.first_token else None,
        tokens=tuple(row.tokens),
        provenance={"rendered_prompt": row.prompt, **shared},
    )
