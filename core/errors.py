"""The exceptions that a person reads; each message is a sentence that says what to do.

    DiptychError                  anything a person should read; str(error) is the sentence
    ├── InvalidInput              what was typed or uploaded cannot be used as it is
    │   ├── TemplateError         a prompt template cannot be rendered
    │   └── CheckError            a check line cannot be read
    ├── ModelError                a model is unavailable or cannot answer
    │   ├── UnknownModel          no such row in the catalog
    │   ├── HubUnreachable        the model's files are not on this machine and the hub does not answer
    │   ├── ModelRefused          the model is not allowed, gated, broken or too large; nothing was loaded
    │   ├── PromptTooLong         prompt and answer exceed the context
    │   ├── WorkerDied            the process that held the model ended
    │   └── RemoteError           a server did not answer as asked
    │       ├── KeyRefused        there is no key for it, or the server does not take the one it got
    │       ├── QuotaSpent        too many requests or tokens; carries the seconds to wait, where they are known
    │       ├── Blocked           the server will not answer this prompt, or not show its answer
    │       └── Unreachable       refused, not found, too slow, cut off, or not a server of this kind
    ├── Busy                      the queue is full; carries the estimated wait in seconds
    ├── NotFound                  no such run for this owner: never there, deleted, or somebody else's
    ├── HistoryFull               this owner's history holds as much as is kept here; says what to do
    └── HistoryUnavailable        the database cannot be opened, read or written

Messages quote identifiers, never a prompt and never a key.
"""

from __future__ import annotations


class DiptychError(Exception):
    """Anything that a person should read."""


class InvalidInput(DiptychError):
    """What was typed or uploaded cannot be used as it is."""


class TemplateError(InvalidInput):
    """A prompt template cannot be rendered."""


class CheckError(InvalidInput):
    """A check line cannot be read."""


class ModelError(DiptychError):
    """A model is unavailable or cannot answer."""


class UnknownModel(ModelError):
    """No such row in the catalog."""


class HubUnreachable(ModelError):
    """The model's files are not on this machine and the hub does not answer."""


class ModelRefused(ModelError):
    """The model is not allowed, gated, broken or too large; nothing was loaded."""


class NeedsNewProcess(ModelRefused):
    """The model fits, but not beside what models before it left in the process."""


class PromptTooLong(ModelError):
    """Prompt and answer together exceed the model's context."""


class WorkerDied(ModelError):
    """The process that held the model ended."""


class RemoteError(ModelError):
    """A server did not answer as asked."""


class KeyRefused(RemoteError):
    """There is no key for the server, or the server does not take the one it got."""


class QuotaSpent(RemoteError):
    """Too many requests or tokens.

    Args:
        reason: the sentence to show.
        retry_after: seconds after which the server (or this deployment) will take another request, None if unknown.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Blocked(RemoteError):
    """The server will not answer this prompt, or not show its answer."""


class Unreachable(RemoteError):
    """The server is not there, too slow, cut off, or not of the expected kind."""


class Busy(DiptychError):
    """The queue is full.

    Args:
        reason: the sentence to show.
        eta: estimated seconds until there is room, None when nothing is measured yet.
    """

    def __init__(self, reason: str, eta: float | None = None) -> None:
        super().__init__(reason)
        self.eta = eta


class NotFound(DiptychError):
    """No such run for this owner."""


class HistoryFull(DiptychError):
    """The owner's history holds as much as this deployment keeps for one visitor."""


class HistoryUnavailable(DiptychError):
    """The database cannot be opened, read or written."""
