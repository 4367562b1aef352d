"""What Gemini's two SDKs share: how a request is asked, asked again, followed piece by piece, stopped and judged.

A provider brings a Connection, which speaks its SDK; nothing here knows one. Parameters that a model refuses are left
out and it is asked once more, because what a model takes changes more often than any table of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from core.errors import DiptychError
from core.remote.cancellable import Watched
from core.remote.endpoint import Door
from core.remote.errors import foreign
from core.remote.google.answer import GoogleReply, Piece, settle
from core.remote.google.ask import Ask, asked
from core.remote.google.refusal import Refusal, error, fault, lesser
from core.remote.partial_output import unused
from core.settings import Settings
from core.types import Delta, Event, Failed, Finished, ModelSpec, Request

MAX_LISTED, MAX_NAMES, MAX_NAME = 1000, 200, 120
"""Entries of a listing that are read, names that are kept, characters of a name."""

_OTHER_KIND = re.compile(r"(?:^|-)(?:embedding|tts|live|aqa|native-audio)(?:-|$)")


class Connection(Protocol):
    """One SDK at work on one line. `pieces` is read in a thread of its own; `hang_up`, from another, wakes it."""

    def pieces(self, ask: Ask) -> Iterable[Piece]:
        """Send the request.

        Raises:
            Refusal: the server answered with another status than 200; anything else is a broken connection.
        """

    def hang_up(self) -> None: ...

    def close(self) -> None: ...


class GoogleModel:
    """A model of Gemini, through either SDK.

    Args:
        connect: opens a connection; asked again after one that broke or was hung up.
        vet: what this SDK makes of a request; raises InvalidInput for what it cannot say.
        versions: of the SDK, by package.
    """

    max_batch = 1

    def __init__(
        self,
        spec: ModelSpec,
        settings: Settings,
        door: Door,
        *,
        connect: Callable[[], Connection],
        versions: Mapping[str, str],
        vet: Callable[[Ask], Ask] = lambda ask: ask,
    ) -> None:
        self._spec, self._settings, self._door = spec, settings, door
        self._connect, self._vet, self._versions = connect, vet, dict(versions)
        self._connection: Connection | None = None

    def generate(self, requests: Sequence[Request], stopped: Callable[[int], bool]) -> Iterator[Event]:
        for index, request in enumerate(requests):
            reply = GoogleReply()
            try:
                ask = self._vet(asked(request, self._spec))
                ask = yield from self._persist(index, ask, reply, stopped)
                if reply.finish != "cancelled":
                    settle(reply, self._spec, self._door.server)
                self._annotate(reply, ask)
                yield Finished(index, reply.output(self._spec, self._settings, self._recipe(ask)))
            except DiptychError as problem:
                yield Failed(index, str(problem), type(problem).__name__)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _persist(
        self, index: int, ask: Ask, reply: GoogleReply, stopped: Callable[[int], bool]
    ) -> Generator[Event, None, Ask]:
        """Ask, and once more with less where that may help; returns what was asked in the end."""
        refusal: Refusal
        try:
            yield from self._attempt(index, ask, reply, stopped)
            return ask
        except Refusal as found:
            refusal = found
        less = None if reply.pieces else lesser(ask, refusal)
        if less is None:
            raise self._error(refusal)
        try:
            yield from self._attempt(index, less, reply, stopped)
            return less
        except Refusal as found:
            raise self._error(found) from None

    def _attempt(self, index: int, ask: Ask, reply: GoogleReply, stopped: Callable[[int], bool]) -> Iterator[Event]:
        """One request. Whatever does not end as it should takes its connection with it."""
        if stopped(index):
            reply.finish = "cancelled"
            return
        self._door.ask()
        connection = self._connection = self._connection or self._connect()
        watched = Watched(lambda: connection.pieces(ask), lambda: stopped(index), connection.hang_up)
        whole = False
        try:
            for piece in watched:
                if text := reply.take(piece):
                    yield Delta(index, text, reply.output_tokens or reply.pieces)
            whole = not watched.cancelled
            reply.finish = "cancelled" if watched.cancelled else reply.finish
        except (DiptychError, Refusal):
            raise
        except Exception as trouble:
            raise fault(trouble, self._door.server, begun=reply.speaks) from None
        finally:
            self._door.used(reply.spent)
            if not whole:
                self.close()

    def _error(self, refusal: Refusal) -> DiptychError:
        return error(refusal, self._door.server, self._spec.source, self._door.key)

    def _annotate(self, reply: GoogleReply, ask: Ask) -> None:
        reply.model_version = self._door.word(reply.model_version)
        if ask.unused:
            reply.note(unused(list(ask.unused)))
        for sentence in ask.notes:
            reply.note(sentence)

    def _recipe(self, ask: Ask) -> dict[str, object]:
        return {"versions": self._versions, "host": self._door.host, "seed": ask.parameters.get("seed")}


def generators(listing: Iterable[tuple[str, Iterable[str] | None]]) -> tuple[str, ...]:
    """Of the first entries of a listing (name, what can be done with it), the names of models that generate."""
    found = dict.fromkeys(
        name.removeprefix("models/")
        for _, (name, actions) in zip(range(MAX_LISTED), listing, strict=False)
        if "generateContent" in (actions or ()) and len(name) <= MAX_NAME and name.isprintable() and name.strip()
    )
    return tuple(name for name in found if not _OTHER_KIND.search(name))[:MAX_NAMES]


def listed(entries: Callable[[], Iterable[tuple[str, Iterable[str] | None]]], door: Door) -> tuple[str, ...]:
    """The names of models that generate, out of an SDK's listing.

    Raises:
        KeyRefused, QuotaSpent, Unreachable, RemoteError: the server does not give its list.
    """
    try:
        return generators(entries())
    except Refusal as refusal:
        gone = refusal.status == 404
        problem = foreign(door.server) if gone else error(refusal, door.server, "its models", door.key)
    except Exception as trouble:
        problem = fault(trouble, door.server, begun=False)
    raise problem
