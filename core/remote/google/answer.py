"""What comes back from Gemini piece by piece, and how an answer may end. A provider makes a Piece of each chunk."""

from __future__ import annotations

import re
from dataclasses import dataclass

from core import pictures
from core.catalog.servers import Server
from core.errors import Blocked, RemoteError
from core.remote.errors import broken, foreign
from core.remote.partial_output import Reply
from core.types import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
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


@dataclass
class GoogleReply(Reply):
    """An answer with what Google says of its end."""

    ending: str = ""
    block: str = ""
    speaks: bool = False
    answers: bool = False

    def take(self, piece: Piece) -> str:
        """Add a piece; gives its text."""
        text = piece.text.encode("utf-8", "replace").decode("utf-8")
        if text:
            self.add(text)
        for image in piece.images:
            if pictures.mime(image):
                self.images.append(image)
            else:
                self.note("An image came in a form that cannot be shown.")
        self.ending, self.block = piece.finish or self.ending, piece.block or self.block
        self.prompt_tokens = self.prompt_tokens if piece.prompt is None else piece.prompt
        self.output_tokens = self.output_tokens if piece.output is None else piece.output
        self.thought_tokens = max(self.thought_tokens, piece.thoughts)
        self.model_version = piece.version or self.model_version
        self.speaks, self.answers = self.speaks or piece.speaks, self.answers or piece.answers
        return text

    @property
    def spent(self) -> int:
        """Tokens to count: the server's number, or the pieces where it gave none."""
        return (self.prompt_tokens or 0) + (self.pieces if self.output_tokens is None else self.output_tokens)


def settle(reply: GoogleReply, spec: ModelSpec, server: Server) -> None:
    """Judge an answer that came to its end by itself.

    Raises:
        Blocked: the prompt or the whole answer is held back.
        RemoteError: nothing was written within the limit, or nothing came at all.
        Unreachable: it is no answer of Gemini, or was cut off.
    """
    shown = bool(reply.text or reply.images)
    if reply.block:
        raise Blocked(f"{server.name} does not answer this prompt: {_words(reply.block)}. Change the prompt.")
    if not reply.ending:
        if not reply.speaks:
            raise foreign(server)
        if reply.answers:
            raise broken(EOFError(), server, begun=True)
        raise RemoteError(
            f"{server.name} sent an answer with nothing in it. Try again; if it stays so, change the prompt."
        )
    if reply.ending == "MAX_TOKENS":
        reply.finish = "length"
        if not shown:
            raise RemoteError(_starved(reply, spec))
    elif reply.ending != "STOP":
        if not shown:
            raise Blocked(
                f"{server.name} held its answer back: {_words(reply.ending)}. Change the prompt or try again."
            )
        reply.note(f"The answer was cut: {_words(reply.ending)}.")
    elif not shown:
        reply.note("The model ended without writing anything.")


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


def _starved(reply: GoogleReply, spec: ModelSpec) -> str:
    how = "spent its tokens on thinking" if reply.thought_tokens else "came to the limit of its tokens"
    return f"{spec.name} {how} before it wrote anything. Raise 'Max new tokens' or lower 'Thinking'."
