"""The catalog's rows are complete, pinned and within their own bounds."""

from __future__ import annotations

import re

import pytest

from core.catalog import ALIASES, CATALOG, IMAGE_PARAMETERS, PRESETS, checked, common, spec, successor
from core.catalog.servers import SERVERS
from core.errors import InvalidInput, UnknownModel
from core.experiment import from_dict, plan
from core.settings import ROOT
from core.types import Modality, ModelSpec, Parameter, Value

rows = pytest.mark.parametrize("row", CATALOG, ids=lambda row: row.id)


def test_ids_are_unique() -> None:
    assert len({row.id for row in CATALOG}) == len(CATALOG)


@rows
def test_a_hub_model_is_pinned_to_a_commit(row: ModelSpec) -> None:
    if not row.bundled:
        assert re.fullmatch(r"[0-9a-f]{40}", row.revision)
        assert row.download_bytes > 0


@rows
def test_a_bundled_model_ships_with_its_card(row: ModelSpec) -> None:
    folder = ROOT / "models" / row.source
    if row.bundled:
        weights = "unet/diffusion_pytorch_model" if row.modality is Modality.IMAGE else "model"
        assert (folder / f"{weights}.safetensors").is_file()
        assert (folder / "README.md").is_file()


@rows
def test_defaults_lie_within_their_bounds(row: ModelSpec) -> None:
    for parameter in row.parameters:
        assert checked(parameter, parameter.default) == parameter.default


@rows
def test_every_row_says_what_it_is(row: ModelSpec) -> None:
    assert row.summary.endswith(".")
    assert row.licence
    assert row.memory_bytes > 0


def test_presets_set_parameters_that_exist() -> None:
    names = {parameter.name for parameter in CATALOG[0].parameters}
    assert all(set(values) <= names for values in PRESETS.values())


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownModel, match="tiny-text"):
        spec("gpt-5")


# --- values of controls

NUMBER = Parameter(name="n", label="Steps", kind="int", default=4, low=1, high=9)
SCHEDULER = next(row for row in IMAGE_PARAMETERS if row.name == "scheduler")
NEGATIVE = next(row for row in IMAGE_PARAMETERS if row.name == "negative_prompt")


@pytest.mark.parametrize(
    ("row", "value", "sentence"),
    [
        (NUMBER, "4", "Steps must be a number from 1 to 9, not str."),
        (NUMBER, True, "Steps must be a number from 1 to 9, not bool."),
        (NUMBER, 4.5, "Steps must be a whole number from 1 to 9."),
        (NUMBER, float("nan"), "Steps must be a finite number from 1 to 9."),
        (NUMBER, 10, "Steps must be from 1 to 9; it is 10."),
        (SCHEDULER, "Heun", "Scheduler must be one of DPM++ 2M Karras, UniPC, Euler, DDIM; it is 'Heun'."),
        (SCHEDULER, 3, "Scheduler must be text, not int."),
        (NEGATIVE, ("a",), "Negative prompt must be text, not tuple."),
    ],
)
def test_a_value_that_does_not_fit_is_told_what_would(row: Parameter, value: Value, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked(row, value)
    assert str(caught.value) == sentence


def test_values_that_fit_become_the_controls_own_type() -> None:
    assert checked(NUMBER, 4.0) == 4
    assert isinstance(checked(NUMBER, 4.0), int)
    assert checked(SCHEDULER, "DDIM") == "DDIM"
    assert checked(NEGATIVE, "a {b} %s") == "a {b} %s"


# --- models by an older name


@pytest.mark.parametrize("old", ALIASES)
def test_an_older_id_means_a_row_that_exists(old: str) -> None:
    present, _ = successor(old)
    assert spec(old) == spec(present)
    assert spec(present).id == present
    assert successor(present) == (present, "")


def test_the_repository_that_is_gone_is_explained() -> None:
    present, note = successor("runwayml/stable-diffusion-v1-5")
    assert present == "stable-diffusion-v1-5"
    assert "left the hub" in note
    assert spec(present).source in note
    assert successor("stable-diffusion-v1-5/stable-diffusion-v1-5") == (present, "")


@pytest.mark.parametrize("old", ALIASES)
def test_an_experiment_that_was_saved_under_an_older_id_can_be_restored_and_planned(old: str) -> None:
    saved = {"page": "image", "variants": [{"name": "A", "user": "a fox"}], "models": [old], "parameters": {"steps": 4}}
    restored = from_dict(saved)
    (cell,) = plan(restored)
    assert cell.model == old
    assert spec(cell.model).name == "Stable Diffusion 1.5"
    with pytest.raises(InvalidInput, match="Steps"):
        plan(from_dict(saved | {"parameters": {"steps": 400}}))


# --- images


def test_every_image_model_says_what_a_step_costs_and_takes_steps_and_a_size() -> None:
    rows = [row for row in CATALOG if row.modality is Modality.IMAGE]
    assert {row.id for row in rows} == {"tiny-image", "stable-diffusion-v1-5", "lcm-dreamshaper-v7"}
    for row in rows:
        controls = {parameter.name: parameter for parameter in row.parameters}
        assert row.unit_seconds > 0
        assert {"steps", "size", "scheduler", "guidance_scale"} <= set(controls)
        assert all(re.fullmatch(r"\d+x\d+", size) for size in controls["size"].choices)


def test_only_a_distilled_model_is_offered_its_scheduler_and_it_takes_no_negative_prompt() -> None:
    for row in (row for row in CATALOG if row.modality is Modality.IMAGE):
        controls = {parameter.name: parameter for parameter in row.parameters}
        lcm = row.id.startswith("lcm")
        assert ("LCM" in controls["scheduler"].choices) == lcm
        assert ("negative_prompt" in controls) != lcm


def test_controls_of_image_models_without_a_common_choice_are_left_out() -> None:
    both = {row.name: row for row in common([spec("stable-diffusion-v1-5"), spec("tiny-image")])}
    assert "size" not in both
    assert both["scheduler"].default == "DPM++ 2M Karras"
    lcm = {row.name: row for row in common([spec("lcm-dreamshaper-v7"), spec("stable-diffusion-v1-5")])}
    assert "scheduler" not in lcm
    assert (lcm["steps"].low, lcm["steps"].high, lcm["size"].default) == (1, 12, "512x512")


# --- sound


def test_every_model_of_sound_says_what_a_second_costs_and_carries_the_controls_of_its_kind() -> None:
    rows = {row.id: row for row in CATALOG if row.modality is Modality.AUDIO}
    assert set(rows) == {"tiny-audio", "mms-tts-eng", "musicgen-small"}
    for row in rows.values():
        controls = {parameter.name for parameter in row.parameters}
        assert row.unit_seconds > 0
        assert row.frame_rate > 0
        assert row.provider == "local_audio"
        assert controls == {"speaking_rate", "noise_scale"} or controls == {
            "duration",
            "guidance_scale",
            "temperature",
            "top_k",
        }


def test_a_model_that_is_not_for_commercial_use_says_so_where_it_is_chosen() -> None:
    bound = [row for row in CATALOG if "NC" in row.licence]
    assert {row.id for row in bound} == {"mms-tts-eng", "musicgen-small"}
    assert all("non-commercial use only" in row.summary for row in bound)


# --- models on servers


@pytest.mark.parametrize(
    ("model", "levels"),
    [
        ("gemini:gemini-4-hydrogen", ("low", "medium", "high", "xhigh")),
        ("gemini:gemini-4-neon", ("low", "medium", "high", "xhigh")),
        ("gemini:gemini-4-argon", ("low", "medium", "high")),
        ("gemini:gemini-3.8-flash", ("low", "medium", "high")),
        ("gemini:models/gemini-3.8-flash", ("low", "medium", "high")),
        ("gemini:gemini-3.7-flash", ("low", "medium", "high")),
        ("gemini:gemini-3.6-flash", ("minimal", "low", "medium", "high")),
        ("gemini:gemini-3.5-flash-lite", ("minimal", "low", "medium", "high")),
        ("gemini:gemini-3.1-flash-lite", ("minimal", "low", "medium", "high")),
        ("gemini:gemini-flash-latest", ("low", "medium", "high")),
        ("gemini:gemini-2.5-flash-lite", None),
        ("gemini:gemini-3.1-flash-image", None),
        ("gemini:gemma-4-27b-it", None),
        ("openai:gpt-6-luna", ("low", "medium", "high", "xhigh", "max")),
        ("openai:gpt-6.2-sol", ("low", "medium", "high", "xhigh", "max")),
        ("openai:gpt-5.4-mini", ("low", "medium", "high")),
        ("openai:o3", ("low", "medium", "high")),
        ("openai:gpt-4.1-mini", None),
        ("anthropic:claude-opus-5-5", None),
        ("mistral:mistral-small-latest", None),
    ],
)
def test_levels_of_thinking_are_the_models_own(model: str, levels: tuple[str, ...] | None) -> None:
    found = {row.name: row for row in spec(model).parameters}.get("thinking")
    assert (found and found.choices) == (levels and ("default", *levels))
    assert found is None or found.default == "default"


@pytest.mark.parametrize(
    "model", ["gemini-4-hydrogen", "gemini-4-neon", "gemini-4-argon", "gemini-4-carbon", "models/gemini-4-hydrogen"]
)
def test_gemini_4_ignores_sampling(model: str) -> None:
    assert spec(f"gemini:{model}").ignores == ("temperature", "top_k", "top_p")


@pytest.mark.parametrize("model", ["gemini-3.8-flash", "gemini-3.5-flash-lite", "gemini-flash-latest"])
def test_its_elders_do_not(model: str) -> None:
    assert spec(f"gemini:{model}").ignores == ()


@pytest.mark.parametrize(
    ("model", "takes"),
    [
        ("openai:gpt-6-luna", {"max_new_tokens", "thinking", "json_schema"}),
        ("openai:gpt-5", {"max_new_tokens", "thinking", "json_schema"}),
        ("openai:o4-mini", {"max_new_tokens", "thinking", "json_schema"}),
        ("openai:gpt-4o", {"max_new_tokens", "temperature", "top_p", "stop", "json_schema"}),
        ("anthropic:claude-haiku-5-5", {"max_new_tokens", "stop"}),
        ("anthropic:claude-sonnet-5", {"max_new_tokens", "stop"}),
        ("anthropic:claude-fable-5-2", {"max_new_tokens", "stop"}),
        ("anthropic:claude-opus-4-7", {"max_new_tokens", "stop"}),
        ("anthropic:claude-opus-4-6", {"max_new_tokens", "temperature", "top_p", "stop"}),
        ("anthropic:claude-haiku-4-5-20251001", {"max_new_tokens", "temperature", "top_p", "stop"}),
        ("groq:openai/gpt-oss-120b", {"max_new_tokens", "temperature", "top_p", "stop", "json_schema"}),
        ("custom:gpt-6@https://host.example", {"max_new_tokens", "temperature", "top_p", "stop"}),
    ],
)
def test_a_remote_model_has_the_controls_it_takes(model: str, takes: set[str]) -> None:
    assert {row.name for row in spec(model).parameters} == takes


@pytest.mark.parametrize(
    ("model", "sees", "draws"),
    [
        ("gemini:gemini-3.8-flash", True, False),
        ("gemini:gemini-2.5-flash", True, False),
        ("gemini:gemini-3.1-flash-image", True, True),
        ("gemini:gemini-3-pro-image", True, True),
        ("gemini:gemma-3-1b-it", False, False),
        ("openai:gpt-4.1", True, False),
        ("openai:gpt-3.5-turbo", False, False),
        ("anthropic:claude-haiku-5-5", True, False),
        ("mistral:mistral-small-latest", True, False),
        ("mistral:codestral-latest", False, False),
        ("openrouter:openai/gpt-6-luna", True, False),
        ("openrouter:meta-llama/llama-3.3-70b-instruct", False, False),
        ("ollama:llava:7b", True, False),
        ("ollama:LLaVA", True, False),
        ("huggingface:Qwen/Qwen2.5-VL-7B-Instruct", True, False),
        ("huggingface:Qwen/Qwen2.5-7B-Instruct", False, False),
    ],
)
def test_what_a_remote_model_sees_and_draws(model: str, sees: bool, draws: bool) -> None:
    assert (spec(model).sees, spec(model).draws) == (sees, draws)


REMOTE = [spec(f"{server.id}:{name}") for server in SERVERS for name in (*server.models, "some-model")]


@pytest.mark.parametrize("row", [*CATALOG, *REMOTE], ids=lambda row: row.id)
def test_every_default_can_be_drawn(row: ModelSpec) -> None:
    names = [parameter.name for parameter in row.parameters]
    assert len(set(names)) == len(names)
    assert set(row.ignores) <= set(names)
    for parameter in row.parameters:
        drawable(parameter)


def drawable(parameter: Parameter) -> None:
    """What a widget needs: a default of its own kind within its bounds or choices."""
    if parameter.kind in ("int", "float"):
        assert isinstance(parameter.default, int if parameter.kind == "int" else int | float)
        assert parameter.low is not None
        assert parameter.high is not None
        assert parameter.low <= parameter.default <= parameter.high
    if parameter.kind == "choice":
        assert parameter.default in parameter.choices


def test_every_remote_row_says_that_it_leaves_the_machine() -> None:
    assert not [row.id for row in REMOTE if "leaves this machine" not in row.summary or row.local or not row.chat]


def test_controls_of_several_models_lie_within_all_their_bounds() -> None:
    local, distant = spec("tiny-text"), spec("gemini:gemini-3.8-flash")
    for both in ([local, distant], [distant, local]):
        rows = {row.name: row for row in common(both)}
        assert set(rows) == {row.name for model in both for row in model.parameters}
        assert (rows["max_new_tokens"].low, rows["max_new_tokens"].high) == (1, 256)
        for row in rows.values():
            drawable(row)


def test_a_control_of_one_model_only_is_kept_as_it_is() -> None:
    lone = next(row for row in spec("tiny-text").parameters if row.name == "min_p")
    assert lone in common([spec("openai:gpt-4.1-mini"), spec("tiny-text")])


def test_levels_of_thinking_of_several_models_are_those_of_all() -> None:
    models = [spec("gemini:gemini-4-hydrogen"), spec("gemini:gemini-3.5-flash-lite"), spec("openai:gpt-6-luna")]
    found = {row.name: row for row in common(models)}["thinking"]
    assert found.choices == ("default", "low", "medium", "high")


def test_common_controls_of_nothing_and_of_one() -> None:
    assert common([]) == ()
    assert common([spec("tiny-text")]) == spec("tiny-text").parameters
    assert common([spec("tiny-text")] * 3) == spec("tiny-text").parameters
