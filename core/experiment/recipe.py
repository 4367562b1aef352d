"""An experiment as a value, and the same value as plain JSON.

Everything that a page can ask for is here: variants x models x inputs x samples, with parameters, seed and checks.
`from_dict` reads what a stranger may have written. Nothing here knows how a template is rendered, how a check is
applied or what a model accepts; `plan` finds that out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from core.errors import InvalidInput
from core.types import Value

VERSION = 1
MAX_SAMPLES = 50
MAX_SEED = 2**63 - 1
MAX_TITLE = 200
MAX_TEXT = 100_000
MAX_LIST = 1_000

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way of asking: `user` and `system` are {{variable}} templates; a blank system part is left out."""

    name: str
    user: str
    system: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One row: a value for each variable, and the lines (see core.checks) that an answer to it must satisfy."""

    values: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """What is compared: variants x models x inputs x samples.

    `answer_prefix` is the beginning of every answer, which the model continues. `chat` frames the prompt by the
    model's chat template, where it has one.
    """

    page: str
    variants: tuple[Variant, ...]
    models: tuple[str, ...]
    inputs: tuple[Input, ...] = (Input(),)
    samples: int = 1
    parameters: Mapping[str, Value] = field(default_factory=dict)
    seed: int = 0
    chat: bool = True
    title: str = ""
    answer_prefix: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell stands; `model` is its id, the others count from 0."""

    index: int
    model: str
    sample: int
    input: int
    variant: int


def effective_samples(experiment: Experiment) -> int:
    """How many samples are worth running: one at temperature 0, where greedy decoding only makes copies."""
    return 1 if experiment.parameters.get("temperature") == 0 else experiment.samples


def seed_of(experiment: Experiment, sample: int) -> int:
    """The seed of the sample in every cell: the experiment's, counted up, and from 0 again past the largest."""
    return (experiment.seed + sample) % (MAX_SEED + 1)


def places(experiment: Experiment) -> Iterator[Place]:
    """The grid in the order it is filled: a model's cells together, and every row once before any is sampled again."""
    index = 0
    for model in experiment.models:
        for sample in range(effective_samples(experiment)):
            for row in range(len(experiment.inputs)):
                for variant in range(len(experiment.variants)):
                    yield Place(index, model, sample, row, variant)
                    index += 1


def to_dict(experiment: Experiment) -> dict[str, Any]:
    """The experiment as plain JSON values, with its format's version."""
    plain: dict[str, Any] = {"version": VERSION}
    plain |= {entry.name: getattr(experiment, entry.name) for entry in fields(Experiment)}
    plain["variants"] = [{"name": v.name, "user": v.user, "system": v.system} for v in experiment.variants]
    plain["models"] = list(experiment.models)
    plain["inputs"] = [{"values": dict(row.values), "checks": list(row.checks)} for row in experiment.inputs]
    plain["parameters"] = {
        name: list(value) if isinstance(value, tuple) else value for name, value in experiment.parameters.items()
    }
    return plain


def from_dict(data: object) -> Experiment:
    """Read what `to_dict` wrote, trusting nothing: types, sizes and names are checked, unknown keys refused.

    Raises:
        InvalidInput: names the field that is wrong and what it should be. Whether templates, checks and parameters
            make sense is for `plan` to say.
    """
    table = _table(data, "experiment", {"version", *(entry.name for entry in fields(Experiment))})
    _version(table.get("version"))
    readers: dict[str, Callable[[object], Any]] = {
        "page": lambda value: _text(value, "page", 40),
        "variants": lambda value: _items(value, "variants", _variant),
        "models": lambda value: _items(value, "models", lambda item, where: _text(item, where, MAX_TITLE)),
        "inputs": lambda value: _items(value, "inputs", _input),
        "samples": lambda value: _integer(value, "samples", 1, MAX_SAMPLES),
        "parameters": _parameters,
        "seed": lambda value: _integer(value, "seed", 0, MAX_SEED),
        "chat": _flag,
        "title": lambda value: _text(value, "title", MAX_TITLE),
        "answer_prefix": lambda value: _text(value, "answer_prefix", MAX_TEXT),
    }
    missing = [name for name in ("page", "variants", "models") if name not in table]
    if missing:
        raise InvalidInput(f"The experiment lacks {', '.join(missing)}.")
    return Experiment(**{name: read(table[name]) for name, read in readers.items() if name in table})


def _version(value: object) -> None:
    version = _integer(1 if value is None else value, "version", 1, MAX_SEED)
    if version > VERSION:
        raise InvalidInput(
            f"This experiment was saved in format {version}; this Diptych reads up to {VERSION}. Update Diptych."
        )


def _variant(data: object, where: str) -> Variant:
    table = _table(data, where, {"name", "user", "system"})
    name, user, system = (table.get(key, "") for key in ("name", "user", "system"))
    return Variant(
        name=_text(name, f"{where}.name", MAX_TITLE),
        user=_text(user, f"{where}.user", MAX_TEXT),
        system=_text(system, f"{where}.system", MAX_TEXT),
    )


def _input(data: object, where: str) -> Input:
    table = _table(data, where, {"values", "checks"})
    values = _table(table.get("values", {}), f"{where}.values")
    lines = _items(table.get("checks", []), f"{where}.checks", lambda item, place: _text(item, place, MAX_TEXT))
    return Input(
        values={name: _text(value, f"{where}.values", MAX_TEXT) for name, value in values.items()},
        checks=lines,
    )


def _parameters(data: object) -> dict[str, Value]:
    return {name: _value(value, f"parameters.{short(name)}") for name, value in _table(data, "parameters").items()}


def _value(value: object, where: str) -> Value:
    if isinstance(value, list | tuple):
        return _items(value, where, lambda item, place: _text(item, place, MAX_TITLE))
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(f"'{where}' must be a finite number.")
    if isinstance(value, str):
        return _text(value, where, MAX_TEXT)
    if value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) <= MAX_SEED):
        return value
    raise InvalidInput(f"'{where}' must be text, a number, true, false, null or a list of texts (numbers up to 2**63).")


def _table(data: object, where: str, known: set[str] | None = None) -> Mapping[str, object]:
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise InvalidInput(f"'{where}' must be a table of named fields.")
    unknown = sorted(data.keys() - known) if known is not None else []
    if unknown:
        names = ", ".join(f"'{short(key)}'" for key in unknown[:5])
        raise InvalidInput(f"'{where}' has fields that are not known here: {names}. Remove them.")
    if len(data) > MAX_LIST or any(len(key) > MAX_TITLE for key in data):
        raise InvalidInput(f"'{where}' has more than {MAX_LIST} fields, or names over {MAX_TITLE} characters.")
    return data


def _items(data: object, where: str, read: Callable[[object, str], Item]) -> tuple[Item, ...]:
    if not isinstance(data, Sequence) or isinstance(data, str | bytes):
        raise InvalidInput(f"'{where}' must be a list.")
    if len(data) > MAX_LIST:
        raise InvalidInput(f"'{where}' has {len(data)} entries; at most {MAX_LIST} are read.")
    return tuple(read(item, f"{where}[{place}]") for place, item in enumerate(data))


def _text(value: object, where: str, limit: int) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"'{where}' must be text.")
    if len(value) > limit:
        raise InvalidInput(f"'{where}' has {len(value)} characters; at most {limit} are read.")
    return value


def _integer(value: object, where: str, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise InvalidInput(f"'{where}' must be a whole number from {low} to {high}.")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput("'chat' must be true or false.")
    return value


def short(name: str, limit: int = 40) -> str:
    """A name that fits into a sentence: at most `limit` characters, the last an ellipsis where it was cut."""
    return name if len(name) <= limit else name[: limit - 1] + "…"
