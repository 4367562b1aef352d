"""An answer as it comes from a server, piece by piece, until it is an Output. Knows no server's language."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from core.catalog.prices import cost
from core.settings import Settings
from core.types import FinishReason, ModelSpec, Output, Token, Value

NEUTRAL: Mapping[str, Value] = {
    "top_k": 0,
    "top_p": 1.0,
    "min_p": 0.0,
    "repetition_penalty": 1.0,
    "stop": (),
    "thinking": "default",
    "json_schema": "",
}
"""Settings that ask for nothing: leaving these out is not worth a word."""


@dataclass
class Reply:
    """What has come so far. Token counts are None until the server gives them."""

    began: float = field(default_factory=time.monotonic)
    text: str = ""
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

    def add(self, text: str) -> None:
        """More text."""
        if self.first is None:
            self.first = time.monotonic() - self.began
        self.text += text
        self.pieces += 1

    def note(self, sentence: str) -> None:
        """Say once how the request was changed or what is not known of the answer."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def output(self, spec: ModelSpec, settings: Settings, recipe: Mapping[str, object]) -> Output:
        """The answer as it now is."""
        if self.output_tokens is None and self.pieces:
            self.note("The server did not say how many tokens this took; its pieces are counted.")
        known = self.prompt_tokens is not None and self.output_tokens is not None
        return Output(
            text=self.text,
            finish=self.finish,
            prompt_tokens=self.prompt_tokens or 0,
            output_tokens=self.pieces if self.output_tokens is None else self.output_tokens,
            seconds=time.monotonic() - self.began,
            first_token_seconds=self.first,
            tokens=tuple(self.tokens),
            thought_tokens=self.thought_tokens,
            cost=cost(spec, self.prompt_tokens or 0, self.output_tokens or 0, settings.prices) if known else None,
            notes=tuple(self.notes),
            images=tuple(self.images),
            provenance={"source": spec.source, "model_version": self.model_version, **recipe},
        )


def unused(names: list[str]) -> str:
    """The note for parameters that did not count."""
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return f"{listed} {'was' if len(names) == 1 else 'were'} not used by this model"


def wanted(parameters: Mapping[str, Value], spec: ModelSpec) -> tuple[dict[str, Value], list[str]]:
    """(what the model is asked with, names of what was set and it does not take or use).

    Neutral values are left out without a word.
    """
    takes = {row.name for row in spec.parameters} - set(spec.ignores)
    given = {
        name: value for name, value in parameters.items() if value is not None and NEUTRAL.get(name) != _bare(value)
    }
    return {name: given[name] for name in given if name in takes}, sorted(name for name in given if name not in takes)


def _bare(value: Value) -> Value:
    return value.strip() if isinstance(value, str) else value
