"""The chat page's conversation: where it is kept, and what its buttons do: say, resend, regenerate, choose, stop.

It is kept in the history as it grows, so that a refresh loses nothing; every reply is a run of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from core import catalog, context, pictures
from core.chat import (
    Conversation,
    files,
    truncated,
    with_chosen_version,
    with_message,
    with_pending_reply,
)
from core.chat.experiments import ChatSettings, reply_experiment
from core.errors import DiptychError
from core.types import CellResult, Experiment
from core.ui.components import run_bar
from core.ui.components.error_messages import errors_as_messages
from core.ui.session import drafts, owner
from core.ui.session.resources import engine, history, settings
from core.ui.session.state import Draft, session

KEPT_AS = "chat.talk"
"""The history's name for it; databases hold conversations under this name."""


def chat_settings(draft: Draft) -> ChatSettings:
    """The page's controls as the conversation needs them."""
    return ChatSettings(system=draft.variants[0].system, parameters=draft.experiment().parameters, seed=draft.seed)


def current() -> Conversation:
    """The conversation on the page; on a new connection the one that was kept."""
    state = session()
    if state.conversation is None:
        state.conversation = _recall()
    return state.conversation


@errors_as_messages
def say(draft: Draft, text: str, uploads: Sequence[bytes]) -> None:
    """Send a message with its images."""
    images = {pictures.reference(image): image for image in map(pictures.from_upload, uploads)}
    session().pictures |= images
    _send(draft, with_message(current(), text, tuple(images)))


@errors_as_messages
def begin_anew() -> None:
    """Leave the conversation; its replies stay in the history."""
    session().editing = None
    keep(Conversation())


@errors_as_messages
def edit(number: int | None) -> None:
    """Open the editor of a turn's message; None closes it."""
    session().editing = number


@errors_as_messages
def resend(draft: Draft, number: int, key: str) -> None:
    """Send a rewritten message (the widget of this key holds it) in place of turn `number` and what came after it."""
    turn, text = current().turns[number], str(session().widget(key) or "")
    _send(draft, with_message(truncated(current(), number), text, turn.images))
    session().editing = None


@errors_as_messages
def regenerate(draft: Draft, number: int, column: int) -> None:
    """Ask for another version of a reply."""
    draft.read()
    model = current().turns[number].replies[column].model
    model = draft.models[column] if column < len(draft.models) else model
    keep(_request_reply(draft, current(), number, column, model))


@errors_as_messages
def choose(number: int, column: int, key: str) -> None:
    """Go on from the version that the pagination of this key shows."""
    page = session().widget(key)
    if isinstance(page, int):
        keep(with_chosen_version(current(), number, column, page - 1))


@errors_as_messages
def stop(conversation: Conversation) -> None:
    """Cancel every reply that is on its way."""
    for version in conversation.versions():
        if not version.final:
            engine().cancel(version.run_id, owner.current())


def keep(conversation: Conversation) -> None:
    """Hold on to the conversation, and write it down where it changed."""
    if conversation == session().conversation and KEPT_AS not in session().unkept:
        return
    session().conversation = conversation
    drafts.write(KEPT_AS, files.to_dict(conversation), files.from_dict)


def result(run_id: str) -> CellResult | None:
    """The engine's or the history's result of a reply; final ones are kept for the visit."""
    final = session().finals.get(run_id)
    if final is not None:
        return final
    view = run_bar.find(run_id) if run_id else None
    latest = view.results.get(0) if view else None
    if latest is not None and latest.state.final:
        session().finals[run_id] = latest
    return latest


def _send(draft: Draft, conversation: Conversation) -> None:
    """Ask every chosen model for a reply to the last message. Nothing is kept of it if the first is refused."""
    draft.read()
    for column, model in enumerate(draft.models):
        conversation = _request_reply(draft, conversation, len(conversation.turns) - 1, column, model)
        keep(conversation)


def _request_reply(draft: Draft, conversation: Conversation, number: int, column: int, model: str) -> Conversation:
    replies = conversation.turns[number].replies
    version = len(replies[column].versions) if column < len(replies) else 0
    experiment = reply_experiment(
        conversation, column, number, model, chat_settings(draft), version=version, fits=_fits
    )
    return with_pending_reply(conversation, number, column, model, run_bar.submit(experiment))


def _fits(experiment: Experiment) -> bool:
    """Whether a local model's context holds prompt and answer; a server knows its own limits."""
    model = catalog.spec(experiment.models[0])
    length = experiment.parameters.get("max_new_tokens")
    messages = run_bar.messages(experiment)
    if len("".join(message.text for message in messages)) > settings().max_prompt_chars:
        return False
    used = context.count(model, settings(), messages, experiment.chat) if model.local else None
    return used is None or used + (length if isinstance(length, int) else 0) <= model.context


def _recall() -> Conversation:
    try:
        kept = history().draft(owner.current(), KEPT_AS)
        conversation = files.from_dict(kept) if kept is not None else Conversation()
    except DiptychError:
        return Conversation()
    for turn in conversation.turns:
        for reply in turn.replies if turn.images else ():
            for version in reply.versions[:1]:
                session().pictures |= history().attached(owner.current(), version.run_id)
    return conversation
