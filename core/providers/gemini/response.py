"""What comes back from Gemini chunk by chunk, and how an answer may end, in neither SDK's types."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from core import pictures
from core.errors import Blocked, RemoteError
from core.remote.endpoint import Endpoint
from core.remote.errors import connection_error, format_error
from core.remote.partial_output import EMPTY, PartialOutput
from core.types import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """One chunk of an answer. Token counts are totals so far, None where not said; `output` has the thoughts in it.

    `finish` and `block` are Google's own names of why the answer ended and why the prompt has none. `speaks`: it says
    anything that Gemini would; `answers`: it has a candidate.
    """

    text: str = ""
    images: tuple[bytes, ...] = ()
    finish: str = ""
    block: str = ""
    prompt: int | None = None
    output: int | None = None
    thoughts: int = 0
    version: str = ""
    speaks: bool = True
    answers: bool = True


class Response:
    """One answer, with what Google says of its end: `reason` is why it ended, `block` why the prompt has none."""

    def __init__(self, endpoint: Endpoint, spec: ModelSpec) -> None:
        self.output = PartialOutput(keys=(endpoint.key,))
        self.reason = ""
        self.block = ""
        self.speaks = False
        self.begun = False
        self._endpoint = endpoint
        self._spec = spec

    @property
    def ended(self) -> bool:
        return bool(self.reason)

    def read(self, chunk: Chunk) -> str:
        """Add a chunk; returns the text to show."""
        output = self.output
        for image in chunk.images:
            if pictures.mime(image):
                output.images.append(image)
            else:
                output.note("An image came in a form that cannot be shown.")
        self.reason, self.block = chunk.finish or self.reason, chunk.block or self.block
        output.count(chunk.prompt, chunk.output, max(output.thought_tokens, chunk.thoughts))
        output.model_version = self._endpoint.label(chunk.version) or output.model_version
        self.speaks, self.begun = self.speaks or chunk.speaks, self.begun or chunk.answers
        text = chunk.text.encode("utf-8", "replace").decode("utf-8")
        return output.add(text) if text else ""

    def rest(self) -> str:
        return self.output.flush()

    def finish(self) -> None:
        """Judge an answer that nobody stopped.

        Raises:
            Blocked: the prompt or the whole answer is held back.
            RemoteError: nothing was written within the limit, or nothing came at all.
            Unreachable: it is no answer of Gemini, or was cut off.
        """
        name, shown = self._endpoint.server.name, bool(self.output.text or self.output.images)
        if self.block:
            raise Blocked(f"{name} does not answer this prompt: {_words(self.block)}. Change the prompt.")
        if not self.reason:
            raise self._unfinished()
        if self.reason == "MAX_TOKENS":
            self.output.finish = "length"
            if not shown:
                raise RemoteError(self._starved())
        elif self.reason != "STOP":
            if not shown:
                raise Blocked(f"{name} held its answer back: {_words(self.reason)}. Change the prompt or try again.")
            self.output.note(f"The answer was cut: {_words(self.reason)}.")
        elif not shown:
            self.output.note(f"{EMPTY}.")

    def provenance(self) -> Mapping[str, object]:
        return {}

    def _unfinished(self) -> RemoteError:
        server = self._endpoint.server
        if not self.speaks:
            return format_error(server)
        if self.begun:
            return connection_error(EOFError(), server, begun=True)
        return RemoteError(
            f"{server.name} sent an answer with nothing in it. Try again; if it stays so, change the prompt."
        )

    def _starved(self) -> str:
        how = "spent its tokens on thinking" if self.output.thought_tokens else "came to the limit of its tokens"
        return f"{self._spec.name} {how} before it wrote anything. Raise 'Max new tokens' or lower 'Thinking'."


_REASONS = {
    "SAFETY": "its safety filter objects",
    "RECITATION": "it would repeat somebody's work word for word",
    "LANGUAGE": "it does not speak this language",
    "BLOCKLIST": "there is a forbidden word in it",
    "PROHIBITED_CONTENT": "this content is prohibited",
    "SPII": "there would be personal data in it",
    "IMAGE_SAFETY": "its safety filter for images objects",
    "IMAGE_PROHIBITED_CONTENT": "the content of the image is prohibited",
    "IMAGE_RECITATION": "the image would be too much like somebody's work",
    "IMAGE_OTHER": "the image could not be made",
    "NO_IMAGE": "no image was made",
    "MALFORMED_RESPONSE": "it came out garbled",
    "MODEL_ARMOR": "a filter of its account objects",
    "JAILBREAK": "it looks like an attempt to get round its rules",
    "OTHER": "it gives no reason",
}


def _words(reason: str) -> str:
    name = re.sub(r"[^A-Z0-9_]", "", reason)[:40]
    words = _REASONS.get(name, "it called a tool, and there is none" if "CALL" in name else "it does not explain this")
    return f"{words} ({name})"
