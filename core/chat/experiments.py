"""Each answer of a talk as a one-cell experiment, and such an experiment as a talk again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from core import catalog, prompts
from core.chat import Exchange, Side, Talk, Version, added, answering
from core.types import EarlierMessage, Experiment, Input, State, Value, Variant

PAGE = "chat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How answers are asked for: the page's controls. `seed` is the first message's; each later one counts up."""

    system: str = ""
    parameters: Mapping[str, Value] = field(default_factory=dict)
    seed: int = 0


def before(talk: Talk, place: int, upto: int) -> tuple[EarlierMessage, ...]:
    """What one column has said before exchange `upto`: the chosen versions that say something."""
    turns: list[EarlierMessage] = []
    for exchange in talk.exchanges[:upto]:
        side = exchange.side(place)
        if side is not None and side.versions and side.version.text:
            turns.append(EarlierMessage(role="user", text=exchange.message, images=exchange.images))
            turns.append(EarlierMessage(role="assistant", text=side.version.text))
    return tuple(turns)


def asked(
    talk: Talk,
    place: int,
    number: int,
    model: str,
    manner: Manner,
    *,
    version: int = 0,
    fits: Callable[[Experiment], bool] = lambda experiment: True,
) -> Experiment:
    """The experiment that answers exchange `number` in one column. The message is never read as a template: it travels
    as the value of a variable. A model that does not see gets the text without the images.

    Args:
        version: 0 for the first answer; each later one has its own seed.
        fits: whether a model's context holds it; the oldest exchanges are left out until it does.
    """
    turns = before(talk, place, number)
    if not catalog.spec(model).sees:
        turns = tuple(replace(turn, images=()) for turn in turns)
    while True:
        made = _experiment(talk.exchanges[number], turns, model, manner, number + 1000 * version)
        if not turns or fits(made):
            return made
        turns = turns[2:]


def from_experiment(experiment: Experiment, run_id: str) -> Talk:
    """The talk that a run of this page belongs to, as far as that run knows it."""
    talk, waiting = Talk(), None
    for turn in experiment.earlier:
        if turn.role == "user":
            waiting = turn
        elif waiting is not None:
            said = Version(run_id="", text=turn.text, state=State.DONE.value)
            side = Side(model=experiment.models[0], versions=(said,))
            exchange = Exchange(message=waiting.text, images=waiting.images, sides=(side,))
            talk, waiting = Talk(exchanges=(*talk.exchanges, exchange)), None
    message = experiment.inputs[0].values.get("message", experiment.variants[0].user)
    talk = added(talk, message, experiment.images)
    return answering(talk, len(talk.exchanges) - 1, 0, experiment.models[0], run_id)


def controls(experiment: Experiment) -> Experiment:
    """The page's controls as they were when a run of it was made: its manner without its messages."""
    system = experiment.inputs[0].values.get("system", experiment.variants[0].system)
    bare = replace(experiment, earlier=(), images=(), inputs=(Input(),), chat=True, title="")
    return replace(bare, variants=(Variant(name="chat", user="", system=system),))


def compared(talk: Talk, number: int, models: tuple[str, ...], manner: Manner) -> Experiment:
    """A message of the talk for the playground: two variants, equal as yet, after all that was said before it."""
    message, system = prompts.literal(talk.exchanges[number].message), prompts.literal(manner.system)
    return Experiment(
        page="playground",
        variants=tuple(
            Variant(name=name, user=message, system=system) for name in ("As in the chat", "Another wording")
        ),
        models=models,
        parameters=manner.parameters,
        seed=manner.seed,
        earlier=before(talk, 0, number),
        images=talk.exchanges[number].images,
    )


def _experiment(
    exchange: Exchange, turns: tuple[EarlierMessage, ...], model: str, manner: Manner, offset: int
) -> Experiment:
    """With a chat template the turns as they are; for a model without one a plain transcript, which it continues."""
    framed = catalog.spec(model).chat
    said, parameters, user = exchange.message, dict(manner.parameters), "{{ message }}"
    values = {"message": said, "system": manner.system}
    if not framed:
        lines = [f"{'User' if turn.role == 'user' else 'Assistant'}: {turn.text}" for turn in turns]
        values["earlier"] = "\n".join(lines) + "\n" if lines else ""
        user = "{{ earlier }}User: {{ message }}\nAssistant:"
        stop = parameters.get("stop")
        parameters["stop"] = (*(stop if isinstance(stop, tuple) else ()), "\nUser:")
    return Experiment(
        page=PAGE,
        variants=(Variant(name="chat", user=user, system="{{ system }}"),),
        models=(model,),
        inputs=(Input(values=values),),
        parameters=parameters,
        seed=manner.seed + offset,
        chat=framed,
        title=" ".join(said.split())[:80] or "An image",
        earlier=turns if framed else (),
        images=exchange.images if catalog.spec(model).sees else (),
    )
