"""An experiment as plain JSON values, and back. The values are untrusted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any, Literal, TypeVar, cast

from core.errors import InvalidInput
from core.text import short
from core.types import MAX_SAMPLES, MAX_SEED, MAX_TITLE, Check, EarlierMessage, Experiment, Input, Value, Variant

VERSION = 2
"""The format that `to_dict` writes; `from_dict` reads it and every older one."""

MAX_TEXT = 1_000_000
"""Characters of one text; as many as the history keeps of everything typed on a page."""

MAX_LIST = 2_000
MAX_WEIGHT = 1e6

Item = TypeVar("Item")


def to_dict(experiment: Experiment) -> dict[str, Any]:
    """The experiment as plain JSON values, with its format's version. A check with defaults only is its line."""
    plain: dict[str, Any] = {"version": VERSION}
    plain |= {entry.name: getattr(experiment, entry.name) for entry in fields(Experiment)}
    plain["variants"] = [asdict(variant) for variant in experiment.variants]
    plain["models"] = list(experiment.models)
    plain["inputs"] = [_plain_input(row) for row in experiment.inputs]
    plain["parameters"] = {name: _plain_value(value) for name, value in experiment.parameters.items()}
    plain["axes"] = {name: [_plain_value(value) for value in values] for name, values in experiment.axes.items()}
    plain["earlier"] = [asdict(message) | {"images": list(message.images)} for message in experiment.earlier]
    plain["images"] = list(experiment.images)
    plain["seeds"] = list(experiment.seeds)
    plain["checks"] = [_plain_check(check) for check in experiment.checks]
    return plain


def _plain_input(row: Input) -> dict[str, Any]:
    values = {"values": dict(row.values), "checks": [_plain_check(check) for check in row.checks]}
    return {"id": row.id, **values, "group": row.group, "threshold": row.threshold}


def _plain_check(check: Check) -> object:
    return check.line if check == Check(check.line) else asdict(check)


def _plain_value(value: Value) -> object:
    return list(value) if isinstance(value, tuple) else value


def from_dict(data: object) -> Experiment:
    """The experiment that `to_dict` wrote. Types, sizes and names are checked, unknown keys refused.

    Raises:
        InvalidInput: names the invalid field and what it must be. `plan` validates templates, checks and parameters.
    """
    table = _updated(data)
    readers: dict[str, Callable[[object], Any]] = {
        "page": lambda value: _text(value, "page", 40),
        "variants": lambda value: _items(value, "variants", _variant),
        "models": lambda value: _items(value, "models", lambda item, where: _text(item, where, MAX_TITLE)),
        "inputs": lambda value: _items(value, "inputs", input_from),
        "samples": lambda value: _integer(value, "samples", 1, MAX_SAMPLES),
        "parameters": _parameters,
        "axes": _axes,
        "seed": lambda value: _integer(value, "seed", 0, MAX_SEED),
        "chat": lambda value: _flag(value, "chat"),
        "title": lambda value: _text(value, "title", MAX_TITLE),
        "answer_prefix": lambda value: _text(value, "answer_prefix", MAX_TEXT),
        "earlier": lambda value: _items(value, "earlier", _message),
        "images": lambda value: _references(value, "images"),
        "seeds": lambda value: _items(value, "seeds", lambda item, where: _integer(item, where, 0, MAX_SEED)),
        "checks": lambda value: _items(value, "checks", _check),
        "threshold": lambda value: _share(value, "threshold"),
        "margin": lambda value: _number(value, "margin", 0.0, 1.0),
        "aa_test": lambda value: _flag(value, "aa_test"),
    }
    missing = [name for name in ("page", "variants", "models") if name not in table]
    if missing:
        raise InvalidInput(f"The experiment lacks {', '.join(missing)}.")
    return Experiment(**{name: read(table[name]) for name, read in readers.items() if name in table})


def _updated(data: object) -> Mapping[str, object]:
    """The table in the current format. Format 1 has `talk` for `earlier`, and rows without ids."""
    names = {"version", *(entry.name for entry in fields(Experiment))}
    version = _version(_table(data, "experiment").get("version"))
    if version > 1:
        return _table(data, "experiment", names)
    table = dict(_table(data, "experiment", (names - {"earlier"}) | {"talk"}))
    if "talk" in table:
        table["earlier"] = table.pop("talk")
    rows = table.get("inputs")
    if isinstance(rows, Sequence) and not isinstance(rows, str | bytes):
        table["inputs"] = [_with_id(row, number) for number, row in enumerate(rows, start=1)]
    return table


def _with_id(row: object, number: int) -> object:
    return {**row, "id": f"row-{number}"} if isinstance(row, Mapping) and "id" not in row else row


def _version(value: object) -> int:
    version = _integer(1 if value is None else value, "version", 1, MAX_SEED)
    if version > VERSION:
        raise InvalidInput(
            f"This experiment was saved in format {version}; this Diptych reads up to {VERSION}. Update Diptych."
        )
    return version


def _variant(data: object, where: str) -> Variant:
    table = _table(data, where, {entry.name for entry in fields(Variant)})
    name, user, system = (table.get(key, "") for key in ("name", "user", "system"))
    return Variant(
        name=_text(name, f"{where}.name", MAX_TITLE),
        user=_text(user, f"{where}.user", MAX_TEXT),
        system=_text(system, f"{where}.system", MAX_TEXT),
        literal=_flag(table.get("literal", False), f"{where}.literal"),
    )


def input_from(data: object, where: str) -> Input:
    """One input as `to_dict` writes it; raises as `from_dict` does, naming the field below `where`."""
    table = _table(data, where, {entry.name for entry in fields(Input)})
    values = _table(table.get("values", {}), f"{where}.values")
    return Input(
        id=_text(table.get("id", ""), f"{where}.id", MAX_TITLE),
        values={name: _text(value, f"{where}.values", MAX_TEXT) for name, value in values.items()},
        checks=_items(table.get("checks", []), f"{where}.checks", _check),
        group=_text(table.get("group", ""), f"{where}.group", MAX_TITLE),
        threshold=_share(table.get("threshold"), f"{where}.threshold"),
    )


def _check(data: object, where: str) -> Check:
    """A check from its line alone, or from a table of its fields."""
    if not isinstance(data, Mapping):
        return Check(_text(data, where, MAX_TEXT))
    table = _table(data, where, {entry.name for entry in fields(Check)})
    return Check(
        line=_text(table.get("line"), f"{where}.line", MAX_TEXT),
        weight=_number(table.get("weight", 1.0), f"{where}.weight", 0.0, MAX_WEIGHT),
        metric=_text(table.get("metric", ""), f"{where}.metric", MAX_TITLE),
        threshold=None if table.get("threshold") is None else _number(table["threshold"], f"{where}.threshold"),
    )


def _message(data: object, where: str) -> EarlierMessage:
    table = _table(data, where, {entry.name for entry in fields(EarlierMessage)})
    role = _text(table.get("role"), f"{where}.role", 20)
    if role not in ("user", "assistant"):
        raise InvalidInput(f"'{where}.role' must be user or assistant.")
    return EarlierMessage(
        role=cast(Literal["user", "assistant"], role),
        text=_text(table.get("text"), f"{where}.text", MAX_TEXT),
        images=_references(table.get("images", []), f"{where}.images"),
    )


def _references(data: object, where: str) -> tuple[str, ...]:
    return _items(data, where, lambda item, path: _text(item, path, 64))


def _parameters(data: object) -> dict[str, Value]:
    return {name: _value(value, f"parameters.{short(name)}") for name, value in _table(data, "parameters").items()}


def _axes(data: object) -> dict[str, tuple[Value, ...]]:
    return {name: _items(values, f"axes.{short(name)}", _value) for name, values in _table(data, "axes").items()}


def _value(value: object, where: str) -> Value:
    if isinstance(value, list | tuple):
        return _items(value, where, lambda item, path: _text(item, path, MAX_TITLE))
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(f"'{where}' must be a finite number.")
    if isinstance(value, str):
        return _text(value, where, MAX_TEXT)
    if value is None or isinstance(value, float) or (isinstance(value, int) and abs(value) <= MAX_SEED):
        return value
    raise InvalidInput(f"'{where}' must be text, a number, true, false, null or a list of texts (numbers up to 2**63).")


def _table(data: object, where: str, allowed: set[str] | None = None) -> Mapping[str, object]:
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise InvalidInput(f"'{where}' must be a table of named fields.")
    unknown = sorted(data.keys() - allowed) if allowed is not None else []
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
    return tuple(read(item, f"{where}[{index}]") for index, item in enumerate(data))


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


def _number(value: object, where: str, low: float = -math.inf, high: float = math.inf) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or not low <= value <= high:  # type: ignore[arg-type, operator]
        bounds = f" from {low:g} to {high:g}" if math.isfinite(low) else ""
        raise InvalidInput(f"'{where}' must be a number{bounds}.")
    return float(value)  # type: ignore[arg-type]


def _share(value: object, where: str) -> float | None:
    return None if value is None else _number(value, where, 0.0, 1.0)


def _flag(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidInput(f"'{where}' must be true or false.")
    return value
