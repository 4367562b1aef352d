"""An answer as such a server gives it: chunks of plain JSON, of which nothing is believed before it was looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping

import openai

from core.errors import Blocked, RemoteError
from core.providers.openai_compatible.errors import said
from core.remote import errors
from core.remote.endpoint import Door
from core.remote.partial_output import Reply
from core.settings import Settings
from core.text import clean
from core.types import ModelSpec, Output, Request, Token

CHARACTERS_PER_TOKEN = 4
"""About; only where a server was stopped before it counted (OpenAI's tokenizer guide, for English)."""

_CUT = frozenset({"length", "max_tokens", "model_length"})
_NO_REASON = frozenset({"", "error"})


class Answer:
    """What has come so far: `begun` once any did, `reason` is the server's word for its end, '' until it gave one."""

    def __init__(self, way: Door) -> None:
        self.reply = Reply()
        self.reason = ""
        self.begun = False
        self._door = way
        self._fingerprint = ""
        self._half = ""
        self._thought = False

    def take(self, chunk: object) -> str:
        """Read one chunk; returns the text that it adds.

        Raises:
            RemoteError: the chunk says that the server failed.
        """
        if not isinstance(chunk, Mapping):
            return ""
        if chunk.get("error"):
            raise said(chunk["error"], self._door, self.reply.model_version or "this model")
        self.reply.model_version = self._door.word(chunk.get("model")) or self.reply.model_version
        self._fingerprint = self._door.word(chunk.get("system_fingerprint")) or self._fingerprint
        self._count(chunk.get("usage"))
        choices = chunk.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        return self._choice(first) if isinstance(first, Mapping) else ""

    def end(self, *, cancelled: bool) -> None:
        """Nothing more will come.

        Raises:
            Blocked: a filter left nothing of it.
            RemoteError: the budget was used up before there was any text.
            Unreachable: it was cut off, or was none.
        """
        name = self._door.server.name
        if cancelled:
            self.reply.finish = "cancelled"
        elif self.reason in _NO_REASON:
            raise self._cut_off()
        elif self.reason == "content_filter":
            if not self.reply.text:
                raise Blocked(f"{name} does not show its answer: its content filter caught it. Word it differently.")
            self.reply.note("the server's content filter cut this answer short")
        elif self.reason in _CUT:
            self.reply.finish = "length"
            if not self.reply.text and (self._thought or self.reply.thought_tokens):
                raise RemoteError(
                    f"{name} used up all its tokens thinking and had none left to answer. "
                    "Raise 'Max new tokens', or let it think less."
                )

    def output(self, spec: ModelSpec, settings: Settings) -> Output:
        """The answer as it now is."""
        recipe: dict[str, object] = {
            "versions": {"openai": openai.__version__},
            "host": self._door.host,
        }
        if self._fingerprint:
            recipe["system_fingerprint"] = self._fingerprint
        return self.reply.output(spec, settings, recipe)

    def spent(self, request: Request) -> int:
        """Tokens of prompt and answer, as the server counted them, else about."""
        if not self.begun:
            return 0
        prompt = self.reply.prompt_tokens
        if prompt is None:
            prompt = sum(len(message.text) for message in request.messages) // CHARACTERS_PER_TOKEN
        return prompt + (self.reply.pieces if self.reply.output_tokens is None else self.reply.output_tokens)

    def _choice(self, choice: Mapping[str, object]) -> str:
        self.begun = True
        if isinstance(reason := choice.get("finish_reason"), str):
            self.reason = reason.lower()
        delta = choice.get("delta") or choice.get("message")
        if not isinstance(delta, Mapping):
            return ""
        self._thought = self._thought or bool(delta.get("reasoning") or delta.get("reasoning_content"))
        self.reply.tokens += _tokens(choice.get("logprobs"))
        text = self._whole(_text(delta.get("content")) or _text(delta.get("refusal")))
        if text:
            self.reply.add(text)
        return text

    def _whole(self, text: str) -> str:
        """Text without half characters: JSON escapes may be cut between the two halves of one."""
        text, self._half = self._half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _count(self, usage: object) -> None:
        if not isinstance(usage, Mapping):
            return
        details = usage.get("completion_tokens_details")
        thought = _whole_number(details.get("reasoning_tokens")) if isinstance(details, Mapping) else None
        self.reply.prompt_tokens = _whole_number(usage.get("prompt_tokens"))
        self.reply.output_tokens = _whole_number(usage.get("completion_tokens"))
        self.reply.thought_tokens = thought or 0

    def _cut_off(self) -> RemoteError:
        server = self._door.server
        return errors.broken(EOFError(), server, begun=True) if self.begun else errors.foreign(server)


def _text(content: object) -> str:
    """A message's content: a text, or parts of which only those that are text count (Mistral's thinking models)."""
    if isinstance(content, list):
        return "".join(_text(part.get("text")) for part in content if isinstance(part, Mapping))
    return content if isinstance(content, str) else ""


def _tokens(logprobs: object) -> list[Token]:
    rows = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    return [token for row in rows if (token := _token(row))] if isinstance(rows, list) else []


def _token(row: object) -> Token | None:
    if not isinstance(row, Mapping):
        return None
    text, logprob = row.get("token"), row.get("logprob")
    if not isinstance(text, str) or not isinstance(logprob, int | float) or not math.isfinite(logprob):
        return None
    # A token that is part of a character is written as "bytes:\xe2\x80".
    return Token("" if text.startswith("bytes:") else clean(text), float(logprob))


def _whole_number(found: object) -> int | None:
    return found if isinstance(found, int) and not isinstance(found, bool) and found >= 0 else None
