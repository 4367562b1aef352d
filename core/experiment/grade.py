"""Whether one answer passes the checks of its input. Pure: no model is asked, nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from core import catalog, checks, code_completion, prompts
from core.checks import CheckResult
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


def grade(experiment: Experiment, where: Cell | GridCell, result: CellResult) -> tuple[CheckResult, ...]:
    """The outcome of each check of the cell's input, in the order of `checks_of`; () without checks.

    A check that cannot be read fails and says why: `plan` has refused it before anything ran.
    """
    if not 0 <= where.input < len(experiment.inputs):
        return ()
    row, images = experiment.inputs[where.input], drawn(result)
    lines = tuple(check.line for check in checks_of(experiment, row))
    if images:  # which are too large to be kept; what is seen in them is kept by core.checks
        return tuple(_outcome(line, row, answer(result), images) for line in lines)
    if heard(result):
        return tuple(CheckResult(line.strip(), False, "no check listens; the answer is sound") for line in lines)
    return _graded(lines, tuple(row.values.items()), reply(experiment, where, result))


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


@lru_cache(maxsize=2048)
def _graded(lines: tuple[str, ...], values: tuple[tuple[str, str], ...], text: str) -> tuple[CheckResult, ...]:
    """Kept, because a page that watches a run grades each of its answers again at every look."""
    row = Input(values=dict(values))
    return tuple(_outcome(line, row, text) for line in lines)


def answer(result: CellResult) -> str:
    """The text of a result: the finished output's where there is one, else what has come so far."""
    return result.text if result.output is None else result.output.text


def drawn(result: CellResult) -> tuple[bytes, ...]:
    """The images of a result: what the finished output holds."""
    return () if result.output is None else result.output.images


def heard(result: CellResult) -> bytes:
    """The sound of a result, a WAV file; b"" where there is none."""
    return b"" if result.output is None else result.output.audio


def _outcome(line: str, row: Input, text: str, images: tuple[bytes, ...] = ()) -> CheckResult:
    try:
        return checks.check(_filled(line, row), text, images)
    except InvalidInput as error:
        return CheckResult(check=line.strip(), passed=False, reason=str(error))


def _filled(line: str, row: Input) -> str:
    return prompts.render(line, row.values) if "{{" in line else line
