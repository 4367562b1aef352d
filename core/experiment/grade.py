"""Whether one answer passes the checks of its input. No model is asked; outcomes are kept by their content alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache

from core import catalog, checks, code_completion, prompts
from core.checks import MAX_CHECKS, Budget, CheckResult
from core.checks.budget import CELL_SECONDS, of_experiments
from core.checks.kept import Kept
from core.errors import InvalidInput
from core.experiment.grid import GridCell
from core.experiment.rendering import rendered
from core.types import Cell, CellResult, Check, Experiment, Input, Modality, Variant


def checks_of(experiment: Experiment, row: Input) -> tuple[Check, ...]:
    """The checks for all rows, then the row's own; blank lines are left out."""
    return tuple(check for check in (*experiment.checks, *row.checks) if check.line.strip())


def check_lines(experiment: Experiment, row: Input) -> tuple[str, ...]:
    """The lines of `checks_of` with the row's values in place of their {{variables}}.

    Raises:
        TemplateError: a line names a variable that the row lacks, or cannot be read.
    """
    return tuple(_filled(check.line, row) for check in checks_of(experiment, row))


def grade(
    experiment: Experiment, where: Cell | GridCell, result: CellResult, *, budget: Budget | None = None
) -> tuple[CheckResult, ...]:
    """The outcome of each check of the cell's input, in the order of `checks_of`; () without checks.

    A check that cannot be read fails and says why: `plan` has refused it before anything ran. So does one that takes
    too long (core.checks.budget); the checks of an experiment have their time in all, whoever asks.

    Args:
        budget: further time that they may take in all, such as that of the run's owner.
    """
    if not 0 <= where.input < len(experiment.inputs):
        return ()
    row = experiment.inputs[where.input]
    lines = tuple(check.line.strip() for check in checks_of(experiment, row))
    images, sound = drawn(result), heard(result)
    text = answer(result) if images or sound else reply(experiment, where, result)
    key = (lines, tuple(row.values.items()), text, tuple(map(_digest, images)), _digest(sound))
    outcomes = _GRADED.get(key)
    if outcomes is None:
        parents = [_budget_of(experiment), *([] if budget is None else [budget])]
        allowed = Budget(CELL_SECONDS, "this answer", *parents)
        outcomes = tuple(_outcome(line, row, text, images, sound, allowed) for line in lines[:MAX_CHECKS])
        outcomes += tuple(CheckResult(line, False, _TOO_MANY, judged=False) for line in lines[MAX_CHECKS:])
        if all(outcome.final for outcome in outcomes):
            _GRADED.put(key, outcomes)
    return outcomes


def passes(experiment: Experiment, row: Input, outcomes: Sequence[CheckResult]) -> bool | None:
    """Whether an answer with these outcomes of `grade` passes; None where nothing counts.

    Without a threshold every check that has a weight must pass; with one, the score must reach it.
    """
    threshold = experiment.threshold if row.threshold is None else row.threshold
    graded = score(experiment, row, outcomes)
    if graded is None:
        return None
    return graded >= (1.0 if threshold is None else threshold) - _ROUNDING


def score(experiment: Experiment, row: Input, outcomes: Sequence[CheckResult]) -> float | None:
    """The weighted share of the checks that pass, 0 to 1; None where no check has a weight."""
    weights = [check.weight for check in checks_of(experiment, row)]
    counted = [(weight, outcome.passed) for weight, outcome in zip(weights, outcomes, strict=False) if weight > 0]
    total = sum(weight for weight, _ in counted)
    return sum(weight for weight, passed in counted if passed) / total if total else None


_ROUNDING = 1e-9


def reply(experiment: Experiment, where: Cell | GridCell, result: CellResult) -> str:
    """What is judged and shown as the answer: of a code model its prompt with what it wrote, up to the end of the
    definition, as on the Code page; of any other its text."""
    written = answer(result)
    if not written or not _codes(where.model) or not 0 <= where.variant < len(experiment.variants):
        return written
    row = experiment.inputs[where.input]
    return _continued(experiment.variants[where.variant], tuple(row.values.items()), experiment.answer_prefix, written)


@lru_cache(maxsize=2048)
def _continued(variant: Variant, values: tuple[tuple[str, str], ...], prefix: str, written: str) -> str:
    try:
        parts = [part for part in rendered(variant, dict(values)) if part.strip()]
    except InvalidInput:  # a run of before that cannot be rendered any more
        return written
    return code_completion.shown("\n\n".join(parts), prefix + written)


def _codes(model: str) -> bool:
    row = catalog.find(model)
    return row is not None and row.modality is Modality.CODE


def answer(result: CellResult) -> str:
    """The text of a result: the finished output's where there is one, else what has come so far."""
    return result.text if result.output is None else result.output.text


def drawn(result: CellResult) -> tuple[bytes, ...]:
    """The images of a result: what the finished output holds."""
    return () if result.output is None else result.output.images


def heard(result: CellResult) -> bytes:
    """The sound of a result, a WAV file; b"" where there is none."""
    return b"" if result.output is None else result.output.audio


def _outcome(line: str, row: Input, text: str, images: tuple[bytes, ...], sound: bytes, budget: Budget) -> CheckResult:
    if budget.left() <= 0:
        shortest = budget.shortest()
        return CheckResult(line, False, shortest.reason, judged=False, final=not shortest.refills)
    try:
        with budget.timed():
            filled = _filled(line, row)
        return checks.check(filled, text, images, sound, budget=budget)
    except InvalidInput as error:
        return CheckResult(line, False, str(error), judged=False)


def _budget_of(experiment: Experiment) -> Budget:
    """One for all experiments with the same checks, so that it lasts from look to look."""
    rows = (experiment.checks, *(row.checks for row in experiment.inputs))
    return _BUDGETS.of(tuple(tuple(check.line for check in checks) for checks in rows))


def _digest(file: bytes) -> bytes:
    return hashlib.sha256(file).digest() if file else b""


def _filled(line: str, row: Input) -> str:
    return prompts.render(line, row.values) if "{{" in line else line


_TOO_MANY = f"not judged: an input has at most {MAX_CHECKS} checks"
_GRADED: Kept[tuple[CheckResult, ...]] = Kept(2048)
_BUDGETS = of_experiments()
