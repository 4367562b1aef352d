"""What the answers of an experiment say: verdicts per cell, and a pass rate with its interval per variant.

Knows neither where answers come from nor how a table is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from core import catalog, checks, code_completion, prompts, stats
from core.checks import CheckResult
from core.errors import InvalidInput, UnknownModel
from core.experiment.recipe import Experiment, Input, Place, places
from core.types import Cell, CellResult, Modality, State


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantSummary:
    """One variant on one model.

    `cells` are planned; `done` have answered; `failed` ended in an error or a timeout; `judged` are done and have
    checks; `passed` satisfy all of them. `rate` is passed/judged, None where nothing is judged; `low` and `high` are
    its Wilson 95 % interval, 0..1. The means are over done cells: seconds per answer (a whole batch's time, where it
    was one of several) and generated tokens; None where nothing is done.
    """

    variant: int
    model: str
    cells: int
    done: int
    failed: int
    passed: int
    judged: int
    low: float
    high: float
    rate: float | None
    mean_seconds: float | None
    mean_tokens: float | None


def check_lines(row: Input) -> tuple[str, ...]:
    """The row's checks with its own values in place of their {{variables}}; blank lines are left out.

    Raises:
        TemplateError: a line names a variable that the row lacks, or cannot be read.
    """
    return tuple(_filled(line, row) for line in row.checks if line.strip())


def grade(experiment: Experiment, where: Cell | Place, result: CellResult) -> tuple[CheckResult, ...]:
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


def reply(experiment: Experiment, where: Cell | Place, result: CellResult) -> str:
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
        parts = [prompts.clean(prompts.render(part, dict(values))) for part in (system, user) if part.strip()]
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


def summary(
    experiment: Experiment, results: Mapping[int, CellResult] | Sequence[CellResult]
) -> tuple[VariantSummary, ...]:
    """One row per variant and model, in the order of the models, then of the variants.

    Args:
        results: what is known of the cells, by cell index or in any order; missing ones count as not done.
    """
    known = results if isinstance(results, Mapping) else {result.index: result for result in results}
    rows: dict[tuple[str, int], list[tuple[Place, CellResult | None]]] = {}
    for place in places(experiment):
        rows.setdefault((place.model, place.variant), []).append((place, known.get(place.index)))
    return tuple(_row(experiment, model, variant, cells) for (model, variant), cells in rows.items())


def _row(
    experiment: Experiment, model: str, variant: int, cells: Sequence[tuple[Place, CellResult | None]]
) -> VariantSummary:
    done = [(place, result) for place, result in cells if result is not None and result.state is State.DONE]
    outputs = [result.output for _, result in done if result.output is not None]
    found = [grade(experiment, place, result) for place, result in done]
    judged = [all(verdict.passed for verdict in one) for one in found if one]
    low, high = stats.wilson(sum(judged), len(judged))
    return VariantSummary(
        variant=variant,
        model=model,
        cells=len(cells),
        done=len(done),
        failed=sum(result is not None and result.state in (State.FAILED, State.TIMEOUT) for _, result in cells),
        passed=sum(judged),
        judged=len(judged),
        low=low,
        high=high,
        rate=sum(judged) / len(judged) if judged else None,
        mean_seconds=_mean([output.seconds for output in outputs]),
        mean_tokens=_mean([output.output_tokens for output in outputs]),
    )


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


def _mean(numbers: Sequence[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None
