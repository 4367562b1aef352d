"""Experiments as files: YAML or JSON, or the receipt of a run. The text is untrusted."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from core.errors import InvalidInput
from core.exchange import plain_yaml
from core.exchange.receipt import MAX_BYTES, experiment_from
from core.experiment.serialize import from_dict, to_dict
from core.types import Experiment

if TYPE_CHECKING:
    from yaml import SafeDumper


def experiment_file(experiment: Experiment) -> str:
    """An experiment as YAML that `experiment_in` reads. Fields with their defaults are left out."""
    import yaml

    default = to_dict(Experiment(page=experiment.page, variants=(), models=()))
    always = ("version", "page", "variants", "models", "inputs")
    table = {name: value for name, value in to_dict(experiment).items() if name in always or value != default[name]}
    table = {"version": table.pop("version"), **({"title": table.pop("title")} if "title" in table else {}), **table}
    table["variants"] = [_without(variant, {"system": "", "literal": False}) for variant in table["variants"]]
    empty: dict[str, Any] = {"id": "", "values": {}, "checks": [], "group": "", "threshold": None}
    table["inputs"] = [_without(row, empty) for row in table["inputs"]]
    text: str = yaml.dump(table, Dumper=_dumper(), allow_unicode=True, sort_keys=False, width=110)
    return text


def experiment_in(text: str) -> Experiment:
    """The experiment of a YAML or JSON file, or of a receipt.

    Raises:
        InvalidInput: too large, neither, or a field is invalid.
    """
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        return experiment_from(text)
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise InvalidInput(f"The file is larger than {MAX_BYTES // 1_000_000} MB; an experiment is smaller.")
    return from_dict(plain_yaml.load(text.removeprefix("\ufeff")))


def _without(table: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in defaults or value != defaults[name]}


_OTHER_BREAKS = frozenset("\r\x85\u2028\u2029")
"""Line ends that YAML reads as line feeds unless they are escaped."""


@lru_cache(maxsize=1)
def _dumper() -> type[SafeDumper]:
    """Writes texts of several lines as blocks, where YAML can."""
    import yaml

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]
        pass

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        style = '"' if _OTHER_BREAKS & set(value) else "|" if "\n" in value else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    return Dumper
