"""Whether one answer passes the checks of its input. No model is called; outcomes are cached by content."""

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
from core.types import Cell, CellResult, Check, Experiment, Input, Modality, State, Variant


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
    experiment: Experiment, cell: Cell | GridCell, result: CellResult, *, budget: Budget | None = None
) -> tuple[CheckResult, ...]:
    """The outcome of each check of the cell's input, in the order of `checks_of`; () without checks.

    An empty answer passes no check, not even one that an empty text would: a model that writes nothing has not kept a
    word out of its answer. A check that cannot be read fails with a reason, although `plan` refuses it before a run. So
    does a check that takes too long (core.checks.budget); all checks of an experiment share one budget.

    Args:
        budget: a further limit on their time, such as that of the run's owner.
    """
    if not 0 <= cell.input < len(experiment.inputs):
        return ()
    row = experiment.inputs[cell.input]
    lines = tuple(check.line.strip() for check in checks_of(experiment, row))
    if empty(result):
        return tuple(CheckResult(line, False, _EMPTY) for line in lines)
    images, sound = images_of(result), audio_of(result)
    text = answer(result) if images or sound else reply(experiment, cell, result)
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


def reply(experiment: Experiment, cell: Cell | GridCell, result: CellResult) -> str:
    """The text that is graded and shown: for a code model the prompt with its completion, up to the end of the
    definition, as on the Code page; for any other the answer's text."""
    written = answer(result)
    if not written or not _codes(cell.model) or not 0 <= cell.variant < len(experiment.variants):
        return written
    row = experiment.inputs[cell.input]
    return _continued(experiment.variants[cell.variant], tuple(row.values.items()), experiment.answer_prefix, written)


@lru_cache(maxsize=2048)
def _continued(variant: Variant, values: tuple[tuple[str, str], ...], prefix: str, written: str) -> str:
    try:
        parts = [part for part in rendered(variant, dict(values)) if part.strip()]
    except InvalidInput:  # an older run whose template no longer renders
        return written
    return code_completion.shown("\n\n".join(parts), prefix + written)


def _codes(model: str) -> bool:
    row = catalog.find(model)
    return row is not None and row.modality is Modality.CODE


def answer(result: CellResult) -> str:
    """The text of a result: the finished output's, else the part streamed so far."""
    return result.text if result.output is None else result.output.text


def images_of(result: CellResult) -> tuple[bytes, ...]:
    """The images of a finished result; () where there are none."""
    return () if result.output is None else result.output.images


def audio_of(result: CellResult) -> bytes:
    """The sound of a finished result, a WAV file; b"" where there is none."""
    return b"" if result.output is None else result.output.audio


def empty(result: CellResult) -> bool:
    """Whether a model finished without writing, drawing or sounding anything."""
    return result.state is State.DONE and not (answer(result).strip() or images_of(result) or audio_of(result))


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
    """The budget of all experiments with the same checks, so that grading again continues it."""
    rows = (experiment.checks, *(row.checks for row in experiment.inputs))
    return _BUDGETS.of(tuple(tuple(check.line for check in checks) for checks in rows))


def _digest(file: bytes) -> bytes:
    return hashlib.sha256(file).digest() if file else b""


def _filled(line: str, row: Input) -> str:
    return prompts.render(line, row.values) if "{{" in line else line


_EMPTY = "the answer is empty"
_TOO_MANY = f"not judged: an input has at most {MAX_CHECKS} checks"
_GRADED: Kept[tuple[CheckResult, ...]] = Kept(8192)
_BUDGETS = of_experiments()
