"""Plan, run, estimate, judge, summary, and the dictionary form."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import CheckError, DiptychError, InvalidInput, TemplateError
from core.experiment import (
    Experiment,
    Input,
    Variant,
    effective_samples,
    estimate,
    from_dict,
    grade,
    plan,
    readable_names,
    run,
    sentence,
    summary,
    to_dict,
    unit,
    variable_names,
)
from core.experiment.grade import passes, reply
from core.experiment.grid import grid_cells, settings
from core.types import CellResult, Check, EarlierMessage, Message, Output, State
from tests.support import fakes


def experiment(**changes: Any) -> Experiment:
    made: dict[str, Any] = {
        "page": "playground",
        "variants": (Variant(name="A", user="What is {{sum}}?"), Variant(name="B", user="{{sum}}=", system="Add.")),
        "models": ("tiny-text",),
        "inputs": (
            Input(values={"sum": "1+1"}, checks=Check.of("contains:2")),
            Input(values={"sum": "2+2"}, checks=Check.of("contains:4", "max-words:{{limit}}")),
        ),
        "samples": 3,
        "parameters": {"temperature": 0.7, "max_new_tokens": 10},
        "seed": 7,
    }
    made["inputs"] = tuple(Input(values={"limit": "3", **row.values}, checks=row.checks) for row in made["inputs"])
    return Experiment(**(made | changes))


def one(user: str = "Hi", **changes: Any) -> Experiment:
    return Experiment(**({"page": "text", "variants": (Variant(name="A", user=user),), "models": ("m",)} | changes))


def done(index: int, text: str, tokens: int = 4, seconds: float = 2.0) -> CellResult:
    output = Output(text=text, finish="stop", prompt_tokens=1, output_tokens=tokens, seconds=seconds)
    return CellResult(index=index, state=State.DONE, output=output)


# Plan.


def test_the_plan_is_the_whole_grid_models_together_and_filled_evenly() -> None:
    cells = plan(experiment(models=("tiny-text", "gpt2")))
    assert [cell.index for cell in cells] == list(range(24))
    assert [cell.model for cell in cells] == ["tiny-text"] * 12 + ["gpt2"] * 12
    assert [(cell.sample, cell.input, cell.variant) for cell in cells[:5]] == [
        (0, 0, 0),
        (0, 0, 1),
        (0, 1, 0),
        (0, 1, 1),
        (1, 0, 0),
    ]
    assert len({(cell.model, cell.variant, cell.input, cell.sample) for cell in cells}) == 24


def test_sample_k_has_the_same_seed_everywhere() -> None:
    assert {(cell.sample, cell.request.seed) for cell in plan(experiment())} == {(0, 7), (1, 8), (2, 9)}


def test_listed_seeds_are_those_of_the_samples_in_order() -> None:
    cells = plan(experiment(seeds=(99, 1, 5)))
    assert {(cell.sample, cell.request.seed) for cell in cells} == {(0, 99), (1, 1), (2, 5)}


@pytest.mark.parametrize(
    ("seeds", "told"),
    [
        ((1, 2), "There are 2 seeds for 3 samples"),
        ((1, 2, 1), "The seed 1 is listed twice"),
        ((1, 2, -3), "Every seed must be a whole number from 0"),
        ((1, 2, 2**63), "Every seed must be a whole number from 0"),
    ],
)
def test_a_list_of_seeds_fits_the_samples(seeds: tuple[int, ...], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        plan(experiment(seeds=seeds))


def test_seeds_count_on_from_zero_past_the_largest() -> None:
    cells = plan(one(samples=2, seed=2**63 - 1))
    assert [cell.request.seed for cell in cells] == [2**63 - 1, 0]


@pytest.mark.parametrize(("temperature", "samples"), [(0, 1), (0.0, 1), (0.1, 3), (None, 3)])
def test_greedy_decoding_runs_one_sample(temperature: float | None, samples: int) -> None:
    changed = experiment(parameters={} if temperature is None else {"temperature": temperature})
    assert effective_samples(changed) == samples
    assert len(plan(changed)) == 4 * samples


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({}, (Message("user", "Hi"),)),
        ({"variants": (Variant(name="A", user="Hi", system=" \n"),)}, (Message("user", "Hi"),)),
        (
            {"variants": (Variant(name="A", user="Hi", system="Be brief."),), "answer_prefix": "Well,"},
            (Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Well,")),
        ),
        ({"answer_prefix": " there", "chat": False}, (Message("user", "Hi"), Message("assistant", " there"))),
        ({"variants": (Variant(name="A", user="a\r\nb\x00\ud800\n"),)}, (Message("user", "a\nb?\n"),)),
    ],
)
def test_messages(changes: dict[str, Any], messages: tuple[Message, ...]) -> None:
    request = plan(one(**changes))[0].request
    assert request.messages == messages
    assert request.chat is changes.get("chat", True)


@pytest.mark.parametrize(
    ("changes", "kind", "told"),
    [
        ({"variants": ()}, InvalidInput, "at least one variant"),
        ({"models": ()}, InvalidInput, "at least one model"),
        ({"inputs": ()}, InvalidInput, "at least one input"),
        ({"variants": (Variant(name=" ", user="x"),)}, InvalidInput, "name of variant 1 is empty"),
        (
            {"variants": (Variant(name="A", user="x"), Variant(name="A ", user="y"))},
            InvalidInput,
            "two variants called",
        ),
        ({"models": ("m", "m")}, InvalidInput, "two models called 'm'"),
        ({"models": ("",)}, InvalidInput, "name of model 1 is empty"),
        ({"samples": 0}, InvalidInput, "samples must be a whole number from 1 to 50"),
        ({"samples": 51}, InvalidInput, "from 1 to 50"),
        ({"samples": True}, InvalidInput, "from 1 to 50"),
        ({"samples": 2.0}, InvalidInput, "from 1 to 50"),
        ({"seed": -1}, InvalidInput, "seed must be"),
        ({"seed": 2**63}, InvalidInput, "seed must be"),
        ({"variants": (Variant(name="A", user=""),)}, InvalidInput, "Row 1, variant 'A': The prompt is empty"),
        ({"variants": (Variant(name="A", user="\x00 \n"),)}, InvalidInput, "The prompt is empty"),
        (
            {"variants": (Variant(name="A", user="x" * 200_001, literal=True),)},
            InvalidInput,
            "200001 characters; at most 200000",
        ),
        (
            {"variants": (Variant(name="A", user="{{a}} {{b}}"),)},
            TemplateError,
            "Row 1, variant 'A': No value for {{a}}",
        ),
        ({"variants": (Variant(name="A", user="ok\n{{ no"),)}, TemplateError, "Variant 'A': Line 2"),
        (
            {"inputs": (Input(), Input(checks=Check.of("is-jsn")))},
            TemplateError,
            "Row 1, variant 'A': No value for {{sum}}",
        ),
        (
            {"inputs": (Input(values={"sum": "1"}), Input(values={"sum": "1"}, checks=Check.of("", "contians:2")))},
            CheckError,
            "Row 2: There is no check 'contians'",
        ),
        (
            {"inputs": (Input(values={"sum": "1"}, checks=Check.of("{{x}}")),)},
            TemplateError,
            "Row 1: No value for {{x}}",
        ),
        ({"inputs": (Input(values={"sum": "1"}, checks=Check.of("{{x")),)}, TemplateError, "Row 1: Line 1"),
        ({"samples": 50, "inputs": tuple(Input(values={"sum": str(n)}) for n in range(21))}, InvalidInput, "2100 gen"),
        ({"parameters": {"temperature": math.nan}}, InvalidInput, "'temperature' must be a finite number"),
        ({"parameters": {"other": math.inf}, "models": ("unlisted",)}, InvalidInput, "'other' must be a finite"),
        (
            {"parameters": {"temperature": -1}},
            InvalidInput,
            "Temperature must be from 0 to 2; it is -1",
        ),
        ({"parameters": {"temperature": "hot"}}, InvalidInput, "Temperature"),
        ({"parameters": {"temperature": 10**400}}, InvalidInput, "Temperature"),
        ({"parameters": {"max_new_tokens": 0}}, InvalidInput, "must be from 1 to 256; it is 0"),
        ({"parameters": {"max_new_tokens": 1.5}}, InvalidInput, "whole number"),
        ({"parameters": {"max_new_tokens": True}}, InvalidInput, "not bool"),
        ({"parameters": {"max_new_tokens": 10**9}}, InvalidInput, "must be from 1 to 256"),
        ({"parameters": {"max_new_tokens": None}}, InvalidInput, "not NoneType"),
        ({"parameters": {"top_p": 1.1}}, InvalidInput, "Top-p"),
        ({"parameters": {"top_k": -1}}, InvalidInput, "Top-k"),
        ({"parameters": {"stop": 5}}, InvalidInput, "list of texts"),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(
    changes: dict[str, Any], kind: type[DiptychError], told: str
) -> None:
    with pytest.raises(kind) as caught:
        plan(experiment(**changes))
    assert told in str(caught.value)
    assert type(caught.value) is kind


def test_a_single_prompt_has_no_row_to_name() -> None:
    with pytest.raises(InvalidInput, match=r"^The prompt is empty\. Write what to ask\.$"):
        plan(one(" "))


def test_the_limits_are_exact_and_the_deployments_own() -> None:
    assert len(plan(one("x" * 100_000))) == 1
    assert len(plan(one(samples=50), max_cells=50)) == 50
    with pytest.raises(InvalidInput, match="at most 49"):
        plan(one(samples=50), max_cells=49)
    with pytest.raises(InvalidInput, match="at most 3"):
        plan(one("four"), max_prompt_chars=3)


def test_the_prompts_of_a_run_are_bounded_together() -> None:
    rows = tuple(Input(values={"n": str(number)}) for number in range(201))
    variant = Variant(name="A", user="{{n}}" + "x" * 99_990)
    with pytest.raises(InvalidInput, match="characters in all; at most 20,000,000 are run at a time"):
        plan(one(variants=(variant,), inputs=rows))
    assert len(plan(one(variants=(variant,), inputs=rows[:200]))) == 200


def test_an_error_quotes_no_prompt() -> None:
    for user in ("my secret {{", "my secret {{x}}", "my secret" * 30_000):
        with pytest.raises(InvalidInput) as caught:
            plan(one(user))
        assert "secret" not in str(caught.value)


def test_variable_names_of_prompts_then_checks() -> None:
    assert variable_names(experiment()) == ("sum", "limit")
    changed = one("{{b}} {{a}}", inputs=(Input(checks=Check.of("contains:{{c}}", r"regex:\d{2}")),))
    assert variable_names(changed) == ("b", "a", "c")


# Run and estimate.


@pytest.mark.parametrize(
    ("made", "title"),
    [
        (experiment(), "What is {{sum}}? · 2 variants x 2 inputs x 3 samples on tiny-text"),
        (experiment(samples=1, models=("a", "b")), "What is {{sum}}? · 2 variants x 2 inputs on 2 models"),
        (experiment(title=" Mine\x00 "), "Mine"),
        (experiment(title="x" * 300), "x" * 200),
        (one("Theoretical\nPhysics is"), "Theoretical Physics is"),
        (one("word " * 40), ("word " * 12)[:59] + "…"),
    ],
)
def test_titles(made: Experiment, title: str) -> None:
    assert run(made, "r").title == title


def test_a_run_carries_its_plan_and_its_recipe() -> None:
    made = run(experiment(), "r1")
    assert (made.id, made.page, made.cells) == ("r1", "playground", plan(experiment()))
    assert from_dict(json.loads(json.dumps(to_dict(made.experiment)))) == made.experiment == experiment()


@pytest.mark.parametrize(
    ("made", "speeds", "cells", "seconds", "tokens"),
    [
        (experiment(), {"tiny-text": 10.0}, 12, 12.0, 120),
        (experiment(), {}, 12, None, 120),
        (experiment(), {"tiny-text": None}, 12, None, 120),
        (experiment(), {"tiny-text": 0.0}, 12, None, 120),
        (experiment(models=("a", "b")), {"a": 10.0, "b": 60.0}, 24, 14.0, 240),
        (experiment(models=("a", "b")), {"a": 10.0}, 24, None, 240),
        (experiment(parameters={"temperature": 0, "max_new_tokens": 10}), {"tiny-text": 1.0}, 4, 40.0, 40),
        (experiment(parameters={}), {}, 12, None, 12 * 64),
        (experiment(models=()), {}, 0, None, 0),
    ],
)
def test_estimate(
    made: Experiment, speeds: dict[str, float | None], cells: int, seconds: float | None, tokens: int
) -> None:
    told = estimate(made, speeds)
    assert (told.cells, told.seconds, told.tokens) == (cells, seconds, tokens)


@pytest.mark.parametrize(
    ("speed", "samples", "told"),
    [
        (310.0, 3, "Run 12 generations, about 1 s on this CPU (measured 310 tokens/s)"),
        (3.0, 3, "Run 12 generations, about 40 s on this CPU (measured 3 tokens/s)"),
        (0.5, 3, "Run 12 generations, about 4 min on this CPU (measured 0.5 tokens/s)"),
        (0.01, 3, "Run 12 generations, about 3.3 h on this CPU (measured 0.01 tokens/s)"),
        (None, 3, "Run 12 generations (speed not measured yet on this machine)"),
    ],
)
def test_sentence(speed: float | None, samples: int, told: str) -> None:
    assert sentence(estimate(experiment(samples=samples), {"tiny-text": speed})) == told


@pytest.mark.parametrize(
    ("parameters", "speed", "told"),
    [
        ({"steps": 20}, None, "Make 4 images, about 5 min on this CPU (a rough guess until it is measured)"),
        ({}, None, "Make 4 images, about 5 min on this CPU (a rough guess until it is measured)"),
        (
            {"steps": 20, "size": "256x256"},
            None,
            "Make 4 images, about 80 s on this CPU (a rough guess until it is measured)",
        ),
        ({"steps": 10}, 2.0, "Make 4 images, about 20 s on this CPU (measured 2 steps/s)"),
        ({"steps": 10}, 0.25, "Make 4 images, about 3 min on this CPU (measured 4.0 s a step)"),
        ({"steps": 10, "size": "256x256"}, 0.25, "Make 4 images, about 40 s on this CPU (measured 1 steps/s)"),
    ],
)
def test_images_are_counted_in_steps(
    parameters: dict[str, Any], speed: float | None, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fakes.offering(monkeypatch, fakes.painter())
    made = estimate(one(models=("painter",), samples=4, parameters=parameters), {"painter": speed})
    assert sentence(made) == told
    assert made.long is ("min" in told or "80" in told)
    assert unit("painter") == "steps"
    assert unit("gpt2") == unit("unheard-of") == "tokens"


def test_a_guess_for_the_only_size_is_not_scaled_and_no_guess_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    (size,) = (row for row in fakes.IMAGE_PARAMETERS if row.name == "size")
    small = fakes.painter("small", parameters=(replace(size, choices=("64x64",), default="64x64"),), unit_seconds=0.1)
    fakes.offering(monkeypatch, small, fakes.painter("silent", unit_seconds=0.0))
    assert estimate(one(models=("small",), parameters={"steps": 20}), {}).seconds == pytest.approx(2.0)
    assert estimate(one(models=("silent",), parameters={"steps": 20}), {}).seconds is None


def test_texts_and_images_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    fakes.offering(monkeypatch, fakes.painter())
    with pytest.raises(InvalidInput, match="tiny-text makes texts and Painter makes images: these cannot"):
        plan(one(models=("tiny-text", "painter")))
    assert len(plan(one(models=("painter", "unheard-of")))) == 2


def test_sentence_of_one_on_a_gpu() -> None:
    assert sentence(estimate(one(), {"m": 64.0}), "an H100") == (
        "Run 1 generation, about 1 s on an H100 (measured 64 tokens/s)"
    )


def test_sound_is_estimated_by_its_seconds_and_speech_by_its_letters() -> None:
    music = one(models=("musicgen-small",), parameters={"duration": 10.0}, samples=2)
    assert estimate(music, {}).tokens == 2 * 10 * 50
    assert estimate(music, {}).seconds == pytest.approx(2 * 10 * 9.0)
    assert estimate(music, {"musicgen-small": 100.0}).seconds == pytest.approx(10)
    spoken = one(models=("mms-tts-eng",), inputs=(Input(values={"prompt": "x" * 150}),), parameters={})
    assert estimate(spoken, {}).tokens == 10 * 62.5
    assert estimate(spoken, {}).seconds == pytest.approx(10 * 0.7)
    quick = replace(spoken, parameters={"speaking_rate": 2.0})
    assert estimate(quick, {}).tokens == pytest.approx(estimate(spoken, {}).tokens / 2, abs=1)


# Judge and summary.


def said(text: str, index: int = 0) -> CellResult:
    return CellResult(index=index, state=State.DONE, text=text)


def code(**changes: Any) -> Experiment:
    begun = Variant(name="A", user="def double({{ name }}):\n")
    return Experiment(page="playground", variants=(begun,), models=("tiny-code",), **changes)


def test_code_is_judged_and_shown_with_its_prompt_up_to_the_end_of_the_definition() -> None:
    made = code(inputs=(Input(values={"name": "x"}, checks=Check.of("python-parses", "contains:def double(x)")),))
    where = next(grid_cells(made))
    written = said("    return 2 * x\n\nprint(double(2))\n")
    assert reply(made, where, written) == "def double(x):\n    return 2 * x"
    assert [verdict.passed for verdict in grade(made, where, written)] == [True, True]
    assert [verdict.passed for verdict in grade(made, where, said("    return 2 * (x\n"))] == [False, True]
    assert summary(made, [written])[0].passed == 1


def test_a_text_model_s_answer_is_judged_as_it_is() -> None:
    made = replace(code(inputs=(Input(values={"name": "x"}, checks=Check.of("python-parses")),)), models=("tiny-text",))
    where = next(grid_cells(made))
    assert reply(made, where, said("x = 1")) == "x = 1"
    assert grade(made, where, said("    return 2 * x\n\n  y"))[0].passed is False
    gone = replace(made, models=("a-model-of-another-catalog",))
    assert reply(gone, next(grid_cells(gone)), said("x = 1")) == "x = 1"


def test_judge_fills_the_inputs_values_into_its_checks() -> None:
    cell = next(cell for cell in plan(experiment()) if cell.input == 1)
    verdicts = grade(experiment(), cell, said("it is 4 or so"))
    assert [(verdict.check, verdict.passed) for verdict in verdicts] == [("contains:4", True), ("max-words:3", False)]
    assert grade(one(), plan(one())[0], said("x")) == ()


def test_a_check_that_cannot_be_read_fails_alone() -> None:
    made = one(inputs=(Input(checks=Check.of("contains:x", "{{y}}", "contians:x")),))
    verdicts = grade(made, plan(one())[0], said("x"))
    assert [verdict.passed for verdict in verdicts] == [True, False, False]
    assert "{{y}}" in verdicts[1].reason


def test_summary_counts_each_variant() -> None:
    made = experiment(samples=1)
    results = [
        done(0, "2"),
        CellResult(index=1, state=State.FAILED, error="no"),
        done(2, "5", tokens=8, seconds=4.0),
        CellResult(index=3, state=State.RUNNING, text="4"),
    ]
    plain, with_system = summary(made, results)
    assert (plain.variant, plain.model, plain.cells, plain.done, plain.failed) == (0, "tiny-text", 2, 2, 0)
    assert (plain.passed, plain.judged) == (1, 2)
    assert (plain.mean_seconds, plain.mean_tokens) == (3.0, 6.0)
    assert (with_system.cells, with_system.done, with_system.failed, with_system.judged) == (2, 0, 1, 0)
    assert with_system.mean_seconds is with_system.mean_tokens is None
    assert summary(made, {result.index: result for result in results}) == (plain, with_system)


def test_summary_has_a_row_per_variant_and_model_and_takes_nothing_for_an_answer() -> None:
    rows = summary(experiment(models=("a", "b")), {})
    assert [(row.model, row.variant, row.cells) for row in rows] == [("a", 0, 6), ("a", 1, 6), ("b", 0, 6), ("b", 1, 6)]
    unchecked = summary(one(), [done(0, "")])
    assert (unchecked[0].done, unchecked[0].judged) == (1, 0)


# The dictionary form.

TEXT = st.text(max_size=30)
VALUES = st.one_of(
    TEXT,
    st.integers(-(2**63) + 1, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.none(),
    st.lists(TEXT, max_size=3).map(tuple),
)
SHARES = st.none() | st.floats(0, 1)
CHECKS = st.lists(
    st.builds(Check, TEXT, weight=st.floats(0, 10), metric=TEXT, threshold=SHARES) | TEXT.map(Check), max_size=2
).map(tuple)
VARIANTS = st.builds(Variant, name=TEXT, user=TEXT, system=TEXT, literal=st.booleans())
MESSAGES = st.builds(EarlierMessage, role=st.sampled_from(["user", "assistant"]), text=TEXT)
EXPERIMENTS = st.builds(
    Experiment,
    page=TEXT,
    variants=st.lists(st.builds(Variant, name=TEXT, user=TEXT, system=TEXT, literal=st.booleans()), max_size=3).map(
        tuple
    ),
    models=st.lists(TEXT, max_size=3).map(tuple),
    inputs=st.lists(
        st.builds(
            Input,
            id=TEXT,
            values=st.dictionaries(TEXT, TEXT, max_size=3),
            checks=CHECKS,
            group=TEXT,
            threshold=SHARES,
        ),
        max_size=3,
    ).map(tuple),
    samples=st.integers(1, 50),
    parameters=st.dictionaries(TEXT, VALUES, max_size=4),
    axes=st.dictionaries(TEXT, st.lists(VALUES, max_size=3).map(tuple), max_size=2),
    checks=CHECKS,
    threshold=SHARES,
    margin=st.floats(0, 1),
    earlier=st.lists(st.builds(EarlierMessage, role=st.sampled_from(["user", "assistant"]), text=TEXT), max_size=2).map(
        tuple
    ),
    seed=st.integers(0, 2**63 - 1),
    chat=st.booleans(),
    title=TEXT,
    answer_prefix=TEXT,
    seeds=st.lists(st.integers(0, 2**63 - 1), max_size=3).map(tuple),
)


@given(EXPERIMENTS)
def test_there_and_back_through_json(made: Experiment) -> None:
    data = to_dict(made)
    assert data["version"] == 2
    assert from_dict(json.loads(json.dumps(data))) == made


def test_defaults_may_be_left_out() -> None:
    data = {"page": "text", "variants": [{"name": "A", "user": "Hi"}], "models": ["m"]}
    assert from_dict(data) == one()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"version": 3}, "format 3; this Diptych reads up to 2"),
        ({"margin": 2}, "'margin' must be a number from 0 to 1"),
        ({"threshold": "x"}, "'threshold' must be a number from 0 to 1"),
        ({"checks": [{"line": "x", "weight": -1}]}, "'checks[0].weight' must be a number from 0"),
        ({"axes": {"temperature": 1}}, "'axes.temperature' must be a list"),
        ({"version": "1"}, "'version'"),
        ({"extra": 1, "worse": 2}, "'extra', 'worse'"),
        ({"page": 3}, "'page' must be text"),
        ({"page": "x" * 41}, "at most 40"),
        ({"variants": {}}, "'variants' must be a list"),
        ({"variants": "AB"}, "'variants' must be a list"),
        ({"variants": ["A"]}, "'variants[0]' must be a table"),
        (
            {"variants": [{"name": "A", "user": "x", "key": "k"}]},
            "'variants[0]' has fields that are not known here: 'key'",
        ),
        ({"variants": [{"name": 1, "user": "x"}]}, "'variants[0].name' must be text"),
        ({"variants": [{"name": "A", "user": "x" * 1_000_001}]}, "at most 1000000"),
        ({"models": [None]}, "'models[0]' must be text"),
        ({"models": ["m"] * 2_001}, "at most 2000"),
        ({"inputs": [{"values": []}]}, "'inputs[0].values' must be a table"),
        ({"inputs": [{"values": {"a": 1}}]}, "'inputs[0].values' must be text"),
        ({"inputs": [{"checks": "is-json"}]}, "'inputs[0].checks' must be a list"),
        ({"inputs": [{"checks": [1]}]}, "'inputs[0].checks[0]' must be text"),
        ({"samples": 0}, "'samples' must be a whole number from 1 to 50"),
        ({"samples": True}, "'samples'"),
        ({"seed": -1}, "'seed'"),
        ({"seed": 2**63}, "'seed'"),
        ({"seeds": 5}, "'seeds' must be a list"),
        ({"seeds": [1, -1]}, "'seeds[1]' must be a whole number from 0"),
        ({"seeds": [1.0]}, "'seeds[0]'"),
        ({"chat": 1}, "'chat' must be true or false"),
        ({"parameters": []}, "'parameters' must be a table"),
        ({"parameters": {"temperature": math.nan}}, "'parameters.temperature' must be a finite number"),
        ({"parameters": {"temperature": {}}}, "'parameters.temperature' must be text, a number"),
        ({"parameters": {"temperature": 10**400}}, "'parameters.temperature'"),
        ({"parameters": {"stop": [1]}}, "'parameters.stop[0]' must be text"),
        ({"parameters": {str(n): 1 for n in range(2_001)}}, "more than 2000 fields"),
        ({"title": "x" * 201}, "at most 200"),
        ({"answer_prefix": None}, "'answer_prefix' must be text"),
    ],
)
def test_untrusted_fields_are_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        from_dict(to_dict(one()) | changes)
    assert told in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "x", 3, {1: 2}, {}, {"page": "text"}])
def test_what_is_no_experiment_at_all(data: object) -> None:
    with pytest.raises(InvalidInput):
        from_dict(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(to_dict(one()))), JSON)
def test_any_field_may_hold_anything_and_only_a_sentence_comes_of_it(name: str, value: object) -> None:
    try:
        made = from_dict(to_dict(one()) | {name: value})
        plan(made)
        told = f"{len(summary(made, {}))} rows."
    except InvalidInput as error:
        told = str(error)
    assert told.endswith(".")


# What was added to the shape: axes, checks for all rows, weights, literal prompts.


def test_axes_make_a_column_for_every_combination_with_one_sample_where_the_temperature_is_0() -> None:
    made = one("hi", samples=3, axes={"temperature": (0, 0.5), "max_new_tokens": (4, 8)})
    assert [dict(row) for row in settings(made)] == [
        {"temperature": 0, "max_new_tokens": 4},
        {"temperature": 0, "max_new_tokens": 8},
        {"temperature": 0.5, "max_new_tokens": 4},
        {"temperature": 0.5, "max_new_tokens": 8},
    ]
    cells = plan(made)
    assert [(cell.sample, cell.setting) for cell in cells] == [
        *((0, setting) for setting in range(4)),
        *((1, setting) for setting in (2, 3)),
        *((2, setting) for setting in (2, 3)),
    ]
    assert [cell.index for cell in cells] == list(range(8))
    assert cells[5].request.parameters == {"temperature": 0.5, "max_new_tokens": 8}
    rows = summary(made, [done(cell.index, "x") for cell in cells])
    assert [(row.setting, row.cells) for row in rows] == [(0, 1), (1, 1), (2, 3), (3, 3)]
    assert estimate(made, {"tiny-text": 10.0}).tokens == 4 + 8 + 3 * (4 + 8)


@pytest.mark.parametrize(
    ("axes", "sentence"),
    [
        ({"temperature": ()}, "has no values"),
        ({"temperature": (1.0, 1.0)}, "has a value twice"),
        ({"temperature": (0.5, 99.0)}, "must be from 0 to 2; it is 99"),
        ({"temperature": tuple(number / 100 for number in range(21))}, "at most 20"),
    ],
)
def test_a_senseless_axis_is_refused(axes: Any, sentence: str) -> None:
    with pytest.raises(InvalidInput, match=sentence):
        plan(one("hi", models=("tiny-text",), axes=axes))


def test_checks_for_all_rows_come_first_and_know_the_rows_values() -> None:
    row = Input(values={"n": "4"}, checks=Check.of("max-words:3"))
    made = one("{{n}}", inputs=(row,), checks=Check.of("contains:{{n}}"))
    outcomes = grade(made, plan(made)[0], said("it is 4 or so"))
    assert [(outcome.check, outcome.passed) for outcome in outcomes] == [("contains:4", True), ("max-words:3", False)]
    assert variable_names(one("hi", checks=Check.of("contains:{{m}}"))) == ("m",)


@pytest.mark.parametrize(
    ("weights", "threshold", "passed"),
    [((1, 1), None, False), ((1, 1), 0.5, True), ((3, 1), 0.75, True), ((1, 3), 0.5, False), ((1, 0), None, True)],
)
def test_a_weighted_score_passes_from_its_threshold(weights: Any, threshold: float | None, passed: bool) -> None:
    checks = (Check("contains:yes", weight=weights[0]), Check("contains:no", weight=weights[1]))
    row = Input(checks=checks, threshold=threshold)
    made = one(inputs=(row,))
    outcomes = grade(made, plan(made)[0], said("yes"))
    assert passes(made, row, outcomes) is passed
    assert passes(replace(made, threshold=threshold), replace(row, threshold=None), outcomes) is passed


def test_checks_without_weight_judge_nothing() -> None:
    row = Input(checks=(Check("contains:yes", weight=0),))
    made = one(inputs=(row,))
    assert passes(made, row, grade(made, plan(made)[0], said("no"))) is None


def test_a_literal_prompt_keeps_its_braces_and_asks_for_no_variable() -> None:
    literal = Variant(name="A", user="\\frac{{a}}{{b}} {% if %}", system="{{x", literal=True)
    made = one(variants=(literal,))
    assert variable_names(made) == ()
    assert [message.text for message in plan(made)[0].request.messages] == ["{{x", "\\frac{{a}}{{b}} {% if %}"]


def test_two_rows_with_one_id_are_refused() -> None:
    with pytest.raises(InvalidInput, match="Two rows have the id 'a'"):
        plan(one(inputs=(Input(id="a"), Input(id="a"))))


def test_format_1_is_read_with_ids_for_its_rows_and_its_earlier_messages() -> None:
    turns = [{"role": "user", "text": "Hi"}, {"role": "assistant", "text": "Hello", "images": []}]
    rows = [{"values": {"a": "1"}, "checks": ["is-json"]}, {"values": {}, "checks": []}]
    data = {"version": 1, "page": "text", "variants": [{"name": "A", "user": "Hi"}], "models": ["m"]}
    made = from_dict(data | {"talk": turns, "inputs": rows})
    assert [(row.id, row.checks) for row in made.inputs] == [("row-1", Check.of("is-json")), ("row-2", ())]
    assert [(message.role, message.text) for message in made.earlier] == [("user", "Hi"), ("assistant", "Hello")]
    assert from_dict(to_dict(made)) == made


def test_one_template_that_cannot_be_read_hides_no_other_variable() -> None:
    experiment = Experiment(
        page="playground",
        variants=(
            Variant(name="A", user="{{first name}} and {{numbers}}", system="{{ voice }}"),
            Variant(name="B", user="{% if x %} {{other|upper}}"),
            Variant(name="C", user=r"\frac{{a}}{{b}}"),
        ),
        models=("tiny-text",),
        inputs=(Input(values={"a": "1"}, checks=Check.of("contains:{{wanted}}", "regex:{{ 1")),),
    )
    names, errors = readable_names(experiment)
    assert names == ("voice", "numbers", "x", "other", "a", "b", "wanted")
    assert [error.split(":")[0] for error in errors] == ["Variant 'A'", "Variant 'B'", "Row 1"]
    with pytest.raises(TemplateError, match="Variant 'A'"):
        variable_names(experiment)
