"""Whether one answer passes the checks of its input. Pure: no model is asked, nothing is kept."""

from __future__ import annotations

from functools import lru_cache

from core import catalog, checks, code_completion, prompts
from core.checks import CheckResult
from core.errors import InvalidInput, UnknownModel
from core.experiment.grid import GridCell
from core.text import clean
from core.types import Cell, CellResult, Experiment, Input, Modality


def check_lines(row: Input) -> tuple[str, ...]:
    """The row's checks with its own values in place of their {{variables}}; blank lines are left out.

    Raises:
        TemplateError: a line names a variable that the row lacks, or cannot be read.
    """
    return tuple(_filled(line, row) for line in row.checks if line.strip())


def grade(experiment: Experiment, where: Cell | GridCell, result: CellResult) -> tuple[CheckResult, ...]:
    """One verdict for each check of the cell's input, in order; the answer passes when all do. () without checks.

    A check that cannot be read fails and says why: `plan` has refused it before anything ran.
    """
    if not 0 <= where.input < len(experiment.inputs):
        return ()
    row, images = experiment.inputs[where.input], drawn(result)
    if images:  # which are too large to be kept; what is seen in them is kept by core.checks
        return tuple(_verdict(line, row, answer(result), images) for line in row.checks if line.strip())
    if heard(result):
        lines = [line.strip() for line in row.checks if line.strip()]
        return tuple(CheckResult(line, False, "no check listens; the answer is sound") for line in lines)
    return _judged(row.checks, tuple(row.values.items()), reply(experiment, where, result))


def reply(experiment: Experiment, where: Cell | GridCell, result: CellResult) -> str:
    """What is judged and shown as the answer: of a code model its prompt with what it wrote, up to the end of the
    definition, as on the Code page; of any other its text."""
    written = answer(result)
    if not written or not _codes(where.model) or not 0 <= where.variant < len(experiment.variants):
        return written
    variant, row = experiment.variants[where.variant], experiment.inputs[where.input]
    return _continued(variant.system, variant.user, tuple(row.values.items()), experiment.answer_prefix, written)


@lru_cache(maxsize=2048)
def _continued(system: str, user: str, values: tuple[tuple[str, str], ...], prefix: str, written: str) -> str:
    try:
        parts = [clean(prompts.render(part, dict(values))) for part in (system, user) if part.strip()]
    except InvalidInput:  # a run of before that cannot be rendered any more
        return written
    return code_completion.shown("\n\n".join(parts), prefix + written)


def _codes(model: str) -> bool:
    try:
        return catalog.spec(model).modality is Modality.CODE
    except UnknownModel:
        return False


@lru_cache(maxsize=2048)
def _judged(lines: tuple[str, ...], values: tuple[tuple[str, str], ...], text: str) -> tuple[CheckResult, ...]:
    """Kept, because a page that watches a run judges each of its answers again at every look."""
    row = Input(values=dict(values), checks=lines)
    return tuple(_verdict(line, row, text) for line in lines if line.strip())


def answer(result: CellResult) -> str:
    """The text of a result: the finished output's where there is one, else what has come so far."""
    return result.text if result.output is None else result.output.text


def drawn(result: CellResult) -> tuple[bytes, ...]:
    """The images of a result: what the finished output holds."""
    return () if result.output is None else result.output.images


def heard(result: CellResult) -> bytes:
    """The sound of a result, a WAV file; b"" where there is none."""
    return b"" if result.output is None else result.output.audio


def _verdict(line: str, row: Input, text: str, images: tuple[bytes, ...] = ()) -> CheckResult:
    try:
        return checks.check(_filled(line, row), text, images)
    except InvalidInput as error:
        return CheckResult(check=line.strip(), passed=False, reason=str(error))


def _filled(line: str, row: Input) -> str:
    return prompts.render(line, row.values) if "{{" in line else line
