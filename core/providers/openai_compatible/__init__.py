"""Every server that speaks OpenAI's chat completions, through OpenAI's own SDK.

    body.py      a request as the server is sent it, and again without what it refuses
    answer.py    what comes back, chunk by chunk, until it is an Output
    client.py    the SDK's client, with a key that was handed over and nothing of the environment's
    faults.py    the SDK's exceptions as sentences

Knows what such servers have in common; what one of them takes is said by its row in core/catalog/servers.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from openai import APIStatusError

from core.catalog import servers
from core.catalog.servers import Server
from core.errors import DiptychError
from core.providers.openai_compatible.client import chunks, listed
from core.providers.openai_compatible.errors import trouble
from core.providers.openai_compatible.request import Body, asked, lighter
from core.providers.openai_compatible.response import Answer
from core.remote.cancellable import Watched
from core.remote.endpoint import Door, door
from core.remote.guarded_client import Line
from core.settings import Secrets, Settings
from core.types import Delta, Event, Failed, Finished, ModelSpec, Request

__all__ = ["list_models", "open_model"]


def open_model(spec: ModelSpec, settings: Settings, secrets: Secrets) -> RemoteModel:
    """A model on its server; nothing is sent yet.

    Raises:
        KeyRefused: the server needs a key and there is none under its id.
        ModelRefused: this deployment does not allow the server.
        InvalidInput: the URL of a visitor's own server cannot be called.
    """
    server, _ = servers.parts(spec.id)
    return RemoteModel(spec, settings, door(server, settings, secrets))


def list_models(server: Server, settings: Settings, secrets: Secrets) -> tuple[str, ...]:
    """The names of the models that the server generates text with: OpenAI's newest first, others' in their order.

    Raises:
        KeyRefused, QuotaSpent, Unreachable, RemoteError: the server did not answer with a list.
        ModelRefused, InvalidInput: as for `open_model`.
    """
    way = door(server, settings, secrets)
    line = way.line(settings)
    try:
        return listed(way, line)
    except Exception as error:
        wrong = trouble(error, way, "its list of models")
    finally:
        line.close()
    # Raised out here: inside, it would carry the SDK's exception along, whose text some servers put the key in.
    raise wrong


class RemoteModel:
    """One model behind one door. A line that broke is of no more use, and the next request gets a new one."""

    max_batch = 1

    def __init__(self, spec: ModelSpec, settings: Settings, way: Door) -> None:
        self._spec = spec
        self._settings = settings
        self._door = way
        self._line: Line | None = None

    def generate(self, requests: Sequence[Request], stopped: Callable[[int], bool]) -> Iterator[Event]:
        """Deltas as they come, then one Finished or Failed for each request."""
        for index, request in enumerate(requests):
            answer = Answer(self._door)
            try:
                yield from self._answered(index, request, answer, partial(stopped, index))
            except Exception as error:
                yield _failed(index, trouble(error, self._door, self._spec.source, begun=answer.begun))

    def close(self) -> None:
        """Hang up; an answer on its way ends as broken."""
        if self._line:
            self._line.close()

    def _answered(self, index: int, request: Request, answer: Answer, stopped: Callable[[], bool]) -> Iterator[Event]:
        body, answer.reply.notes = asked(request, self._spec, self._door.server)
        try:
            try:
                yield from self._deltas(index, body, answer, stopped)
            except APIStatusError as error:
                again = lighter(body, error)
                if again is None:
                    raise
                yield from self._deltas(index, again.body, answer, stopped)
                answer.reply.notes += again.notes
        finally:
            self._door.used(answer.spent(request))
        yield Finished(index, answer.output(self._spec, self._settings))

    def _deltas(self, index: int, body: Body, answer: Answer, stopped: Callable[[], bool]) -> Iterator[Event]:
        self._door.ask()
        self._line = line = self._line or self._door.line(self._settings)
        watched = Watched(partial(chunks, self._door, line, body), stopped, line.hang_up)
        well = False
        try:
            for chunk in watched:
                if text := answer.take(chunk):
                    yield Delta(index, text, answer.reply.pieces)
            well = not watched.cancelled
        except Exception:
            # All is said once there is a reason for the end: what breaks after it is only how the server hangs up.
            if not answer.reason:
                raise
        finally:
            if not well:
                self._line = None
                line.close()
        answer.end(cancelled=watched.cancelled)


def _failed(index: int, error: DiptychError) -> Failed:
    return Failed(index, str(error), type(error).__name__)
