"""A conversation as a value: turns, each a message with the replies of one or two models, every reply in all versions.

`experiments` turns a turn into the experiment that answers it, `files` a conversation into JSON and Markdown.
Knows nothing of pages, engines or how a model is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.errors import InvalidInput
from core.types import CellResult, State

MAX_TURNS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One answer to a message: the run that makes it, and once it is final (`state`) its text and what it took.

    `cost` is US dollars, None where it is not known; a model on this machine costs nothing (`priced` is false).
    """

    run_id: str
    text: str = ""
    state: str = ""
    prompt_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    priced: bool = False

    @property
    def final(self) -> bool:
        return bool(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelReply:
    """One model's reply to a message, in all its versions; the conversation goes on from the chosen one."""

    model: str
    versions: tuple[Version, ...] = ()
    chosen: int = 0

    @property
    def version(self) -> Version:
        return self.versions[self.chosen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A message and its replies, one for each model. `images` are references (core.pictures)."""

    message: str
    images: tuple[str, ...] = ()
    replies: tuple[ModelReply, ...] = ()

    def reply(self, column: int) -> ModelReply | None:
        """The reply in this column; of a conversation that had only one column, that one."""
        return self.replies[min(column, len(self.replies) - 1)] if self.replies else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A chat from its beginning."""

    turns: tuple[Turn, ...] = ()

    def versions(self) -> tuple[Version, ...]:
        """Every version of every reply, in order."""
        return tuple(version for turn in self.turns for reply in turn.replies for version in reply.versions)

    def pending(self) -> bool:
        """Whether a reply is still to come."""
        return any(not version.final for version in self.versions())


def with_message(conversation: Conversation, message: str, images: tuple[str, ...] = ()) -> Conversation:
    """The conversation with one more message.

    Raises:
        InvalidInput: the message is blank and has no image, or the conversation has MAX_TURNS turns.
    """
    if not message.strip() and not images:
        raise InvalidInput("The message is empty. Write something, or attach an image.")
    if len(conversation.turns) >= MAX_TURNS:
        raise InvalidInput(f"This chat has {MAX_TURNS} messages. Begin a new one; this one stays in the history.")
    return replace(conversation, turns=(*conversation.turns, Turn(message=message, images=images)))


def truncated(conversation: Conversation, number: int) -> Conversation:
    """The conversation up to, and without, a turn: an edited message follows on it."""
    return replace(conversation, turns=conversation.turns[:number])


def with_pending_reply(conversation: Conversation, number: int, column: int, model: str, run_id: str) -> Conversation:
    """The conversation with a new version of a reply on its way, which is the chosen one."""
    turn = conversation.turns[number]
    replies = list(turn.replies)
    while len(replies) <= column:
        replies.append(ModelReply(model=model))
    versions = (*replies[column].versions, Version(run_id=run_id))
    replies[column] = ModelReply(model=model, versions=versions, chosen=len(versions) - 1)
    return _with_turn(conversation, number, replace(turn, replies=tuple(replies)))


def with_chosen_version(conversation: Conversation, number: int, column: int, version: int) -> Conversation:
    """The conversation with another version of a reply chosen."""
    turn = conversation.turns[number]
    replies = [replace(reply, chosen=version) if i == column else reply for i, reply in enumerate(turn.replies)]
    return _with_turn(conversation, number, replace(turn, replies=tuple(replies)))


def with_results(conversation: Conversation, find: Callable[[str], CellResult | None]) -> Conversation:
    """The conversation with every reply that has become final written into it.

    Args:
        find: the one cell of a run, None where it is not there any more.
    """
    turns = []
    for turn in conversation.turns:
        replies = [
            replace(reply, versions=tuple(v if v.final else _finished(v, find(v.run_id)) for v in reply.versions))
            for reply in turn.replies
        ]
        turns.append(replace(turn, replies=tuple(replies)))
    return replace(conversation, turns=tuple(turns))


def totals(conversation: Conversation) -> tuple[int, int, float, int]:
    """(prompt tokens, output tokens, US dollars known, remote answers whose price is not) of every version so far."""
    versions = conversation.versions()
    dollars = sum(v.cost for v in versions if v.cost is not None)
    unknown = sum(v.priced and v.cost is None for v in versions)
    return sum(v.prompt_tokens for v in versions), sum(v.output_tokens for v in versions), dollars, unknown


def _finished(version: Version, result: CellResult | None) -> Version:
    if result is None:
        return replace(version, state=State.INTERRUPTED.value)
    if not result.state.final:
        return version
    output = result.output
    if output is None:
        return replace(version, text=result.text, state=result.state.value)
    return replace(
        version,
        text=output.text,
        state=result.state.value,
        prompt_tokens=output.prompt_tokens or 0,
        output_tokens=output.output_tokens,
        cost=output.cost,
        priced="host" in output.provenance,
    )


def _with_turn(conversation: Conversation, number: int, turn: Turn) -> Conversation:
    turns = conversation.turns
    return replace(conversation, turns=(*turns[:number], turn, *turns[number + 1 :]))
