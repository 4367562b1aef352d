"""An answer as it comes from a server, part by part, until it is an Output. Knows no server's language."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.catalog.prices import cost
from core.remote.keys import KeyRedactor
from core.settings import Secret, Settings
from core.types import FinishReason, ModelSpec, Output, Request, Token, Value

NEUTRAL: Mapping[str, Value] = {
    "top_k": 0,
    "top_p": 1.0,
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "stop": (),
    "thinking": "default",
    "json_schema": "",
}
"""Values that ask for nothing: leaving these out is not worth a note."""

EMPTY = "The model ended without writing anything"

CHARACTERS_PER_TOKEN = 4
"""About; only where a server was stopped before it counted (OpenAI's tokenizer guide, for English)."""

MOST_TOKENS = 1_000_000_000
"""Tokens above which a server's count is none; a history could not hold it either."""


@dataclass
class PartialOutput:
    """What has come so far. Token counts are None until the server gives them; a count of 0 for a prompt, or for a text
    that was written, is no count. `keys` are taken out of the text."""

    began: float = field(default_factory=time.monotonic)
    pieces: int = 0
    first: float | None = None
    finish: FinishReason = "stop"
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    thought_tokens: int = 0
    tokens: list[Token] = field(default_factory=list)
    images: list[bytes] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    model_version: str = ""
    keys: Sequence[Secret | None] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        self._redactor = KeyRedactor(self.keys)
        self._shown: list[str] = []

    @property
    def text(self) -> str:
        """What was written, as far as it can be shown."""
        return "".join(self._shown)

    def add(self, text: str) -> str:
        """More text; returns what of it can be shown now."""
        if self.first is None:
            self.first = time.monotonic() - self.began
        self.pieces += 1
        return self._show(self._redactor.feed(text))

    def flush(self) -> str:
        """Nothing more will come; returns the text that was held back."""
        return self._show(self._redactor.flush())

    def note(self, sentence: str) -> None:
        """Say once how the request was changed or what is not known of the answer."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def count(self, prompt: int | None, output: int | None, thought: int | None = None) -> None:
        """Token counts as a server gave them: totals so far; None, 0, or more than MOST_TOKENS, is no news."""
        prompt, output, thought = (None if n is not None and n > MOST_TOKENS else n for n in (prompt, output, thought))
        self.prompt_tokens = prompt or self.prompt_tokens
        self.output_tokens = self.output_tokens if output is None else output or self.output_tokens or 0
        self.thought_tokens = thought or self.thought_tokens

    def spent(self, request: Request) -> int:
        """Tokens of prompt and answer, as the server counted them, else about."""
        prompt = self.prompt_tokens
        if prompt is None:
            prompt = sum(len(message.text) for message in request.messages) // CHARACTERS_PER_TOKEN
        return prompt + (self._counted() or self.pieces)

    def output(self, spec: ModelSpec, settings: Settings, provenance: Mapping[str, object]) -> Output:
        """The answer as it now is."""
        output_tokens = self._counted()
        if output_tokens is None and self.pieces:
            self.note("The server did not say how many tokens this took; its pieces are counted.")
        if self._redactor.has_redacted:
            self.tokens = []  # they would spell the key
            self.note("The answer quoted the key that it was asked with; the key is left out.")
        counted = self.prompt_tokens is not None and output_tokens is not None
        return Output(
            text=self.text,
            finish=self.finish,
            prompt_tokens=self.prompt_tokens,
            output_tokens=self.pieces if output_tokens is None else output_tokens,
            seconds=time.monotonic() - self.began,
            first_token_seconds=self.first,
            tokens=tuple(self.tokens),
            thought_tokens=self.thought_tokens,
            cost=cost(spec, self.prompt_tokens or 0, output_tokens or 0, settings.prices) if counted else None,
            notes=tuple(self.notes),
            images=tuple(self.images),
            provenance={"source": spec.source, "model_version": self.model_version, **provenance},
        )

    def _counted(self) -> int | None:
        return self.output_tokens or (None if self.pieces else self.output_tokens)

    def _show(self, text: str) -> str:
        if text:
            self._shown.append(text)
        return text


def unused_note(names: Sequence[str]) -> str:
    """The note for parameters that did not count."""
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{listed} {'was' if len(names) == 1 else 'were'} not used by this model"


def accepted(parameters: Mapping[str, Value], spec: ModelSpec) -> tuple[dict[str, Value], list[str]]:
    """(the parameters that the model is asked with, names of those that were set and that it does not take or use).

    Neutral values are left out without a note.
    """
    takes = {row.name for row in spec.parameters} - set(spec.ignores)
    given = {
        name: value for name, value in parameters.items() if value is not None and NEUTRAL.get(name) != _stripped(value)
    }
    return {name: given[name] for name in given if name in takes}, sorted(name for name in given if name not in takes)


def _stripped(value: Value) -> Value:
    return value.strip() if isinstance(value, str) else value
