"""A promptfoo configuration, or its file of tests, as rows, variants and checks.

Source: promptfoo 0.121, site/docs/configuration/reference and src/util/config. Prompts become variants, tests rows,
the assertions of defaultTest checks for all rows. What reads files, executes something or asks a model is listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.errors import InvalidInput
from core.exchange.documents import Document, Path
from core.exchange.inputs.columns import usable
from core.exchange.inputs.imported import DESCRIPTION, MAX_COLUMNS, Imported
from core.exchange.inputs.promptfoo_tests import CaseReader, Findings, Test
from core.exchange.inputs.variants import variant_from
from core.types import Check, Input, Variant

CONFIG_FIELDS = ("prompts", "tests", "scenarios", "defaultTest", "providers", "targets")


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
        self._findings = Findings(document)
        self._tests = CaseReader(self._findings)

    def config(self, config: Mapping[str, Any], root: Path = ("tests",)) -> Imported:
        for name in config:
            if name not in ("prompts", "tests", "scenarios", "defaultTest", "assertionTemplates", "$schema"):
                self._findings.leave_field(name, config[name], (name,))
        variants = self._variants(config.get("prompts"))
        defaults = self._tests.defaults(config.get("defaultTest"))
        tests = [*self._tests.tests(config.get("tests"), root), *self._tests.scenarios(config.get("scenarios"))]
        expanded = list(self._tests.expanded(tests, defaults))
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
            notes=tuple(self._findings.notes),
            left_out=tuple(self._findings.left_out),
        )

    def _variants(self, prompts: object) -> tuple[Variant, ...]:
        variants: list[Variant] = []
        for number, prompt in enumerate(prompts if isinstance(prompts, list) else [prompts]):
            path: Path = ("prompts", number) if isinstance(prompts, list) else ("prompts",)
            if prompt is None:
                continue
            try:
                variant, notes = variant_from(prompt)
            except InvalidInput as error:
                self._findings.leave_out(path, str(error))
                continue
            variants.append(replace(variant, name=variant.name or f"Prompt {len(variants) + 1}"))
            for note in notes:
                self._findings.note(path, note)
        return tuple(variants)

    def _shared(self, defaults: Test, rows: Sequence[Mapping[str, str]]) -> tuple[Check, ...]:
        """The defaults' checks. A variable is filled in from the first row that can."""
        values = {name: value for row in reversed(rows) for name, value in row.items()}
        return tuple(self._findings.checks(defaults.own, values))

    def _row(self, test: Test, values: dict[str, str], defaults: Test, for_all: bool) -> Input:
        asserted = test.own if for_all or test.without_defaults else [*defaults.own, *test.own]
        described = {DESCRIPTION: test.description} if test.description else {}
        return Input(
            values=values | described,
            checks=tuple(self._findings.checks(asserted, values)),
            group=test.group,
            threshold=test.threshold,
        )


def _becomes(name: str) -> str:
    return f"variable {{{{{name}}}}}" if usable(name) else "a value that no prompt can name"
