"""A run as a file: a receipt that Diptych reads again, and a table for a spreadsheet.

A receipt holds all that a replay needs and no key. An uploaded file is untrusted: its size, depth and fields are
checked. No exported text runs as a formula in a spreadsheet. Knows nothing of databases or pages.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from core import pictures
from core.checks import CheckResult
from core.errors import InvalidInput
from core.experiment import unit
from core.experiment.grade import answer, grade, images_of, passes
from core.experiment.grid import grid_cells, seed_of
from core.experiment.serialize import from_dict, to_dict
from core.history.saved import SavedRun, plain
from core.types import CellResult, Experiment, Input, State

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
        data = json.loads(text.removeprefix("\ufeff"), parse_constant=_refuse_constant)
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


def table(saved: SavedRun) -> str:
    """One line per cell as CSV for a spreadsheet. It begins with a byte order mark (so encode it as plain UTF-8); every
    field is quoted, and no text runs as a formula.

    Columns: variant, model, the inputs' variables, sample (from 1), seed, answer, passed, reasons, seconds, tokens,
    cost_usd (empty where it is unknown), finish, error; for a run with images, the SHA-256 of each cell's images too.
    The heading of `tokens` is the models' unit, such as steps. `passed` is yes, no, or empty without checks; `reasons`
    come from the failed checks.
    """
    experiment = saved.experiment
    names = tuple(dict.fromkeys(name for row in experiment.inputs for name in row.values))
    results = {result.index: result for result in saved.results}
    sheet = io.StringIO()
    writer = csv.writer(sheet, quoting=csv.QUOTE_ALL)
    images = any(images_of(result) for result in saved.results)
    units = {unit(model) for model in experiment.models}
    writer.writerow(
        [_safe(heading) for heading in _headings(names, units.pop() if len(units) == 1 else "tokens", images)]
    )
    for cell in grid_cells(experiment):
        result = results.get(cell.index, CellResult(index=cell.index))
        row = experiment.inputs[cell.input]
        leading = [experiment.variants[cell.variant].name, cell.model, *(row.values.get(name, "") for name in names)]
        fields = [
            *leading,
            cell.sample + 1,
            seed_of(experiment, cell.sample),
            *_answer_fields(experiment, row, result, grade(experiment, cell, result)),
            *([" ".join(pictures.reference(picture) for picture in images_of(result))] if images else []),
        ]
        writer.writerow([_safe(field) for field in fields])
    return "\ufeff" + sheet.getvalue()


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


def _headings(names: tuple[str, ...], unit: str, images: bool) -> list[str]:
    before, after = ["variant", "model"], ["sample", "seed", "answer", "passed", "reasons"]
    after += ["seconds", unit, "cost_usd", "finish", "error", *(["images"] if images else [])]
    taken = {*before, *after}
    return [*before, *(f"{name} (input)" if name in taken else name for name in names), *after]


def _answer_fields(
    experiment: Experiment, row: Input, result: CellResult, outcomes: tuple[CheckResult, ...]
) -> list[object]:
    """The fields answer, passed, reasons, seconds, tokens, cost_usd, finish, error of one cell."""
    passed = passes(experiment, row, outcomes) if result.state is State.DONE else None
    reasons = [
        f"{outcome.check}: {outcome.reason}" for outcome in outcomes if passed is not None and not outcome.passed
    ]
    output = result.output
    fields = [answer(result), {None: "", True: "yes", False: "no"}[passed], "; ".join(reasons)]
    if output is None:
        return [*fields, "", result.tokens, "", "", result.error]
    cost = "" if output.cost is None else round(output.cost, 8)
    return [*fields, round(output.seconds, 3), output.output_tokens, cost, output.finish, result.error]


def _safe(value: object) -> object:
    """A field that no spreadsheet runs: an apostrophe precedes text that begins like a formula, unless it is a number.

    Source: OWASP, "CSV injection", with the full-width signs that some spreadsheets read alike.
    """
    if not isinstance(value, str) or _PLAIN_NUMBER.fullmatch(value):
        return value
    begins = value.lstrip(_BLANK)[:1]
    return f"'{value}" if value[:1] in {"\t", "\r", "\n"} or (begins and begins in _FORMULA) else value


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_BLANK = " \ufeff\u00a0\u200b\u3000"
_FORMULA = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?")
