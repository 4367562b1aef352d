"""A promptfoo configuration, or its file of tests, as rows, variants and checks.

Source: promptfoo 0.121, site/docs/configuration/reference and src/util/config. Prompts become variants, tests rows,
the assertions of defaultTest checks for all rows. What reads files, executes something or asks a model is listed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from core.errors import InvalidInput
from core.exchange.inputs.assertions import check_from, flattened
from core.exchange.inputs.check_lines import CheckReader
from core.exchange.inputs.columns import usable
from core.exchange.inputs.documents import Document, Path, text_of
from core.exchange.inputs.imported import DESCRIPTION, MAX_COLUMNS, MAX_NAME, MAX_ROWS, Imported, LeftOut
from core.exchange.inputs.variants import variant_from
from core.text import short
from core.types import Check, Input, Variant

CONFIG_FIELDS = ("prompts", "tests", "scenarios", "defaultTest", "providers", "targets")
_REASONS = {
    "providers": "Models are chosen on the page.",
    "targets": "Models are chosen on the page.",
    "provider": "Models are chosen on the page, for all rows.",
    "prompts": "Every variant runs on every row.",
    "transform": "It would execute code.",
    "transformVars": "It would execute code.",
    "postprocess": "It would execute code.",
    "extensions": "They would execute code.",
    "nunjucksFilters": "They would execute code.",
    "assertScoringFunction": "It would execute code.",
    "prefix": "Write it at the beginning of the prompt.",
    "suffix": "Write it at the end of the prompt.",
    "metadata": "A row has no metadata here.",
    "providerOutput": "Answers come from the model here.",
}


@dataclass(slots=True)
class _Test:
    """A test case with its defaults merged in; `own` are its assertions without the defaults'."""

    path: Path
    vars: dict[str, Any]
    own: list[tuple[Path, Any]] = field(default_factory=list)
    description: str = ""
    threshold: float | None = None
    without_defaults: bool = False


def inputs_from_config(document: Document) -> Imported:
    """A configuration: a mapping with some of CONFIG_FIELDS.

    Raises:
        InvalidInput: more rows than are taken, also by lists of values; or the checks take too long to read.
    """
    return _Reader(document).config(document.value)


def inputs_from_tests(document: Document) -> Imported:
    """A file of tests: a list of mappings with `vars` and `assert`. Raises as `inputs_from_config` does."""
    return _Reader(document).config({"tests": document.value}, root=())


class _Reader:
    def __init__(self, document: Document) -> None:
        self._document = document
        self._checks = CheckReader()
        self._left_out = self._checks.left_out
        self._notes: dict[str, None] = {}

    def config(self, config: Mapping[str, Any], root: Path = ("tests",)) -> Imported:
        for name in config:
            if name not in ("prompts", "tests", "scenarios", "defaultTest", "description", "sharing", "$schema"):
                self._leave(name, config[name], (name,))
        variants = self._variants(config.get("prompts"))
        defaults = self._defaults(config.get("defaultTest"))
        tests = [*self._tests(config.get("tests"), root), *self._scenarios(config.get("scenarios"))]
        expanded = list(self._expanded(tests, defaults))
        for_all = not any(test.without_defaults for test, _ in expanded)
        names = list(dict.fromkeys(name for _, values in expanded for name in values))
        shared = self._shared(defaults, [values for _, values in expanded]) if for_all else ()
        inputs = tuple(self._row(test, values, defaults, for_all) for test, values in expanded)
        columns = [(f"prompt {variant.name}", "a variant") for variant in variants]
        columns += [(name, "the row's description" if name == DESCRIPTION else _becomes(name)) for name in names]
        columns += [(check.line, "a check for all rows") for check in shared]
        return Imported(
            kind="promptfoo configuration" if root else "promptfoo tests",
            inputs=inputs,
            variants=variants,
            checks=shared,
            threshold=defaults.threshold,
            columns=tuple(columns[:MAX_COLUMNS]),
            notes=tuple(self._notes),
            left_out=tuple(self._left_out),
        )

    def _leave(self, name: str, value: object, path: Path) -> None:
        """List a field that is not taken over, unless it says nothing."""
        if value is None or value == {} or value == []:
            return
        shown = short(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 80)
        reason = _REASONS.get(name, "There is nothing like it here.")
        self._left_out.append(LeftOut(self._document.where(path), f"{short(name)} ({shown}): {reason}"))

    def _variants(self, prompts: object) -> tuple[Variant, ...]:
        variants: list[Variant] = []
        for number, prompt in enumerate(prompts if isinstance(prompts, list) else [prompts]):
            path: Path = ("prompts", number) if isinstance(prompts, list) else ("prompts",)
            if prompt is None:
                continue
            try:
                variant, notes = variant_from(prompt)
            except InvalidInput as error:
                self._left_out.append(LeftOut(self._document.where(path), str(error)))
                continue
            variants.append(replace(variant, name=variant.name or f"Prompt {len(variants) + 1}"))
            self._notes |= dict.fromkeys(f"{self._document.where(path)}: {note}" for note in notes)
        return tuple(variants)

    def _defaults(self, data: object) -> _Test:
        test = self._test(data, ("defaultTest",)) if data is not None else None
        return test or _Test(("defaultTest",), {})

    def _tests(self, data: object, path: Path) -> Iterator[_Test]:
        for number, entry in enumerate(data if isinstance(data, list) else [data]):
            place: Path = (*path, number) if isinstance(data, list) else path
            test = self._test(entry, place) if entry is not None else None
            if test is not None:
                yield test

    def _scenarios(self, data: object) -> Iterator[_Test]:
        """Every configuration of a scenario with every one of its tests; those of the tests win."""
        for number, scenario in enumerate(data if isinstance(data, list) else []):
            path: Path = ("scenarios", number)
            if not isinstance(scenario, Mapping):
                self._left_out.append(LeftOut(self._document.where(path), _no_table(scenario)))
                continue
            for name in set(scenario) - {"config", "tests", "description"}:
                self._leave(name, scenario[name], (*path, name))
            configs = list(self._tests(scenario.get("config"), (*path, "config"))) or [_Test(path, {})]
            tests = list(self._tests(scenario.get("tests"), (*path, "tests"))) or [_Test(path, {})]
            self._check_count(len(configs) * len(tests))
            for config, test in product(configs, tests):
                yield _merged(config, test)

    def _test(self, data: object, path: Path) -> _Test | None:
        if not isinstance(data, Mapping):
            self._left_out.append(LeftOut(self._document.where(path), _no_table(data)))
            return None
        options = data.get("options")
        options = options if isinstance(options, Mapping) else {}
        known = {"vars", "assert", "description", "threshold", "options"}
        for name in data:
            if name not in known:
                self._leave(name, data[name], (*path, name))
        for name in options:
            if name not in ("disableDefaultAsserts", "disableVarExpansion"):
                self._leave(name, options[name], (*path, "options", name))
        values = self._vars(data.get("vars"), (*path, "vars"))
        if options.get("disableVarExpansion"):
            values = {name: text_of(value) for name, value in values.items()}
        return _Test(
            path=path,
            vars=values,
            own=list(flattened(data.get("assert"), (*path, "assert"))),
            description=text_of(data.get("description"))[:MAX_NAME],
            threshold=self._threshold(data.get("threshold"), (*path, "threshold")),
            without_defaults=bool(options.get("disableDefaultAsserts")),
        )

    def _vars(self, data: object, path: Path) -> dict[str, Any]:
        if data is None:
            return {}
        if not isinstance(data, Mapping):
            self._left_out.append(LeftOut(self._document.where(path), _no_table(data)))
            return {}
        values: dict[str, Any] = {}
        for name, value in data.items():
            refused = next((one for one in _flat(value) if _outside(one)), None)
            if len(name) > MAX_NAME:
                raise InvalidInput(f"A variable has a name of over {MAX_NAME} characters; shorten it.")
            if refused is not None:
                reason = "Files, packages and environment variables are not read; put the value itself there."
                self._left_out.append(LeftOut(self._document.where((*path, name)), f"{short(str(refused))}: {reason}"))
                values[name] = ""
                continue
            if isinstance(value, Mapping):
                self._notes[f"The value of '{short(name)}' is a structure; it is taken as JSON text."] = None
            values[name] = value
        return values

    def _threshold(self, value: object, path: Path) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            self._left_out.append(LeftOut(self._document.where(path), "A threshold is a number from 0 to 1."))
            return None
        return float(value)

    def _expanded(self, tests: Sequence[_Test], defaults: _Test) -> Iterator[tuple[_Test, dict[str, str]]]:
        """Every test with the defaults' values under its own; a list of values makes a row of each, as promptfoo
        does."""
        total = 0
        for test in tests:
            values = {**defaults.vars, **test.vars}
            if len(values) > MAX_COLUMNS:
                raise InvalidInput(f"A test has {len(values)} variables; at most {MAX_COLUMNS} are taken.")
            choices = [value if isinstance(value, list) else [value] for value in values.values()]
            rows = 1
            for choice in choices:
                rows *= max(1, len(choice))
                self._check_count(total + rows)
            total += rows
            if rows > 1:
                self._notes["Lists of values make one row of each combination, as in promptfoo."] = None
            for chosen in product(*(choice or [""] for choice in choices)):
                yield test, dict(zip(values, map(text_of, chosen), strict=True))

    def _check_count(self, rows: int) -> None:
        if rows > MAX_ROWS:
            raise InvalidInput(f"The file makes more than {MAX_ROWS:,} rows; use a part of it.")

    def _shared(self, defaults: _Test, rows: Sequence[Mapping[str, str]]) -> tuple[Check, ...]:
        """The defaults' checks. A variable is filled in from the first row that can."""
        values = {name: value for row in reversed(rows) for name, value in row.items()}
        return tuple(self._read(defaults.own, values))

    def _row(self, test: _Test, values: dict[str, str], defaults: _Test, for_all: bool) -> Input:
        asserted = test.own if for_all or test.without_defaults else [*defaults.own, *test.own]
        described = {DESCRIPTION: test.description} if test.description else {}
        return Input(values=values | described, checks=tuple(self._read(asserted, values)), threshold=test.threshold)

    def _read(self, asserted: Sequence[tuple[Path, Any]], values: Mapping[str, str]) -> Iterator[Check]:
        for path, assertion in asserted:
            where = self._document.where(path)
            try:
                check, notes = check_from(assertion)
            except InvalidInput as error:
                self._list_once(LeftOut(where, str(error)))
                continue
            self._notes |= dict.fromkeys(f"{where}: {note}" for note in notes)
            if self._checks.readable(check.line, values, where):
                yield check

    def _list_once(self, entry: LeftOut) -> None:
        if entry not in self._left_out[-5:]:  # one assertion stands in each row that a test makes
            self._left_out.append(entry)


def _merged(config: _Test, test: _Test) -> _Test:
    return _Test(
        path=test.path,
        vars={**config.vars, **test.vars},
        own=[*config.own, *test.own],
        description=" ".join(filter(None, (config.description, test.description)))[:MAX_NAME],
        threshold=config.threshold if test.threshold is None else test.threshold,
        without_defaults=config.without_defaults or test.without_defaults,
    )


def _flat(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _outside(value: object) -> bool:
    """Whether promptfoo would read a value from elsewhere."""
    return (
        isinstance(value, str) and re.match(r"\s*(file|package|https?|env)://\S+\s*$|.*\{\{\s*env\.", value) is not None
    )


def _no_table(value: object) -> str:
    shown = short(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 80)
    if isinstance(value, str):
        return f"'{shown}' names a file, which is not read; import that file by itself, or paste it."
    return f"'{shown}' is no mapping of fields; it is not taken over."


def _becomes(name: str) -> str:
    return f"variable {{{{{name}}}}}" if usable(name) else "a value that no prompt can name"
