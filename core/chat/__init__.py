"""A chat as a value: what was said, by whom, in which versions, and what it came to.

Two models may answer every message, each in a column of its own. `asking` makes experiments of it, `files` files.
Knows nothing of pages, engines or how a model is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from core.errors import InvalidInput
from core.types import CellResult, State

MAX_EXCHANGES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One answer to a message: the run that makes it, and once it is final (`state`) what it says.

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
class Side:
    """One model's answer to a message, in all its versions; the chosen one is what the talk goes on from."""

    model: str
    versions: tuple[Version, ...] = ()
    chosen: int = 0

    @property
    def version(self) -> Version:
        return self.versions[self.chosen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A message and its answers, one for each model. `images` are references (core.pictures)."""

    message: str
    images: tuple[str, ...] = ()
    sides: tuple[Side, ...] = ()

    def side(self, place: int) -> Side | None:
        """The answer in this column; of a talk that had only one, that one."""
        return self.sides[min(place, len(self.sides) - 1)] if self.sides else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A chat from its beginning."""

    exchanges: tuple[Exchange, ...] = ()

    def pending(self) -> bool:
        """Whether an answer is still to come."""
        return any(not v.final for exchange in self.exchanges for side in exchange.sides for v in side.versions)


def added(talk: Talk, message: str, images: tuple[str, ...] = ()) -> Talk:
    """The talk with one more message.

    Raises:
        InvalidInput: it is blank and has no image, or the talk is at its end.
    """
    if not message.strip() and not images:
        raise InvalidInput("The message is empty. Write something, or attach an image.")
    if len(talk.exchanges) >= MAX_EXCHANGES:
        raise InvalidInput(f"This chat has {MAX_EXCHANGES} messages. Begin a new one; this one stays in the history.")
    return replace(talk, exchanges=(*talk.exchanges, Exchange(message=message, images=images)))


def cut(talk: Talk, number: int) -> Talk:
    """The talk up to, and without, an exchange: what an edited message follows on."""
    return replace(talk, exchanges=talk.exchanges[:number])


def answering(talk: Talk, number: int, place: int, model: str, run_id: str) -> Talk:
    """The talk with a new version of an answer on its way, which is the chosen one."""
    exchange = talk.exchanges[number]
    sides = list(exchange.sides)
    while len(sides) <= place:
        sides.append(Side(model=model))
    side = sides[place]
    versions = (*side.versions, Version(run_id=run_id))
    sides[place] = Side(model=model, versions=versions, chosen=len(versions) - 1)
    return _with(talk, number, replace(exchange, sides=tuple(sides)))


def choosing(talk: Talk, number: int, place: int, version: int) -> Talk:
    """The talk with another version of an answer chosen."""
    exchange = talk.exchanges[number]
    sides = [replace(side, chosen=version) if i == place else side for i, side in enumerate(exchange.sides)]
    return _with(talk, number, replace(exchange, sides=tuple(sides)))


def settled(talk: Talk, find: Callable[[str], CellResult | None]) -> Talk:
    """The talk with every answer that has become final written into it.

    Args:
        find: the one cell of a run, None where it is not there any more.
    """
    exchanges = []
    for exchange in talk.exchanges:
        sides = [
            replace(side, versions=tuple(v if v.final else _settled(v, find(v.run_id)) for v in side.versions))
            for side in exchange.sides
        ]
        exchanges.append(replace(exchange, sides=tuple(sides)))
    return replace(talk, exchanges=tuple(exchanges))


def totals(talk: Talk) -> tuple[int, int, float, int]:
    """(prompt tokens, output tokens, US dollars known, remote answers whose price is not) of every version so far."""
    versions = [v for exchange in talk.exchanges for side in exchange.sides for v in side.versions]
    known = sum(v.cost for v in versions if v.cost is not None)
    unknown = sum(v.priced and v.cost is None for v in versions)
    return sum(v.prompt_tokens for v in versions), sum(v.output_tokens for v in versions), known, unknown


def _settled(version: Version, result: CellResult | None) -> Version:
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
        prompt_tokens=output.prompt_tokens,
        output_tokens=output.output_tokens,
        cost=output.cost,
        priced="host" in output.provenance,
    )


def _with(talk: Talk, number: int, exchange: Exchange) -> Talk:
    return replace(talk, exchanges=(*talk.exchanges[:number], exchange, *talk.exchanges[number + 1 :]))
