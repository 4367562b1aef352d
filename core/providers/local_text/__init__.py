"""Causal language models on this machine, through transformers: GPT-2, CodeGen, Llama, Qwen and their like.

The decode loop is our own (`decoding`) rather than `generate()`: it is a generator, so events are yielded where they
happen, without a streamer's thread; every row has its own seed, filters, stop strings and end; and a row that ends
makes room at once. `weights` reads a model's files, `sampling` chooses tokens, `slots` computes, `prompting` frames
messages, `writing` makes text; this file turns requests into rows and rows into outputs. It knows nothing of runs,
queues or history.

The same request gives the same text alone and in any company; `slots` says why, and what another machine may do.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import Any

import tokenizers
import torch
import transformers

from core import catalog, device, repository
from core.errors import DiptychError, PromptTooLong
from core.providers import Report
from core.providers.local_text import prompting, sampling, weights
from core.providers.local_text.decoding import Batch, Row
from core.providers.local_text.detokenize import Gate, Letters
from core.settings import Settings
from core.types import Event, Failed, Finished, Modality, ModelSpec, Output, Progress, Request


def open_model(spec: ModelSpec, settings: Settings, report: Report = lambda progress: None) -> LocalText:
    """Find the model's files, downloading them where the catalog says so, and read them in float32.

    Raises:
        HubUnreachable, ModelRefused: the model cannot be had; the message says why and what to do.
    """
    folder = repository.folder(spec, settings, report)
    place = device.choose(settings)
    report(Progress(None, 0.0, 1.0, f"reading {spec.name}"))
    model, tokenizer = weights.read(spec, folder)
    report(Progress(None, 1.0, 1.0, f"reading {spec.name}"))
    return LocalText(spec, model.to(place.kind), tokenizer, device.suited(place, _weight(model), settings))


class LocalText:
    """A causal language model that is loaded. See core.providers.Model.

    One call may hold 64 requests of a small model, two playground grids' worth, and 16 of a larger one: few enough that
    another visitor's turn comes soon. How many of them are computed at once is the decode loop's business: at most 32
    rows, past which a step on two cores costs nearly as much more as it brings, and never more than the memory that the
    catalog's row leaves.
    """

    def __init__(self, spec: ModelSpec, model: Any, tokenizer: Any, place: device.Device) -> None:
        self.spec, self._model, self._tokenizer, self._place = spec, model, tokenizer, place
        self._lock = Lock()
        self.max_batch = 64 if _weight(model) <= device.SMALL else 16
        own = getattr(model.config, "max_position_embeddings", None) or getattr(model.config, "n_positions", None)
        self.context = min(spec.context, own) if own else spec.context
        self._ends = _ends(model, tokenizer)
        self._spare = max(64_000_000, spec.memory_bytes - _weight(model))

    def close(self) -> None:
        """Drop the weights; the pool collects them."""
        self._model = self._tokenizer = None

    def generate(self, requests: Sequence[Request], stopped: Callable[[int], bool]) -> Iterator[Event]:
        """Answer a batch; see core.providers.Model. What is wrong with one request fails that one alone.

        An output's seconds count from the moment its prompt is read, not from the batch's beginning. Its tokens are all
        that were generated, those of a trimmed stop string too, but not the token that ends a text.
        """
        rows: list[Row] = []
        for index, request in enumerate(requests):
            try:
                rows.append(self._row(index, request))
            except DiptychError as error:
                yield Failed(index, str(error), type(error).__name__)
        # One number for the whole process: set for each batch, since another model may want another.
        torch.set_num_threads(self._place.threads)
        recipe = self._recipe(len(requests))
        batch = Batch(self._model, self._place.kind, self._ends, self._spare)
        for event in batch.run(rows, stopped):
            yield Finished(event.index, _output(event, recipe)) if isinstance(event, Row) else event

    def _encoded(self, request: Request) -> tuple[str, list[int]]:
        # A fast tokenizer raises "Already borrowed" when two threads use it (transformers issue 47085).
        with self._lock:
            text = prompting.rendered(self._tokenizer, request)
            if self.spec.modality is Modality.CODE and not request.chat:
                text = prompting.filling(self._tokenizer, text, self.spec.id, catalog.fillers())
            return text, prompting.tokens(self._tokenizer, request, text)

    def _row(self, index: int, request: Request) -> Row:
        want = sampling.read(request.parameters, self.spec.parameters)
        dice = sampling.Dice(request.seed)
        prompt, ids = self._encoded(request)
        if len(ids) + want.max_new_tokens > self.context:
            raise PromptTooLong(
                f"The prompt has {len(ids)} tokens and the answer may have {want.max_new_tokens}, together "
                f"{len(ids) + want.max_new_tokens}; {self.spec.name} holds {self.context}. "
                "Shorten the prompt or lower Max new tokens."
            )
        return Row(
            index=index,
            prompt=prompt,
            ids=ids,
            want=want,
            dice=dice,
            letters=Letters(self._decode),
            gate=Gate(want.stop),
        )

    def _decode(self, ids: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        return text

    def _recipe(self, batch_size: int) -> dict[str, object]:
        return {
            "source": self.spec.source,
            "revision": self.spec.revision,
            "versions": {
                "python": platform.python_version(),
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "tokenizers": tokenizers.__version__,
            },
            "batch_size": batch_size,
            "device": self._place.kind,
            "dtype": self._place.dtype,
            "threads": self._place.threads,
            "processor": torch.backends.cpu.get_cpu_capability(),
        }


def _weight(model: Any) -> int:
    """Bytes of a model's weights as they lie in memory."""
    return sum(p.numel() * p.element_size() for p in model.parameters())


def _ends(model: Any, tokenizer: Any) -> frozenset[int]:
    """Token ids that end a text: the generation config's (one or several) and the tokenizer's."""
    named = getattr(model.generation_config, "eos_token_id", None)
    ids = named if isinstance(named, list) else [named]
    return frozenset(token for token in (*ids, tokenizer.eos_token_id) if token is not None)


def _output(row: Row, recipe: dict[str, object]) -> Output:
    return Output(
        text=row.text,
        finish=row.end or "stop",
        prompt_tokens=len(row.ids),
        output_tokens=len(row.tokens),
        seconds=row.ended - row.started,
        first_token_seconds=row.first - row.started if row.first else None,
        tokens=tuple(row.tokens),
        provenance={"rendered_prompt": row.prompt, **recipe},
    )
