"""promptfoo's test cases: their values, assertions and defaults; lists of values and scenarios make several of one.

Source: promptfoo 0.121, site/docs/configuration/test-cases and scenarios. Knows nothing of prompts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from core import prompts
from core.errors import InvalidInput, TemplateError
from core.exchange.documents import MAX_ROWS, Document, Path, text_of
from core.exchange.inputs.assertions import check_from, flattened
from core.exchange.inputs.check_lines import CheckReader
from core.exchange.inputs.imported import MAX_COLUMNS, MAX_NAME, LeftOut
from core.text import short
from core.types import Check

_REASONS = {
    "description": "It names neither a run nor a row here.",
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
    "metadata": "A row has no metadata here but its group.",
    "evaluateOptions": "Samples and the like are set on the page.",
    "providerOutput": "Answers come from the model here.",
}


@dataclass(slots=True)
class Test:
    """A test case with its defaults merged in; `own` are its assertions without the defaults'."""

    path: Path
    vars: dict[str, Any]
    own: list[tuple[Path, Any]] = field(default_factory=list)
    description: str = ""
    threshold: float | None = None
    group: str = ""
    without_defaults: bool = False


class Findings:
    """What is said of one document: `notes` on what is assumed, `left_out` with its places."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._checks = CheckReader()
        self.left_out = self._checks.left_out
        self.notes: dict[str, None] = {}

    def note(self, path: Path, sentence: str) -> None:
        self.notes[f"{self._document.where(path)}: {sentence}"] = None

    def leave_out(self, path: Path, reason: str) -> None:
        entry = LeftOut(self._document.where(path), reason)
        if entry not in self.left_out[-5:]:  # one assertion stands in each row that a test makes
            self.left_out.append(entry)

    def leave_field(self, name: str, value: object, path: Path) -> None:
        """List a field that is not taken over, unless it says nothing."""
        if value is None or value == {} or value == []:
            return
        shown = short(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 80)
        self.leave_out(path, f"{short(name)} ({shown}): {_REASONS.get(name, 'There is nothing like it here.')}")

    def _referred(self, assertion: object) -> object:
        """The assertion that a `$ref` to a part of the document names; any other as it is."""
        reference = assertion.get("$ref") if isinstance(assertion, Mapping) else None
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return assertion
        part = self._document.value
        for name in reference.removeprefix("#/").split("/"):
            part = part.get(name) if isinstance(part, Mapping) else None
        if part is None:
            raise InvalidInput(f"The reference '{short(reference)}' names nothing in this file.")
        return part

    def checks(self, asserted: Sequence[tuple[Path, Any]], values: Mapping[str, str]) -> Iterator[Check]:
        """The assertions that are checks here; the others are listed."""
        for path, assertion in asserted:
            try:
                check, notes = check_from(self._referred(assertion))
            except InvalidInput as error:
                self.leave_out(path, str(error))
                continue
            for note in notes:
                self.note(path, note)
            if self._checks.readable(check.line, values, self._document.where(path)):
                yield check


class CaseReader:
    """Reads the tests of one document."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings

    def defaults(self, data: object) -> Test:
        test = self._test(data, ("defaultTest",)) if data is not None else None
        return test or Test(("defaultTest",), {})

    def tests(self, data: object, path: Path) -> Iterator[Test]:
        for number, entry in enumerate(data if isinstance(data, list) else [data]):
            place: Path = (*path, number) if isinstance(data, list) else path
            test = self._test(entry, place) if entry is not None else None
            if test is not None:
                yield test

    def scenarios(self, data: object) -> Iterator[Test]:
        """Every configuration of a scenario with every one of its tests; those of the tests win."""
        for number, scenario in enumerate(data if isinstance(data, list) else []):
            path: Path = ("scenarios", number)
            if not isinstance(scenario, Mapping):
                self._findings.leave_out(path, _no_table(scenario))
                continue
            for name in scenario:
                if name not in ("config", "tests"):
                    self._findings.leave_field(name, scenario[name], (*path, name))
            configs = list(self.tests(scenario.get("config"), (*path, "config"))) or [Test(path, {})]
            tests = list(self.tests(scenario.get("tests"), (*path, "tests"))) or [Test(path, {})]
            self._check_count(len(configs) * len(tests))
            for config, test in product(configs, tests):
                yield _merged(config, test)

    def _test(self, data: object, path: Path) -> Test | None:
        if not isinstance(data, Mapping):
            self._findings.leave_out(path, _no_table(data))
            return None
        options = data.get("options")
        options = options if isinstance(options, Mapping) else {}
        known = {"vars", "assert", "description", "threshold", "options"}
        group = _group(data.get("metadata"))
        known |= {"metadata"} if group else set()
        for name in data:
            if name not in known:
                self._findings.leave_field(name, data[name], (*path, name))
        for name in options:
            if name not in ("disableDefaultAsserts", "disableVarExpansion"):
                self._findings.leave_field(name, options[name], (*path, "options", name))
        values = self._vars(data.get("vars"), (*path, "vars"))
        if options.get("disableVarExpansion"):
            values = {name: text_of(value) for name, value in values.items()}
        return Test(
            path=path,
            vars=values,
            own=list(flattened(data.get("assert"), (*path, "assert"))),
            description=text_of(data.get("description"))[:MAX_NAME],
            threshold=self._threshold(data.get("threshold"), (*path, "threshold")),
            group=group,
            without_defaults=bool(options.get("disableDefaultAsserts")),
        )

    def _vars(self, data: object, path: Path) -> dict[str, Any]:
        if data is None:
            return {}
        if not isinstance(data, Mapping):
            self._findings.leave_out(path, _no_table(data))
            return {}
        values: dict[str, Any] = {}
        for name, value in data.items():
            refused = next((one for one in _flat(value) if _outside(one)), None)
            if len(name) > MAX_NAME:
                raise InvalidInput(f"A variable has a name of over {MAX_NAME} characters; shorten it.")
            if refused is not None:
                reason = "Files, packages and environment variables are not read; put the value itself there."
                self._findings.leave_out((*path, name), f"{short(str(refused))}: {reason}")
                values[name] = ""
                continue
            if isinstance(value, Mapping) or (isinstance(value, list) and not _is_choice(value)):
                self._findings.notes[f"The value of '{short(name)}' is a structure; it is taken as JSON text."] = None
            values[name] = value
        return values

    def _threshold(self, value: object, path: Path) -> float | None:
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            self._findings.leave_out(path, "A threshold is a number from 0 to 1.")
            return None
        return float(value)

    def expanded(self, tests: Sequence[Test], defaults: Test) -> Iterator[tuple[Test, dict[str, str]]]:
        """Every test with the defaults' values under its own; a list of values makes a row of each, as promptfoo
        does."""
        total = 0
        for test in tests:
            values = {**defaults.vars, **test.vars}
            if len(values) > MAX_COLUMNS:
                raise InvalidInput(f"A test has {len(values)} variables; at most {MAX_COLUMNS} are taken.")
            choices = [value if _is_choice(value) else [value] for value in values.values()]
            rows = 1
            for choice in choices:
                rows *= len(choice)
                self._check_count(total + rows)
            total += rows
            if rows > 1:
                self._findings.notes["Lists of values make one row of each combination, as in promptfoo."] = None
            for chosen in product(*choices):
                yield test, self._filled(dict(zip(values, map(text_of, chosen), strict=True)), test.path)

    def _filled(self, values: dict[str, str], path: Path) -> dict[str, str]:
        """Values with the variables in them filled in, once, as promptfoo does; what cannot be read stays as it is."""
        filled = {}
        for name, value in values.items():
            filled[name] = value
            if "{{" in value or "{%" in value or "{#" in value:
                try:
                    filled[name] = prompts.render(value, values)
                except TemplateError as error:
                    self._findings.note((*path, "vars", name), f"taken as it is. {error}")
        return filled

    def _check_count(self, rows: int) -> None:
        if rows > MAX_ROWS:
            raise InvalidInput(f"The file makes more than {MAX_ROWS:,} rows; use a part of it.")


def _merged(config: Test, test: Test) -> Test:
    return Test(
        path=test.path,
        vars={**config.vars, **test.vars},
        own=[*config.own, *test.own],
        description=" ".join(filter(None, (config.description, test.description)))[:MAX_NAME],
        threshold=config.threshold if test.threshold is None else test.threshold,
        group=test.group or config.group,
        without_defaults=config.without_defaults or test.without_defaults,
    )


def _group(metadata: object) -> str:
    """The group that a row is of, where its metadata say that and nothing else."""
    group = metadata.get("group") if isinstance(metadata, Mapping) and set(metadata) == {"group"} else ""
    return group if isinstance(group, str) and len(group) <= MAX_NAME else ""


def _is_choice(value: object) -> bool:
    """Whether a value makes a row of each of its items: a list of texts, by its first, as promptfoo decides."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], str)


def _flat(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _outside(value: object) -> bool:
    """Whether promptfoo would read a value from elsewhere."""
    return isinstance(value, str) and re.match(r"\s*(file|package|env)://\S+\s*$|.*\{\{\s*env\.", value) is not None


def _no_table(value: object) -> str:
    shown = short(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), 80)
    if isinstance(value, str):
        return f"'{shown}' names a file, which is not read; import that file by itself, or paste it."
    return f"'{shown}' is no mapping of fields; it is not taken over."
