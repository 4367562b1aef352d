"""An experiment as plain JSON values, and back, trusting nothing: a stranger may have written them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Literal, TypeVar, cast

from core.errors import InvalidInput
from core.text import short
from core.types import MAX_SAMPLES, MAX_SEED, MAX_TITLE, Experiment, Input, Turn, Value, Variant

VERSION = 1
"""The format that `to_dict` writes; `from_dict` reads it and every older one."""

MAX_TEXT = 100_000
MAX_LIST = 1_000

Item = TypeVar("Item")


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
    plain["talk"] = [{"role": turn.role, "text": turn.text, "images": list(turn.images)} for turn in experiment.talk]
    plain["images"] = list(experiment.images)
    plain["seeds"] = list(experiment.seeds)
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
        "talk": lambda value: _items(value, "talk", _turn),
        "images": lambda value: _references(value, "images"),
        "seeds": lambda value: _items(value, "seeds", lambda item, where: _integer(item, where, 0, MAX_SEED)),
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


def _turn(data: object, where: str) -> Turn:
    table = _table(data, where, {"role", "text", "images"})
    role = _text(table.get("role"), f"{where}.role", 20)
    if role not in ("user", "assistant"):
        raise InvalidInput(f"'{where}.role' must be user or assistant.")
    return Turn(
        role=cast(Literal["user", "assistant"], role),
        text=_text(table.get("text"), f"{where}.text", MAX_TEXT),
        images=_references(table.get("images", []), f"{where}.images"),
    )


def _references(data: object, where: str) -> tuple[str, ...]:
    return _items(data, where, lambda item, place: _text(item, place, 64))


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
