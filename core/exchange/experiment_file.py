"""Experiments as files: YAML or JSON, or the receipt of a run. The text is untrusted."""

from __future__ import annotations

import json
from typing import Any

from core.exchange.documents import MAX_YAML, yaml_document
from core.exchange.receipt import experiment_from
from core.exchange.yaml_writer import dumped
from core.experiment.serialize import from_dict, to_dict
from core.types import Experiment


def experiment_file(experiment: Experiment) -> str:
    """An experiment as YAML that `experiment_in` reads, or as JSON where it is too long for that. Fields with their
    defaults are left out."""
    default = to_dict(Experiment(page=experiment.page, variants=(), models=()))
    always = ("version", "page", "variants", "models", "inputs")
    table = {name: value for name, value in to_dict(experiment).items() if name in always or value != default[name]}
    table = {"version": table.pop("version"), **({"title": table.pop("title")} if "title" in table else {}), **table}
    table["variants"] = [_without(variant, {"system": "", "literal": False}) for variant in table["variants"]]
    empty: dict[str, Any] = {"id": "", "values": {}, "checks": [], "group": "", "threshold": None}
    table["inputs"] = [_without(row, empty) for row in table["inputs"]]
    text = dumped(table)
    return text if len(text) <= MAX_YAML else json.dumps(table, ensure_ascii=False)


def experiment_in(text: str) -> Experiment:
    """The experiment of a YAML or JSON file, or of a receipt.

    Raises:
        InvalidInput: too large, neither, or a field is invalid.
    """
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        return experiment_from(text)
    return from_dict(yaml_document(text.removeprefix("\ufeff")).value)


def _without(table: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in defaults or value != defaults[name]}
