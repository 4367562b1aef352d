"""What the verdict concludes from grades, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.experiment import verdict, verdict_words
from core.experiment.grid import GridCell, grid_cells
from core.types import CellResult, Check, Experiment, Input, Output, State, Variant

Answers = Callable[[GridCell], str]


def experiment(inputs: int = 20, variants: int = 2, **changes: object) -> Experiment:
    made = Experiment(
        page="playground",
        variants=tuple(Variant(name=f"V{number}", user="{{n}}" + "!" * number) for number in range(variants)),
        models=("m",),
        inputs=tuple(Input(values={"n": str(n)}, checks=Check.of("contains:yes")) for n in range(inputs)),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def done(index: int, text: str) -> CellResult:
    output = Output(text=text, finish="stop", prompt_tokens=1, output_tokens=1, seconds=0.1)
    return CellResult(index=index, state=State.DONE, text=text, output=output)


def answered(made: Experiment, answer: Answers) -> dict[int, CellResult]:
    return {cell.index: done(cell.index, answer(cell)) for cell in grid_cells(made)}


def only(*passing: int) -> Answers:
    """Variants of these numbers pass, the others do not."""
    return lambda cell: "yes" if cell.variant in passing else "no"


def say(made: Experiment, results: dict[int, CellResult], baseline: int | None = 0) -> str:
    return verdict_words.sentence(made, verdict(made, results, baseline=baseline))


def test_the_winner_is_named_with_the_paired_difference_and_its_interval() -> None:
    made = experiment(variants=3)
    results = answered(made, only(2))
    decided = verdict(made, results)
    assert [one.outcome for one in decided.comparisons] == ["undecided", "better"]
    assert decided.units == 20
    assert say(made, results).startswith("C · V2 is better than A · V0 by 100 points (95 % interval ")


def test_the_baseline_wins_where_the_others_are_worse() -> None:
    made = experiment(variants=3)
    sentence = say(made, answered(made, only(0)))
    assert sentence.startswith("A · V0 is better than B · V1 by 100 points")
    assert " and C · V2 by 100 points" in sentence


def test_samples_of_one_input_are_not_evidence() -> None:
    """Ten samples of four inputs that all differ are still four inputs."""
    made = experiment(inputs=4, samples=10)
    decided = verdict(made, answered(made, only(1)))
    assert decided.units == 4
    assert [one.outcome for one in decided.comparisons] == ["too few"]
    sentence = say(made, answered(made, only(1)))
    assert sentence.startswith("Too few inputs to crown anyone: 4 inputs, and a verdict needs 15.")
    assert "They differ on rows 1, 2, 3 and 4" in sentence
    assert "11 more inputs would make a verdict possible" in sentence
    assert "better" not in sentence


def test_equal_prompts_have_no_winner() -> None:
    made = experiment(inputs=200)
    sentence = say(made, answered(made, lambda cell: "yes" if cell.input % 2 else "no"))
    assert "are equivalent: the difference is 0 points" in sentence
    few = experiment(inputs=16)
    sentence = say(few, answered(few, lambda cell: "yes" if cell.input % 2 else "no"))
    assert sentence.startswith("Cannot tell yet between A · V0 and B · V1")


def test_before_the_end_nothing_is_decided() -> None:
    made = experiment()
    results = answered(made, only(1))
    del results[0]
    decided = verdict(made, results)
    assert not decided.complete
    assert decided.comparisons == ()
    sentence = say(made, results)
    assert sentence == "So far: A 0%, B 100%. Nothing is decided before the run ends."
    running = results | {0: CellResult(index=0, state=State.RUNNING, text="y")}
    assert say(made, running) == sentence


@pytest.mark.parametrize(
    ("result", "score"),
    [
        (CellResult(index=0, state=State.FAILED, error="x", error_kind="Blocked"), 0.0),
        (CellResult(index=0, state=State.FAILED, error="x", error_kind="PromptTooLong"), 0.0),
        (CellResult(index=0, state=State.FAILED, error="x", error_kind="InvalidInput"), 0.0),
        (CellResult(index=0, state=State.FAILED, error="x", error_kind="Unreachable"), None),
        (CellResult(index=0, state=State.FAILED, error="x", error_kind="WorkerDied"), None),
        (CellResult(index=0, state=State.FAILED, error="x"), None),
        (CellResult(index=0, state=State.TIMEOUT), None),
        (CellResult(index=0, state=State.CANCELLED, text="yes"), None),
        (CellResult(index=0, state=State.INTERRUPTED), None),
        (done(0, "   "), 0.0),
        (done(0, "yes"), 1.0),
        (done(0, "no"), 0.0),
    ],
)
def test_what_counts_as_a_fail_and_what_is_dropped(result: CellResult, score: float | None) -> None:
    made = experiment(inputs=1, variants=1)
    column = verdict(made, [result]).columns[0]
    assert (column.passed, column.judged, column.missing) == ((round(score), 1, 0) if score is not None else (0, 0, 1))


def test_an_empty_answer_fails_even_a_check_that_it_would_pass() -> None:
    made = experiment(inputs=1, variants=1)
    made = replace(made, inputs=(Input(checks=Check.of("not-contains:x")),), variants=(Variant(name="A", user="?"),))
    assert verdict(made, [done(0, "")]).columns[0].passed == 0


def test_dropped_cells_are_dropped_in_pairs_and_said_with_both_bounds() -> None:
    made = experiment()
    results = answered(made, only(1))
    lost = [cell.index for cell in grid_cells(made) if cell.input < 3 and cell.variant == 0]
    results |= {index: CellResult(index=index, state=State.FAILED, error_kind="Unreachable") for index in lost}
    decided = verdict(made, results)
    comparison = decided.comparisons[0]
    assert (comparison.paired.units, comparison.paired.dropped) == (17, 3)
    assert comparison.bounds is not None
    assert comparison.bounds.lowest.difference < comparison.paired.difference
    assert "3 of 20 cells failed on the way or are missing" in verdict_words.notes(decided)[0]


def test_a_few_dropped_cells_need_no_bounds() -> None:
    made = experiment(inputs=40)
    results = answered(made, only(1)) | {0: CellResult(index=0, state=State.FAILED, error_kind="Unreachable")}
    assert verdict(made, results).comparisons[0].bounds is None


def test_doubled_rows_count_once_and_rows_without_checks_not_at_all() -> None:
    made = experiment(inputs=20)
    rows = list(made.inputs)
    rows[6] = rows[2]
    rows[9] = replace(rows[9], checks=())
    made = replace(made, inputs=tuple(rows))
    decided = verdict(made, answered(made, only(1)))
    assert (decided.units, decided.doubled, decided.unchecked) == (18, ((2, 6),), (9,))
    assert verdict_words.notes(decided) == (
        "Rows 3 and 7 are the same and count once.",
        "Row 10 has no check that counts and is left out.",
    )


def test_groups_are_the_unit() -> None:
    made = experiment(inputs=40)
    made = replace(made, inputs=tuple(replace(row, group=f"g{n % 5}") for n, row in enumerate(made.inputs)))
    decided = verdict(made, answered(made, only(1)))
    assert (decided.units, decided.grouped) == (5, True)
    assert [one.outcome for one in decided.comparisons] == ["too few"]


def test_every_pair_compares_every_pair() -> None:
    made = experiment(variants=3)
    decided = verdict(made, answered(made, only(1, 2)), baseline=None)
    assert [(one.baseline, one.other) for one in decided.comparisons] == [(0, 1), (0, 2), (1, 2)]
    assert decided.family == "every pair"
    assert dict(verdict_words.method(made, decided))["Held together by"].startswith("Sidak over 3 comparisons")


def test_more_comparisons_make_wider_intervals() -> None:
    two, six = experiment(variants=2), experiment(variants=6)
    narrow = verdict(two, answered(two, only(1))).comparisons[0].paired.interval.width
    assert verdict(six, answered(six, only(1))).comparisons[0].paired.interval.width > narrow


def test_models_and_settings_are_columns_of_their_own() -> None:
    made = experiment(models=("m", "n"), axes={"temperature": (0, 1.0)}, samples=2)
    decided = verdict(made, answered(made, only(1)))
    assert len(decided.columns) == 8
    names = [verdict_words.name(made, column) for column in decided.columns[:3]]
    assert names == ["A · V0 on m at temperature 0", "A · V0 on m at temperature 1.0", "B · V1 on m at temperature 0"]
    assert decided.interaction is None


def test_prompt_and_model_interact_where_the_better_prompt_depends_on_the_model() -> None:
    made = experiment(models=("m", "n"))
    crossed = answered(made, lambda cell: "yes" if (cell.variant == 1) == (cell.model == "m") else "no")
    decided = verdict(made, crossed)
    assert decided.interaction is not None
    assert decided.interaction.p_value < 0.01
    assert decided.best_by_model == {"m": 1, "n": 2}
    assert (
        "which prompt is better depends on the model" in dict(verdict_words.method(made, decided))["Prompt and model"]
    )


def test_one_column_is_not_compared() -> None:
    made = experiment(variants=1)
    assert "With a second variant there would be something to compare" in say(made, answered(made, only(0)))


def test_nothing_judged_and_nothing_answered_have_a_sentence() -> None:
    made = experiment()
    failed = {cell.index: CellResult(index=cell.index, state=State.TIMEOUT) for cell in grid_cells(made)}
    assert say(made, failed) == "No answer came that could be judged."
    assert say(made, {}) == "Nothing has been judged yet."
    assert say(replace(made, inputs=(Input(),)), {}).startswith("No checks yet")


def test_advice_says_inputs_not_samples_where_inputs_differ() -> None:
    made = experiment(inputs=20, samples=5)
    results = answered(made, lambda cell: "yes" if cell.input % 3 == cell.variant else "no")
    advice = verdict_words.advice(verdict(made, results))
    assert "more inputs would halve the doubt" in advice
    assert "more samples of the same inputs would do almost nothing" in advice


def test_a_margin_of_zero_never_says_equivalent() -> None:
    made = experiment(inputs=300, margin=0.0)
    decided = verdict(made, answered(made, lambda cell: "yes"))
    assert [one.outcome for one in decided.comparisons] == ["undecided"]
