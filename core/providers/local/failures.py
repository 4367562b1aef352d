"""What goes wrong with one request of a batch, as the event that says so. Its neighbours are not concerned."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from core.errors import DiptychError
from core.types import Event, Failed, Request


def failed(index: int, error: Exception) -> Failed:
    """The event of a request that raised `error`. Sentences of our own are shown; others may quote the prompt."""
    if isinstance(error, DiptychError):
        return Failed(index, str(error), type(error).__name__)
    return Failed(index, f"The model failed ({type(error).__name__}). Try other settings or another model.")


def one_by_one(requests: Sequence[Request], answer: Callable[[int, Request], Iterator[Event]]) -> Iterator[Event]:
    """The events of each request's answer, one request after another; Failed ends one that raises."""
    for index, request in enumerate(requests):
        try:
            yield from answer(index, request)
        except Exception as error:
            yield failed(index, error)
