"""What a model is asked for, what it says on the way, and what it has made at the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.types.model import Value

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a prompt. A last message from the assistant is the beginning of the answer, to be continued."""

    role: Role
    text: str
    images: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a model is asked for: one prompt, one seed, one answer.

    With `chat` the model's chat template frames the messages, where it has one; without it the messages' texts,
    joined by blank lines, are the raw prompt.
    """

    messages: tuple[Message, ...]
    parameters: Mapping[str, Value]
    seed: int
    chat: bool = True


@dataclass(frozen=True, slots=True)
class Token:
    """One generated token: its text (possibly part of a character, then '') and its natural-log probability, which is
    the model's own, before temperature and filters."""

    text: str
    logprob: float


FinishReason = Literal["stop", "length", "cancelled"]  # by itself or a stop string; at the limit; stopped by somebody


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A finished answer. Times are seconds; `provenance` holds what only the provider knows and a replay needs.

    A local provider's provenance names rendered_prompt, source, revision, versions, batch_size, device and dtype; a
    remote one's source, model_version, versions and host. `prompt_tokens` is None where a server
    did not count them. `output_tokens` counts what was paid for as output, the
    `thought_tokens` among them; of an image its steps, of sound its frames. `images` are PNG or JPEG files, `audio` is
    a WAV file. `cost` is US dollars, None where a price is not known. `notes` are sentences about how the request was
    changed on its way, such as "temperature was not used by this model".
    """

    text: str
    finish: FinishReason
    prompt_tokens: int | None
    output_tokens: int
    seconds: float
    first_token_seconds: float | None = None
    tokens: tuple[Token, ...] = ()
    thought_tokens: int = 0
    cost: float | None = None
    notes: tuple[str, ...] = ()
    images: tuple[bytes, ...] = ()
    audio: bytes = b""
    provenance: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delta:
    """More text of one answer; `index` is the request's place in its batch, `tokens` how many it has so far."""

    index: int
    text: str
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something without text has come: `done` of `total` units, and a word for what it is doing; `index` is
    None where that concerns the whole batch, such as loading the model. `preview` is what an image looks like so far,
    a small PNG file."""

    index: int | None
    done: float
    total: float
    note: str = ""
    preview: bytes = b""


@dataclass(frozen=True, slots=True)
class Finished:
    """One request's answer is complete."""

    index: int
    output: Output


@dataclass(frozen=True, slots=True)
class Failed:
    """One request could not be answered; its neighbours in the batch are not concerned.

    `error` is a sentence for a person, `kind` the class of error that said it.
    """

    index: int
    error: str
    kind: str = "DiptychError"


Event = Delta | Progress | Finished | Failed
