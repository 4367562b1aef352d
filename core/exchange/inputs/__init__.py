"""Inputs from a file or pasted text: CSV, JSON, JSONL, XLSX, promptfoo's configurations and tests, Diptych's own files.

`read` finds the kind and gives what was taken over, and a list of what was not. Whatever is wrong with the text, what
is raised is InvalidInput; sizes are judged before work is done. Knows nothing of pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from core.errors import InvalidInput
from core.exchange.documents import MAX_BYTES, MAX_ROWS, Document, json_document, jsonl_document, yaml_document
from core.exchange.experiment_file import experiment_in
from core.exchange.inputs.applying import applied, experiment_of
from core.exchange.inputs.csv_table import DELIMITERS, inputs_from_csv
from core.exchange.inputs.imported import (
    DESCRIPTION,
    MAX_COLUMNS,
    MAX_VARIANTS,
    AmbiguousDelimiter,
    Imported,
    LeftOut,
    finished,
)
from core.exchange.inputs.json_rows import inputs_from_objects, is_own, own_inputs, value_columns, with_readable_checks
from core.exchange.inputs.promptfoo import CONFIG_FIELDS, inputs_from_config, inputs_from_tests
from core.exchange.inputs.xlsx import inputs_from_xlsx

__all__ = [
    "DELIMITERS",
    "DESCRIPTION",
    "EXTENSIONS",
    "MAX_BYTES",
    "MAX_COLUMNS",
    "MAX_ROWS",
    "MAX_VARIANTS",
    "AmbiguousDelimiter",
    "Imported",
    "LeftOut",
    "applied",
    "experiment_of",
    "read",
    "read_text",
]

EXTENSIONS = ("csv", "tsv", "txt", "json", "jsonl", "ndjson", "xlsx", "yaml", "yml")
_SIGNATURES = {b"PK\x03\x04": "xlsx", b"\xd0\xcf\x11\xe0": "xls", b"%PDF": "pdf"}
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_YAML = re.compile(
    rf"^(?:---|# yaml-language-server|(?:{'|'.join((*CONFIG_FIELDS, 'description'))})\s*:"
    r"|-\s+(?:vars|assert|description)\s*:)",
    re.MULTILINE,
)


def read(data: bytes, name: str = "", delimiter: str = "") -> Imported:
    """What a file gives.

    Args:
        name: the file's, whose ending names its kind; what cannot be so is found from the contents.
        delimiter: of a table; '' finds it.

    Raises:
        AmbiguousDelimiter: a table may be separated by several delimiters; ask, and say which.
        InvalidInput: too large, of a kind that is not read, or broken; says where and what to do.
    """
    if len(data) > MAX_BYTES:
        raise InvalidInput(f"The file is larger than {MAX_BYTES // 1_000_000} MB; use a part of it.")
    signed = next((kind for signature, kind in _SIGNATURES.items() if data.startswith(signature)), "")
    if signed == "xlsx":
        return finished(inputs_from_xlsx(data))
    if signed or (b"\x00" in data[:1000] and not data.startswith(_UTF_16)):
        raise InvalidInput(f"This file is not read; save the table as .xlsx or CSV. Read are {', '.join(EXTENSIONS)}.")
    encoding = "utf-16" if data.startswith(_UTF_16) else "utf-8-sig"
    try:
        return read_text(data.decode(encoding), name, delimiter)
    except UnicodeDecodeError:
        imported = read_text(data.decode("cp1252", "replace"), name, delimiter)
    note = "The file is not UTF-8; it is read as Windows-1252. Look at its accents, or save it as UTF-8."
    return replace(imported, notes=(note, *imported.notes))


def read_text(text: str, name: str = "", delimiter: str = "") -> Imported:
    """What a text gives; as `read`."""
    if not text.strip():
        raise InvalidInput("There is nothing in it. Choose a file with a table or a configuration, or paste one.")
    if len(text) > MAX_BYTES:
        raise InvalidInput(f"The text is larger than {MAX_BYTES // 1_000_000} MB; use a part of it.")
    kind = PurePath(name).suffix.lower().lstrip(".")
    if kind in ("jsonl", "ndjson"):
        return finished(_from_document(jsonl_document(text), text))
    if kind == "json" or (kind not in ("yaml", "yml", "csv", "tsv") and text.lstrip("\ufeff \r\n\t")[:1] in ("{", "[")):
        return finished(_from_document(_json_or_lines(text), text))
    if kind in ("yaml", "yml") or (kind not in ("csv", "tsv") and not delimiter and _YAML.search(text[:10_000])):
        return finished(_from_document(yaml_document(text), text))
    return finished(inputs_from_csv(text, delimiter or ("\t" if kind == "tsv" else "")))


def _json_or_lines(text: str) -> Document:
    """JSON, or the lines of JSON that a .json file or a paste may be as well."""
    try:
        return json_document(text)
    except InvalidInput:
        first, *rest = [line for line in text.removeprefix("\ufeff").split("\n") if line.strip()][:2]
        if not rest or not _is_object(first):
            raise
        return jsonl_document(text)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), Mapping)
    except (ValueError, RecursionError):
        return False


def _from_document(document: Document, text: str) -> Imported:
    value = document.value
    if isinstance(value, list):
        return _from_list(document, value)
    if not isinstance(value, Mapping):
        raise InvalidInput("The file has no list of rows and no configuration.")
    if "format" in value or {"variants", "models"} <= set(value):
        return _own_file(text)
    if isinstance(value.get("inputs"), list):
        return _from_list(document, value["inputs"], ("inputs",))
    if set(value) == {"tests"} and isinstance(value["tests"], list) and not any(map(_is_test, value["tests"])):
        return _from_list(document, value["tests"], ("tests",))
    if set(value) & set(CONFIG_FIELDS):
        return inputs_from_config(document)
    if _is_test(value):
        return inputs_from_tests(document)
    raise InvalidInput(
        "The file is neither a list of rows, nor a promptfoo configuration, nor a Diptych run. "
        "Rows are a list, or stand under 'inputs' or 'tests'."
    )


def _from_list(document: Document, rows: list[Any], path: tuple[str, ...] = ()) -> Imported:
    if any(map(_is_test, rows)):
        depth = len(path)
        lines = {place[depth:]: line for place, line in document.lines.items() if place[:depth] == path}
        return inputs_from_tests(Document(rows, lines))
    if rows and all(map(is_own, rows)):
        return own_inputs(document, rows, path)
    return inputs_from_objects(document, rows, path)


def _is_test(row: object) -> bool:
    """Whether a row is a test of promptfoo's, and not a row of a table."""
    return isinstance(row, Mapping) and (
        isinstance(row.get("vars"), Mapping | str) or isinstance(row.get("assert"), list)
    )


def _own_file(text: str) -> Imported:
    experiment = experiment_in(text)
    unnamed = (("its images", experiment.images), ("the earlier messages of its chat", experiment.earlier))
    imported = Imported(
        kind="Diptych run",
        inputs=experiment.inputs,
        variants=experiment.variants,
        checks=experiment.checks,
        threshold=experiment.threshold,
        columns=value_columns(experiment.inputs),
        notes=("Models, parameters, samples and seed stay as they are on the page.",),
        left_out=tuple(LeftOut("The file", f"Not taken over: {what}.") for what, parts in unnamed if parts),
    )
    return with_readable_checks(imported)
