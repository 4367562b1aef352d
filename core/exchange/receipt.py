"""A run as a receipt, a JSON file that Diptych reads again.

A receipt holds all that a replay needs and no key. An uploaded file is untrusted: its size, depth and fields are
checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.errors import InvalidInput
from core.exchange.documents import refuse_constant
from core.experiment.grade import answer
from core.experiment.serialize import from_dict, to_dict
from core.history.saved import SavedRun, plain
from core.types import CellResult, Experiment

FORMAT = "diptych-run"
VERSION = 2
MAX_BYTES = 5_000_000

_SHED: tuple[tuple[str, ...], ...] = ((), ("tokens",), ("tokens", "messages", "rendered_prompt"))
"""The fields that a receipt leaves out, tried in this order until it is small enough; a replay makes them again."""


def receipt(saved: SavedRun) -> str:
    """The whole run as JSON: the experiment, and each cell's answer and provenance.

    `experiment_from` refuses a receipt over MAX_BYTES. So token probabilities, then the prompts as they were sent, are
    left out where needed; the field "left_out" names them.
    """
    text = ""
    for left_out in _SHED:
        text = json.dumps(plain(_receipt(saved, left_out)), ensure_ascii=False, allow_nan=False)
        if len(text.encode("utf-8")) <= MAX_BYTES:
            break
    return text


def experiment_from(text: str) -> Experiment:
    """The experiment of a receipt, or of an experiment saved alone. The text is untrusted.

    Raises:
        InvalidInput: too large, not JSON, not a Diptych run, of a newer format, or a field is invalid.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise InvalidInput(f"The file is larger than {MAX_BYTES // 1_000_000} MB; a run's receipt is smaller.")
    try:
        data = json.loads(text.removeprefix("\ufeff"), parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise InvalidInput("The file is not JSON. Choose the JSON file that the history exported.") from None
    if not isinstance(data, dict):
        raise InvalidInput("The file is not a Diptych run. Choose the JSON file that the history exported.")
    if "format" not in data:
        return from_dict(data)
    version = data.get("version")
    if data["format"] != FORMAT or not isinstance(version, int):
        raise InvalidInput("The file is not a Diptych run. Choose the JSON file that the history exported.")
    if version > VERSION:
        raise InvalidInput(f"The file is of format {version}; this Diptych reads up to {VERSION}. Update Diptych.")
    return from_dict(data.get("experiment"))


def _receipt(saved: SavedRun, left_out: tuple[str, ...]) -> dict[str, Any]:
    row = saved.row
    cells = [
        _cell(result, provenance, left_out) for result, provenance in zip(saved.results, saved.provenances, strict=True)
    ]
    return {
        "format": FORMAT,
        "version": VERSION,
        "run": {
            "id": row.id,
            "page": row.page,
            "title": row.title,
            "created": row.created.isoformat(),
            "state": row.state,
            "looks": row.looks,
        },
        "experiment": to_dict(saved.experiment),
        "cells": cells,
        "left_out": left_out,
    }


def _cell(result: CellResult, provenance: Mapping[str, object], left_out: tuple[str, ...]) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "index": result.index,
        "state": result.state,
        "text": answer(result),
        "error": result.error,
        "output_tokens": result.tokens,
    }
    if result.output is not None:
        output = result.output
        fields |= {
            name: getattr(output, name) for name in ("finish", "prompt_tokens", "seconds", "first_token_seconds")
        }
        if output.images:
            fields["images"] = output.images  # stored as their size and hash
        fields["tokens"] = [[token.text, token.logprob] for token in output.tokens]
    fields["provenance"] = {name: value for name, value in provenance.items() if name not in left_out}
    return {name: value for name, value in fields.items() if name not in left_out}
