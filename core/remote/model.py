"""A model on a server, whichever language the server speaks: its request is built, sent, read part by part, sent again
without what the server rejects, stopped on demand, counted, and judged once it has ended.

A provider brings a Dialect, which says each of these in its server's language; nothing here knows one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, Protocol, TypeVar

from core.errors import DiptychError
from core.remote.cancellable import Cancellable
from core.remote.endpoint import Endpoint
from core.remote.partial_output import PartialOutput, unused_note
from core.settings import Settings
from core.types import Delta, Event, Failed, Finished, ModelSpec, Request

MAX_ATTEMPTS = 12
"""Requests for one answer at most: the first, and one for each optional parameter that a server may reject."""

Body = TypeVar("Body")
Chunk = TypeVar("Chunk")
Sent = TypeVar("Sent", contravariant=True)
Taken = TypeVar("Taken", contravariant=True)
Given = TypeVar("Given", covariant=True)
Open = TypeVar("Open", bound="Closable")


@dataclass(frozen=True, slots=True)
class Prepared(Generic[Body]):
    """A request in a server's language. `unused` names what was set and is not sent, `notes` are for the answer,
    `rejected` are the server's names of what it refused so far."""

    body: Body
    unused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    rejected: frozenset[str] = frozenset()

    def without(self, body: Body, rejected: Iterable[str], unused: Iterable[str] = ()) -> Prepared[Body]:
        """The next attempt: another body, less what was rejected; `unused` is what a visitor calls that."""
        names = tuple(dict.fromkeys([*self.unused, *unused]))
        return replace(self, body=body, unused=names, rejected=self.rejected | set(rejected))


class Closable(Protocol):
    def close(self) -> None: ...


class Connection(Closable, Protocol[Sent, Given]):
    """An SDK at work on a guarded client. `chunks` is read in a thread of its own; `hang_up` wakes it from another."""

    def chunks(self, body: Sent) -> Iterable[Given]:
        """Send the request and read its answer; raises whatever the SDK raises."""

    def hang_up(self) -> None: ...


class ResponseReader(Protocol[Taken]):
    """One answer, read chunk by chunk into `output`. `begun`: part of it has come; `ended`: the server said that it is
    whole, so that whatever breaks afterwards loses nothing."""

    output: PartialOutput
    begun: bool

    @property
    def ended(self) -> bool: ...

    def read(self, chunk: Taken) -> str:
        """Take one chunk; returns the text to show. Raises RemoteError where the chunk says that the server failed."""

    def rest(self) -> str:
        """Nothing more comes; returns the text that was held back."""

    def finish(self) -> None:
        """Judge an answer that nobody stopped.

        Raises:
            Blocked: a filter left nothing of it.
            RemoteError: its tokens were used up before there was any text, or it is empty for an unknown reason.
            Unreachable: it was cut off, or is not an answer.
        """

    def provenance(self) -> Mapping[str, object]: ...


class Dialect(Protocol[Body, Chunk]):
    """A server's language, as one SDK speaks it. `versions` are those of the SDK, by package."""

    versions: Mapping[str, str]

    def prepare(self, request: Request) -> Prepared[Body]:
        """A request as the server is sent it. Raises InvalidInput for what cannot be asked."""

    def connect(self) -> Connection[Body, Chunk]: ...

    def reader(self) -> ResponseReader[Chunk]: ...

    def without_rejected(self, prepared: Prepared[Body], error: Exception) -> Prepared[Body] | None:
        """The request without what the server refused in it; None where leaving out cannot help."""

    def error(self, error: Exception, *, begun: bool) -> DiptychError:
        """The sentence for whatever an answer ended with; `begun`: part of it had come."""

    def provenance(self, body: Body) -> Mapping[str, object]:
        """What a replay needs to know of what was sent."""


class RemoteModel(Generic[Body, Chunk]):
    """One model at one endpoint. A connection that broke or was hung up is not used again."""

    max_batch = 1

    def __init__(self, spec: ModelSpec, settings: Settings, endpoint: Endpoint, dialect: Dialect[Body, Chunk]) -> None:
        self._spec, self._settings, self._endpoint, self._dialect = spec, settings, endpoint, dialect
        self._connection: Connection[Body, Chunk] | None = None

    def generate(self, requests: Sequence[Request], stopped: Callable[[int], bool]) -> Iterator[Event]:
        """Deltas as they come, then one Finished or Failed for each request."""
        for index, request in enumerate(requests):
            reader = self._dialect.reader()
            try:
                yield from self._answer(index, request, reader, partial(stopped, index))
            except Exception as error:
                yield _failed(index, self._dialect.error(error, begun=reader.begun))

    def close(self) -> None:
        """Hang up; an answer on its way ends as broken."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _answer(
        self, index: int, request: Request, reader: ResponseReader[Chunk], stopped: Callable[[], bool]
    ) -> Iterator[Event]:
        prepared = self._dialect.prepare(request)
        output = reader.output
        try:
            prepared = yield from self._attempts(index, prepared, reader, stopped)
        finally:
            counted = output.prompt_tokens is not None or output.output_tokens is not None
            self._endpoint.count_tokens(output.spent(request) if reader.begun or counted else 0)
        notes = [*prepared.notes, *([unused_note(prepared.unused)] if prepared.unused else [])]
        output.notes[:0] = notes
        provenance: dict[str, object] = {"versions": dict(self._dialect.versions), "host": self._endpoint.host}
        provenance |= {**reader.provenance(), **self._dialect.provenance(prepared.body)}
        yield Finished(index, output.output(self._spec, self._settings, provenance))

    def _attempts(
        self, index: int, prepared: Prepared[Body], reader: ResponseReader[Chunk], stopped: Callable[[], bool]
    ) -> Generator[Event, None, Prepared[Body]]:
        """Ask, and again with less as long as that may help; returns what was asked in the end."""
        for _ in range(MAX_ATTEMPTS - 1):
            try:
                yield from self._attempt(index, prepared.body, reader, stopped)
                return prepared
            except Exception as error:
                fewer = None if reader.begun else self._dialect.without_rejected(prepared, error)
                if fewer is None:
                    raise
            prepared = fewer
        yield from self._attempt(index, prepared.body, reader, stopped)
        return prepared

    def _attempt(
        self, index: int, body: Body, reader: ResponseReader[Chunk], stopped: Callable[[], bool]
    ) -> Iterator[Event]:
        """One request. Whatever does not end as it should takes its connection with it."""
        output = reader.output
        if stopped():
            output.finish = "cancelled"
            return
        self._endpoint.check_allowance()
        connection = self._connection = self._connection or self._dialect.connect()
        chunks = Cancellable(partial(connection.chunks, body), stopped, connection.hang_up)
        whole = False
        try:
            for chunk in chunks:
                if text := reader.read(chunk):
                    yield Delta(index, text, output.output_tokens or output.pieces)
            whole = not chunks.cancelled
        except Exception:
            if not reader.ended:
                raise
        finally:
            if not whole:
                self.close()
        if text := reader.rest():
            yield Delta(index, text, output.output_tokens or output.pieces)
        if chunks.cancelled:
            output.finish = "cancelled"
        else:
            reader.finish()


def list_names(
    connect: Callable[[], Open],
    read: Callable[[Open], tuple[str, ...]],
    explain: Callable[[Exception], DiptychError],
) -> tuple[str, ...]:
    """A server's list of models, read on a connection that is closed afterwards; raises what `explain` makes of an
    error."""
    connection = connect()
    try:
        return read(connection)
    except Exception as error:
        problem = explain(error)
    finally:
        with suppress(Exception):
            connection.close()
    # Raised out here: inside, it would carry the SDK's exception along, whose text some servers put the key in.
    raise problem


def _failed(index: int, error: DiptychError) -> Failed:
    return Failed(index, str(error), type(error).__name__)
