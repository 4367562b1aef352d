"""What can be done with the talk on the chat page: say, resend, regenerate, choose, stop; and where it is kept.

The talk is kept in the history as it grows, so that a refresh loses nothing; every answer is a run of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from core import catalog, context, pictures
from core.chat import Talk, added, answering, choosing, cut, files
from core.chat.experiments import Manner, asked
from core.errors import DiptychError
from core.types import CellResult, Experiment
from core.ui.components import run_bar
from core.ui.components.results import careful
from core.ui.session import owner
from core.ui.session.resources import engine, history, settings
from core.ui.session.state import Draft, session

KEPT = "chat.talk"


def manner(draft: Draft) -> Manner:
    """The page's controls as the talk needs them."""
    return Manner(system=draft.variants[0].system, parameters=draft.experiment().parameters, seed=draft.seed)


def current() -> Talk:
    """The talk on the page; on a new connection the one that was kept."""
    state = session()
    if state.talk is None:
        state.talk = _recalled()
    return state.talk


@careful
def say(draft: Draft, text: str, uploads: Sequence[bytes]) -> None:
    made = [pictures.from_upload(upload) for upload in uploads]
    session().pictures |= {pictures.reference(picture): picture for picture in made}
    send(draft, added(current(), text, tuple(map(pictures.reference, made))))


def send(draft: Draft, talk: Talk) -> None:
    """Ask every chosen model for an answer to the last message. Nothing is kept of it if the first is refused."""
    for place, model in enumerate(draft.models):
        talk = _asked(draft, talk, len(talk.exchanges) - 1, place, model)
        keep(talk)


def _asked(draft: Draft, talk: Talk, number: int, place: int, model: str) -> Talk:
    side = talk.exchanges[number].side(place) if place < len(talk.exchanges[number].sides) else None
    version = len(side.versions) if side else 0
    wanted = asked(talk, place, number, model, manner(draft), version=version, fits=_fits)
    return answering(talk, number, place, model, run_bar.submit(wanted))


def _fits(experiment: Experiment) -> bool:
    """Whether a local model's context holds prompt and answer; a server knows its own limits."""
    row = catalog.spec(experiment.models[0])
    length = experiment.parameters.get("max_new_tokens")
    messages = run_bar.messages(experiment)
    if len("".join(message.text for message in messages)) > settings().max_prompt_chars:
        return False
    used = context.count(row, settings(), messages, experiment.chat) if row.local else None
    return used is None or used + (length if isinstance(length, int) else 0) <= row.context


def result(run_id: str) -> CellResult | None:
    """What the engine or the history knows of an answer; final ones are kept for the visit."""
    kept = session().finals.get(run_id)
    if kept is not None:
        return kept
    shown = run_bar.find(run_id) if run_id else None
    found = shown.results.get(0) if shown else None
    if found is not None and found.state.final:
        session().finals[run_id] = found
    return found


@careful
def fresh() -> None:
    session().editing = None
    keep(Talk())


@careful
def edit(number: int | None) -> None:
    session().editing = number


@careful
def resend(draft: Draft, number: int, key: str) -> None:
    exchange, text = current().exchanges[number], str(session().widget(key) or "")
    send(draft, added(cut(current(), number), text, exchange.images))
    session().editing = None


@careful
def regenerate(draft: Draft, number: int, place: int) -> None:
    model = current().exchanges[number].sides[place].model
    keep(_asked(draft, current(), number, place, draft.models[place] if place < len(draft.models) else model))


@careful
def choose(number: int, place: int, key: str) -> None:
    page = session().widget(key)
    if isinstance(page, int):
        keep(choosing(current(), number, place, page - 1))


@careful
def stop(talk: Talk) -> None:
    for exchange in talk.exchanges:
        for version in (version for side in exchange.sides for version in side.versions if not version.final):
            engine().cancel(version.run_id, owner.current())


def keep(talk: Talk) -> None:
    """Hold on to the talk, and write it down where it changed."""
    if talk == session().talk:
        return
    session().talk = talk
    history().keep_draft(owner.current(), KEPT, files.to_dict(talk))


def _recalled() -> Talk:
    try:
        kept = history().draft(owner.current(), KEPT)
        talk = files.from_dict(kept) if kept is not None else Talk()
    except DiptychError:
        return Talk()
    for exchange in talk.exchanges:
        for side in exchange.sides if exchange.images else ():
            for version in side.versions[:1]:
                session().pictures |= history().attached(owner.current(), version.run_id)
    return talk
