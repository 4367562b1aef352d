"""An answer as such a server gives it: chunks of plain JSON, of which nothing is believed before it was checked."""

from __future__ import annotations

import math
from collections.abc import Mapping

from core.errors import Blocked, RemoteError, Unreachable
from core.providers.openai_compatible.errors import error_in
from core.providers.openai_compatible.stream import END
from core.remote import errors
from core.remote.endpoint import Endpoint
from core.remote.partial_output import EMPTY, PartialOutput
from core.text import clean
from core.types import Token

_WHOLE = frozenset(
    {"stop", "stop_sequence", "end_turn", "eos", "eos_token", "end", "complete", "completed", "finished", "done"}
    | {"tool_calls", "tool_call", "tool_use", "function_call"}
)
_CUT = frozenset({"length", "max_tokens", "max_new_tokens", "max_output_tokens", "max_length", "model_length"})
_FILTERED = frozenset(
    {"content_filter", "content_filtered", "safety", "sensitive", "refusal", "recitation", "prohibited_content"}
    | {"blocklist", "spii", "guardrail", "guardrail_intervened", "moderation", "flagged"}
)
_FAILED = frozenset(
    {"error", "abort", "aborted", "cancelled", "canceled", "network_error", "insufficient_system_resource"}
    | {"server_error", "internal_error", "failed", "failure", "timeout", "timed_out", "interrupted", "overloaded"}
)
"""Why an answer ends, as OpenAI, Anthropic, Google, Mistral, DeepSeek, Z.ai, vLLM, SGLang and TGI say it."""

_THINKING = ("reasoning_content", "reasoning", "thinking", "thinking_content", "thought")
_TOOLS = ("tool_calls", "function_call")


class Response:
    """One answer: `reason` is the server's word for its end, '' until it gave one; `done` is that it said [DONE]."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.output = PartialOutput(keys=(endpoint.key,))
        self.begun = False
        self.reason = ""
        self.done = False
        self._endpoint = endpoint
        self._fingerprint = ""
        self._streamed: list[str] = []
        self._streamed_characters = 0
        self._message = ""
        self._half = ""
        self._index: int | None = None
        self._elsewhere: dict[str, int] = {}
        self._tools: list[str] = []

    @property
    def ended(self) -> bool:
        return self.done or bool(self.reason)

    def read(self, chunk: object) -> str:
        """Take one chunk; returns the text to show.

        Raises:
            RemoteError: the chunk says that the server failed.
        """
        if chunk is END:
            self.done = True
        if isinstance(chunk, list):
            return "".join(map(self.read, chunk))
        if not isinstance(chunk, Mapping):
            return ""
        if failure := _failure(chunk):
            raise error_in(failure, self._endpoint, self.output.model_version or "this model")
        self.output.model_version = self._endpoint.label(chunk.get("model")) or self.output.model_version
        self._fingerprint = self._endpoint.label(chunk.get("system_fingerprint")) or self._fingerprint
        self._count(chunk.get("usage"))
        choices = chunk.get("choices")
        first = choices[0] if isinstance(choices, list) and choices else None
        return self._choice(first) if isinstance(first, Mapping) and self._is_ours(first) else ""

    def rest(self) -> str:
        """The text that was held back: half a character, and what looked like the beginning of the key."""
        half, self._half = self._half, ""
        return (self.output.add("\ufffd") if half else "") + self.output.flush()

    def finish(self) -> None:
        """Judge an answer that nobody stopped.

        Raises:
            Blocked: a filter left nothing of it.
            RemoteError: its tokens were used up before there was any text, or it is empty for an unknown reason.
            Unreachable: it was cut off, or is not an answer.
        """
        if not self.begun:
            raise errors.format_error(self._endpoint.server)
        if not self.ended:
            raise errors.connection_error(EOFError(), self._endpoint.server, begun=True)
        if self._message and self._message not in "".join(self._streamed):
            self.output.note("The server's closing message differs from what it streamed; what it streamed is kept.")
        if self.reason in _FAILED:
            raise self._failed()
        if self.reason in _FILTERED:
            self._filtered()
        elif self.reason in _CUT:
            self._cut()
        elif self.reason in _WHOLE:
            self._note_if_empty()
        else:
            self._unexplained()

    def provenance(self) -> Mapping[str, object]:
        return {"system_fingerprint": self._fingerprint} if self._fingerprint else {}

    def _is_ours(self, choice: Mapping[str, object]) -> bool:
        """Whether a choice belongs to the one answer that was asked for: the first that came, where there are more."""
        index = choice.get("index")
        if isinstance(index, int) and self._index is None:
            self._index = index
        return not isinstance(index, int) or index == self._index

    def _choice(self, choice: Mapping[str, object]) -> str:
        self.begun = True
        if isinstance(reason := choice.get("finish_reason"), str) and reason.strip():
            self.reason = reason.strip().lower()
        self.output.tokens += _tokens(choice.get("logprobs"))
        delta, message = choice.get("delta"), choice.get("message")
        text = self._content(delta)
        if not isinstance(delta, Mapping) and not isinstance(message, Mapping):
            text = _text(choice.get("text"))
        self._streamed.append(text)
        self._streamed_characters += len(text)
        text = self._characters(text + self._unstreamed(self._content(message)))
        return self.output.add(text) if text else ""

    def _content(self, part: object) -> str:
        """The text of a delta or a message; what else is in it is remembered."""
        if not isinstance(part, Mapping):
            return ""
        for name in _THINKING:
            if thought := _text(part.get(name)):
                self._elsewhere[name] = self._elsewhere.get(name, 0) + len(thought)
        for name in _TOOLS:
            if called := part.get(name):
                self._elsewhere.setdefault(name, 0)
                self._tools += _called(called)
        return _text(part.get("content")) or _text(part.get("refusal"))

    def _unstreamed(self, message: str) -> str:
        """What of a whole message did not come as deltas: all of it, or the rest, or nothing."""
        if not message:
            return ""
        streamed = "".join(self._streamed) if len(message) >= self._streamed_characters else None
        if streamed is None or not message.startswith(streamed):
            self._message = message
            return ""
        self._streamed, self._streamed_characters = [message], len(message)
        return message[len(streamed) :]

    def _characters(self, text: str) -> str:
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
        self.output.count(
            _whole_number(usage.get("prompt_tokens")), _whole_number(usage.get("completion_tokens")), thought
        )

    def _failed(self) -> RemoteError:
        name = self._endpoint.server.name
        if self.reason == "error":
            return Unreachable(f"{name} broke its answer off with an error. Try again.")
        return Unreachable(f"{name} broke its answer off ({self._quoted_reason()}). Try again.")

    def _filtered(self) -> None:
        if not self.output.text:
            name = self._endpoint.server.name
            raise Blocked(f"{name} does not show its answer: its content filter caught it. Word it differently.")
        self.output.note("the server's content filter cut this answer short")

    def _cut(self) -> None:
        self.output.finish = "length"
        if not self.output.text and (self.output.thought_tokens or any(n in self._elsewhere for n in _THINKING)):
            raise RemoteError(
                f"{self._endpoint.server.name} used up all its tokens thinking and had none left to answer. "
                "Raise 'Max new tokens', or let it think less."
            )
        self._note_if_empty()

    def _unexplained(self) -> None:
        if not self.reason:
            self.output.note("The server did not say why the answer ended.")
        elif not self.output.text:
            raise RemoteError(
                f"{self._endpoint.server.name} ended without writing anything ({self._quoted_reason()}). "
                "Try again; if it stays so, change the prompt."
            )
        else:
            self.output.note(f"The server gave an unknown reason for the end of the answer: {self._quoted_reason()}")
        self._note_if_empty()

    def _note_if_empty(self) -> None:
        if not self.output.text:
            self.output.note(f"{EMPTY}{self._went_elsewhere()}.")

    def _went_elsewhere(self) -> str:
        thinking = [name for name in _THINKING if name in self._elsewhere]
        if any(name in self._elsewhere for name in _TOOLS):
            names = ", ".join(dict.fromkeys(self._endpoint.label(name) for name in self._tools))
            return f": it called a tool{f' ({names})' if names else ''}, and there is none here"
        if thinking:
            count = sum(self._elsewhere[name] for name in thinking)
            return f": all of its text is thinking ({thinking[0]}, {count} characters), which is not the answer"
        return ""

    def _quoted_reason(self) -> str:
        return self._endpoint.label(self.reason)


def _failure(chunk: Mapping[str, object]) -> object:
    """What a chunk says of an error of the server, in any of the forms that servers give it; None where nothing."""
    if chunk.get("error"):
        return chunk["error"]
    choices = chunk.get("choices")
    if isinstance(choices, list):
        first = choices[0] if choices else None
        return first.get("error") if isinstance(first, Mapping) else None
    messages = (chunk.get(name) for name in ("message", "detail", "msg", "errors", "error_message", "error_msg"))
    if chunk.get("object") == "error" or chunk.get("type") == "error":
        return chunk
    return chunk if any(message and isinstance(message, str | list) for message in messages) else None


def _text(content: object) -> str:
    """A message's content: a text, or parts of which only those that are text count (Mistral's thinking models)."""
    if isinstance(content, list):
        return "".join(map(_text, content))
    if isinstance(content, Mapping):
        return _text(content.get("text"))
    return content if isinstance(content, str) else ""


def _called(calls: object) -> list[str]:
    """Names of the tools in a message's calls, which a stream gives with the first part of a call only."""
    rows = calls if isinstance(calls, list) else [calls]
    functions = [row.get("function", row) for row in rows[:20] if isinstance(row, Mapping)]
    names = [function.get("name") for function in functions if isinstance(function, Mapping)]
    return [name for name in names if isinstance(name, str) and name]


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


def _whole_number(value: object) -> int | None:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
