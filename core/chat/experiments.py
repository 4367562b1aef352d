"""Each reply of a conversation as a one-cell experiment, and such an experiment as a conversation again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from core import catalog, prompts
from core.chat import Conversation, ModelReply, Turn, Version, with_message, with_pending_reply
from core.types import EarlierMessage, Experiment, Input, State, Value, Variant

PAGE = "chat"
NEXT_TURN = "\nUser:"
"""What ends the reply of a model without a chat template: the transcript's next turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatSettings:
    """The page's controls. `seed` is the first message's; each later message adds one to it."""

    system: str = ""
    parameters: Mapping[str, Value] = field(default_factory=dict)
    seed: int = 0


def earlier_messages(conversation: Conversation, column: int, number: int) -> tuple[EarlierMessage, ...]:
    """What one column has said before turn `number`: the chosen versions that have text."""
    messages: list[EarlierMessage] = []
    for turn in conversation.turns[:number]:
        reply = turn.reply(column)
        if reply is not None and reply.versions and reply.version.text:
            messages.append(EarlierMessage(role="user", text=turn.message, images=turn.images))
            messages.append(EarlierMessage(role="assistant", text=reply.version.text))
    return tuple(messages)


def reply_experiment(
    conversation: Conversation,
    column: int,
    number: int,
    model: str,
    settings: ChatSettings,
    *,
    version: int = 0,
    fits: Callable[[Experiment], bool] = lambda experiment: True,
) -> Experiment:
    """The experiment that answers turn `number` in one column. The message is never read as a template: it travels
    as the value of a variable. A model that does not see gets the text without the images.

    Args:
        version: 0 for the first answer; each later one has its own seed.
        fits: whether a model's context holds it; the oldest turns are left out until it does.
    """
    earlier = earlier_messages(conversation, column, number)
    if not catalog.spec(model).sees:
        earlier = tuple(replace(message, images=()) for message in earlier)
    while True:
        experiment = _experiment(conversation.turns[number], earlier, model, settings, number + 1000 * version)
        if not earlier or fits(experiment):
            return experiment
        earlier = earlier[2:]


def from_experiment(experiment: Experiment, run_id: str) -> Conversation:
    """The conversation that a run of this page belongs to, as far as that run holds it."""
    conversation, question = Conversation(), None
    for message in experiment.earlier:
        if message.role == "user":
            question = message
        elif question is not None:
            version = Version(run_id="", text=message.text, state=State.DONE.value)
            reply = ModelReply(model=experiment.models[0], versions=(version,))
            turn = Turn(message=question.text, images=question.images, replies=(reply,))
            conversation, question = Conversation(turns=(*conversation.turns, turn)), None
    text = experiment.inputs[0].values.get("message", experiment.variants[0].user)
    conversation = with_message(conversation, text, experiment.images)
    return with_pending_reply(conversation, len(conversation.turns) - 1, 0, experiment.models[0], run_id)


def without_messages(experiment: Experiment) -> Experiment:
    """The page's controls as they were when a run of it was made, without what was said."""
    system = experiment.inputs[0].values.get("system", experiment.variants[0].system)
    bare = replace(experiment, earlier=(), images=(), inputs=(Input(),), chat=True, title="")
    parameters = dict(experiment.parameters)
    stop = parameters.get("stop")
    if not experiment.chat and isinstance(stop, tuple) and stop[-1:] == (NEXT_TURN,):
        parameters["stop"] = stop[:-1]  # added by `_experiment`, not by the person
    variant = Variant(name="chat", user="", system=system)
    return replace(bare, variants=(variant,), parameters=parameters)


def playground_experiment(
    conversation: Conversation, number: int, models: tuple[str, ...], settings: ChatSettings
) -> Experiment:
    """A message of the conversation for the playground: two variants, equal as yet, after all that was said before."""
    turn = conversation.turns[number]
    message, system = prompts.literal(turn.message), prompts.literal(settings.system)
    return Experiment(
        page="playground",
        variants=tuple(
            Variant(name=name, user=message, system=system) for name in ("As in the chat", "Another wording")
        ),
        models=models,
        parameters=settings.parameters,
        seed=settings.seed,
        earlier=earlier_messages(conversation, 0, number),
        images=turn.images,
    )


def _experiment(
    turn: Turn, earlier: tuple[EarlierMessage, ...], model: str, settings: ChatSettings, offset: int
) -> Experiment:
    """With a chat template the messages as they are; for a model without one a plain transcript, which it continues."""
    has_template = catalog.spec(model).chat
    parameters, user = dict(settings.parameters), "{{ message }}"
    values = {"message": turn.message, "system": settings.system}
    if not has_template:
        lines = [f"{'User' if one.role == 'user' else 'Assistant'}: {one.text}" for one in earlier]
        values["earlier"] = "\n".join(lines) + "\n" if lines else ""
        user = "{{ earlier }}User: {{ message }}\nAssistant:"
        stop = parameters.get("stop")
        parameters["stop"] = (*(stop if isinstance(stop, tuple) else ()), NEXT_TURN)
    return Experiment(
        page=PAGE,
        variants=(Variant(name="chat", user=user, system="{{ system }}"),),
        models=(model,),
        inputs=(Input(values=values),),
        parameters=parameters,
        seed=settings.seed + offset,
        chat=has_template,
        title=" ".join(turn.message.split())[:80] or "An image",
        earlier=earlier if has_template else (),
        images=turn.images if catalog.spec(model).sees else (),
    )
