"""Images on this machine: the same request gives the same file, every step is shown, and a stop keeps what there is."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import diffusers
import numpy
import pytest
import safetensors.torch
import torch
from PIL import Image

from core import catalog
from core.errors import InvalidInput, ModelRefused
from core.providers import local_image
from core.providers.local_image import LocalImage, parameters, preview, schedulers
from core.settings import Settings
from core.types import (
    Event,
    Failed,
    Finished,
    Message,
    ModelSpec,
    Output,
    Progress,
    Request,
    State,
    Value,
)
from tests.support import tiny_models
from tests.support.fakes import until, wait_for
from tests.support.studio import Studio, hired

KINDS = {
    "zero-snr": {},
    "plain": {"zero_snr": False},
    "checked": {"zero_snr": False, "checker": True},
    "distilled": {"distilled": True},
}
PROMPT = "the red fox over the rest"


def never(index: int) -> bool:
    return False


def request(text: str = PROMPT, seed: int = 1, **parameters: Value) -> Request:
    plain: dict[str, Value] = {"steps": 3, "size": "32x64"}
    return Request(messages=(Message("user", text),), parameters=plain | parameters, seed=seed)


def answers(events: Sequence[Event]) -> list[Output]:
    return [event.output for event in events if isinstance(event, Finished)]


def answer(model: LocalImage, one: Request, stopped: Callable[[int], bool] = never) -> Output:
    (output,) = answers(list(model.generate([one], stopped)))
    return output


def failure(model: LocalImage, one: Request) -> Failed:
    *_, event = model.generate([one], never)
    assert isinstance(event, Failed)
    return event


def opened(picture: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(picture))
    assert image.format == "PNG"
    return image


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("models")
    return Settings(data=folder / "data", models=folder, threads=1, offline=True)


@pytest.fixture(scope="module")
def rows(settings: Settings) -> dict[str, ModelSpec]:
    return {kind: tiny_models.pipeline(settings.models / kind, **how) for kind, how in KINDS.items()}


@pytest.fixture(scope="module")
def models(settings: Settings, rows: dict[str, ModelSpec]) -> dict[str, LocalImage]:
    return {kind: local_image.open_model(row, settings) for kind, row in rows.items()}


@pytest.fixture(scope="module")
def tiny(models: dict[str, LocalImage]) -> LocalImage:
    return models["zero-snr"]


@pytest.fixture
def copied(rows: dict[str, ModelSpec], settings: Settings) -> Callable[[str, str], tuple[ModelSpec, Path]]:
    """A model's files under another name, to be harmed."""

    def copy(kind: str, name: str) -> tuple[ModelSpec, Path]:
        shutil.copytree(settings.models / kind, settings.models / name)
        return replace(rows[kind], source=name), settings.models / name

    return copy


# What is drawn is what diffusers draws


REFERENCE = {
    "DPM++ 2M Karras": (diffusers.DPMSolverMultistepScheduler, {"use_karras_sigmas": True}),
    "UniPC": (diffusers.UniPCMultistepScheduler, {}),
    "Euler": (diffusers.EulerDiscreteScheduler, {}),
    "DDIM": (diffusers.DDIMScheduler, {"clip_sample": False}),
    "LCM": (diffusers.LCMScheduler, {"clip_sample": False}),
}


def drawn_by_diffusers(folder: Path, name: str, one: Request, **changes: object) -> bytes:
    torch.set_num_threads(1)
    pipe = diffusers.DiffusionPipeline.from_pretrained(folder, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    kind, own = REFERENCE[name]
    pipe.scheduler = kind.from_config(pipe.scheduler.config, **(own | changes))
    width, height = (int(side) for side in str(one.parameters["size"]).split("x"))
    negative = {"negative_prompt": one.parameters["negative_prompt"]} if "negative_prompt" in one.parameters else {}
    found = pipe(
        one.messages[0].text,
        width=width,
        height=height,
        num_inference_steps=one.parameters["steps"],
        guidance_scale=one.parameters["guidance_scale"],
        generator=torch.Generator().manual_seed(one.seed),
        **negative,
    )
    return preview.png(found.images[0])


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("kind", "name", "guidance"),
    [
        *(("plain", name, 3.0) for name in REFERENCE),
        *(("zero-snr", name, 3.0) for name in REFERENCE if name != "DPM++ 2M Karras"),
        ("plain", "UniPC", 1.0),
        ("checked", "DDIM", 7.5),
        ("distilled", "LCM", 8.0),
    ],
)
def test_an_image_is_the_one_that_diffusers_draws(
    models: dict[str, LocalImage], settings: Settings, kind: str, name: str, guidance: float
) -> None:
    negative: dict[str, Value] = {} if kind == "distilled" else {"negative_prompt": "blue"}
    one = request(scheduler=name, guidance_scale=guidance, **negative)
    assert answer(models[kind], one).images == (drawn_by_diffusers(settings.models / kind, name, one),)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_a_model_that_starts_from_pure_noise_keeps_its_own_spacing(tiny: LocalImage, settings: Settings) -> None:
    one = request(scheduler="DPM++ 2M Karras", guidance_scale=3.0)
    output = answer(tiny, one)
    expected = drawn_by_diffusers(
        settings.models / "zero-snr", one.parameters["scheduler"], one, use_karras_sigmas=False
    )  # type: ignore[arg-type]
    assert output.images == (expected,)
    (note,) = output.notes
    assert note == "This model starts from pure noise, so DPM++ 2M took the model's own spacing of steps, not Karras'."


@pytest.mark.parametrize("kind", ["zero-snr", "plain"])
@pytest.mark.parametrize("name", schedulers.SCHEDULERS)
def test_every_scheduler_gives_an_image(models: dict[str, LocalImage], kind: str, name: str) -> None:
    output = answer(models[kind], request(scheduler=name, steps=6))
    pixels = numpy.asarray(opened(output.images[0])).astype(float)
    assert pixels.shape == (64, 32, 3)
    assert 5 < pixels.std() < 127
    assert bool(output.notes) == (kind == "zero-snr" and "Karras" in name)


@pytest.mark.parametrize("steps", [1, 2, 13, 50])
@pytest.mark.parametrize("zero_snr", [True, False])
@pytest.mark.parametrize("name", schedulers.SCHEDULERS)
def test_a_schedule_has_as_many_steps_as_were_asked_for(name: str, zero_snr: bool, steps: int) -> None:
    scheduler, _ = schedulers.build(name, config(zero_snr), steps, "cpu")
    assert len(scheduler.timesteps) == steps
    assert min(scheduler.timesteps) >= 0


def config(zero_snr: bool) -> dict[str, object]:
    return tiny_models.STABLE_DIFFUSION | (tiny_models.ZERO_SNR if zero_snr else {"steps_offset": 1})


@pytest.mark.parametrize("zero_snr", [True, False])
@pytest.mark.parametrize("name", schedulers.SCHEDULERS)
def test_the_estimate_is_the_image_that_the_model_sees(name: str, zero_snr: bool) -> None:
    """A model that knows the image answers with the noise, or velocity, that leads there: every estimate is it."""
    image = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(5))
    scheduler, _ = schedulers.build(name, config(zero_snr), 9, "cpu")
    generator = torch.Generator().manual_seed(6)
    latents = torch.randn(image.shape, generator=generator) * scheduler.init_noise_sigma
    for time in scheduler.timesteps:
        signal = scheduler.alphas_cumprod[int(time)].sqrt()
        noise = (1 - signal**2).sqrt()
        seen = scheduler.scale_model_input(latents, time)
        output = (signal * seen - image) / noise if zero_snr else (seen - signal * image) / noise
        latents, estimate = schedulers.step(scheduler, output, time, latents, generator)
        # Karras' sigmas and Euler's times lie between two times of the model; here it is told the nearer one.
        between = not zero_snr and ("Karras" in name or name == "Euler")
        assert float((estimate - image).abs().max()) < (0.05 if between else 2e-3)
    assert float((latents - image).abs().max()) < 0.1


# The same again


def test_the_same_request_gives_the_same_file_alone_and_after_others(tiny: LocalImage) -> None:
    one, other = request(seed=7), request("blue", seed=8, scheduler="UniPC", steps=5)
    alone = answer(tiny, one)
    assert [output.images for output in answers(list(tiny.generate([other, one], never)))][1] == alone.images
    stopped = answer(tiny, other, lambda index: True)
    assert stopped.finish == "cancelled"
    torch.manual_seed(99)
    assert answer(tiny, one).images == alone.images


def test_two_requests_side_by_side_do_not_meet(tiny: LocalImage) -> None:
    """Step by step in turns: a scheduler that they shared would count both."""
    requests = [request(seed=7, scheduler="UniPC"), request("blue", seed=8, scheduler="UniPC")]
    alone = [answer(tiny, one).images for one in requests]
    walks = [tiny.generate([one], never) for one in requests]
    turns = [event for pair in zip(*walks, strict=True) for event in pair]
    assert [output.images for output in answers(turns)] == alone


def test_seeds_prompts_and_settings_change_the_image(tiny: LocalImage) -> None:
    asked = [
        request(),
        request(seed=2),
        request("blue"),
        request(guidance_scale=8.0),
        request(steps=4),
        request(negative_prompt="blue"),
    ]
    assert len({answer(tiny, one).images for one in asked}) == len(asked)


def test_messages_are_joined_by_blank_lines(tiny: LocalImage) -> None:
    parted = replace(request(), messages=(Message("system", "ink"), Message("user", ""), Message("user", "a fox")))
    output = answer(tiny, parted)
    assert output.provenance["rendered_prompt"] == "ink\n\na fox"
    assert output.images == answer(tiny, request("ink\n\na fox")).images


# How it goes


def test_every_step_is_told_with_a_preview(tiny: LocalImage) -> None:
    begun, *steps, last = tiny.generate([request(steps=4)], never)
    assert begun == Progress(0, 0.0, 4.0, "step 1 of 4")
    assert all(isinstance(event, Progress) for event in steps)
    assert [(event.index, event.done, event.total) for event in steps] == [(0, i, 4.0) for i in (1.0, 2.0, 3.0, 4.0)]  # type: ignore[union-attr]
    assert [event.note.split(",")[0] for event in steps] == [f"step {i} of 4" for i in (1, 2, 3, 4)]  # type: ignore[union-attr]
    assert steps[1].note.endswith(" left")  # type: ignore[union-attr]
    assert steps[3].note == "step 4 of 4, decoding"  # type: ignore[union-attr]
    assert len({event.preview for event in steps}) == 4  # type: ignore[union-attr]
    assert opened(steps[0].preview).size == (32, 64)  # type: ignore[union-attr]
    assert isinstance(last, Finished)
    output = last.output
    assert (output.text, output.finish, output.output_tokens, output.notes) == ("", "stop", 4, ())
    assert output.seconds > 0
    assert opened(output.images[0]).size == (32, 64)


def test_the_last_preview_is_the_image_where_the_decoder_is_small(tiny: LocalImage) -> None:
    events = list(tiny.generate([request()], never))
    assert events[-2].preview == answers(events)[0].images[0]  # type: ignore[union-attr]


def test_a_large_decoder_is_not_asked_for_previews(tiny: LocalImage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "SMALL", 0)
    _, first, *_, last = tiny.generate([request()], never)
    assert opened(first.preview).size == (16, 32), "a pixel for each place of the latents"  # type: ignore[union-attr]
    assert opened(last.output.images[0]).size == (32, 64)  # type: ignore[union-attr]


def test_the_colours_of_latents_are_those_of_stable_diffusion() -> None:
    wide = torch.nn.Linear(preview.SMALL, 1)
    image = preview.quick(wide, torch.tensor([2.0, 0.0, 0.0, 0.0]).reshape(1, 4, 1, 1))
    assert image is not None
    expected = tuple(round((2 * colour / 2 + 0.5) * 255) for colour in (0.3512, 0.2297, 0.3227))
    assert image.getpixel((0, 0)) == expected
    assert preview.quick(wide, torch.zeros(1, 8, 2, 2)) is None, "other latents have other colours"


def test_a_preview_is_at_most_512_pixels_long() -> None:
    image = preview.quick(torch.nn.Linear(preview.SMALL, 1), torch.zeros(1, 4, 700, 350))
    assert image is not None
    assert image.size == (256, 512)


# Stopping


def after(checks: int) -> Callable[[int], bool]:
    """Stopped from this question on."""
    asked = iter(range(1000))
    return lambda index: next(asked) >= checks


def test_a_stop_before_the_first_step_leaves_no_image(tiny: LocalImage) -> None:
    output = answer(tiny, request(), lambda index: True)
    assert (output.finish, output.images, output.output_tokens) == ("cancelled", (), 0)
    assert output.notes == ("Stopped before the first step: there is no image.",)


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_a_stop_ends_within_a_step_and_keeps_the_preview(tiny: LocalImage, steps: int) -> None:
    events = list(tiny.generate([request(steps=4)], after(steps)))
    (output,) = answers(events)
    assert (output.finish, output.output_tokens) == ("cancelled", steps)
    assert output.notes == (f"Stopped at step {steps} of 4: this is the preview.",)
    assert events[-2].preview == output.images[0], "a preview of the image's own size is the image"  # type: ignore[union-attr]


def test_a_stopped_image_has_the_size_that_was_asked_for(tiny: LocalImage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "SMALL", 0)
    decoded = False

    def decode(*args: object) -> None:
        nonlocal decoded
        decoded = True

    monkeypatch.setattr(preview, "decode", decode)
    output = answer(tiny, request(), after(2))
    assert opened(output.images[0]).size == (32, 64)
    assert not decoded, "the decoder may take longer than a step"


def test_a_stop_without_a_quick_preview_leaves_no_image(tiny: LocalImage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "quick", lambda vae, estimate: None)
    events = list(tiny.generate([request()], after(2)))
    assert events[1].preview == b""  # type: ignore[union-attr]
    assert answers(events)[0].images == ()
    assert answers(events)[0].notes == ("Stopped at step 2 of 3: there is no image.",)


def test_one_of_two_can_be_stopped(tiny: LocalImage) -> None:
    first, second = answers(list(tiny.generate([request(), request(seed=2)], lambda index: index == 0)))
    assert (first.finish, second.finish) == ("cancelled", "stop")


# What is said of the words


def test_a_prompt_that_is_too_long_says_how_much_was_not_read(tiny: LocalImage) -> None:
    fits, long = answer(tiny, request("r " * 75)), answer(tiny, request("r " * 90))
    assert (fits.prompt_tokens, fits.notes) == (75, ())
    assert long.prompt_tokens == 90
    assert long.notes == ("The prompt has 90 tokens and the model reads 75: the last 15 were not read.",)
    assert long.images == fits.images


@pytest.mark.parametrize("special", ["<|startoftext|>", "<|endoftext|>"])
def test_a_special_token_that_a_person_types_is_drawn_as_text(tiny: LocalImage, special: str) -> None:
    typed, plain = answer(tiny, request(f"the {special} red fox")), answer(tiny, request("the red fox"))
    assert typed.prompt_tokens == plain.prompt_tokens + len(special), "every letter is a token of this tokenizer"
    assert typed.images != plain.images
    assert answer(tiny, request(f"{special} " * 6)).notes, "and counted as such"


def test_a_negative_prompt_that_is_too_long_is_told_too(tiny: LocalImage) -> None:
    (note,) = answer(tiny, request(negative_prompt="r " * 80)).notes
    assert note == "The negative prompt has 80 tokens and the model reads 75: the last 5 were not read."


@pytest.mark.parametrize("guidance", [0.0, 1.0])
def test_a_negative_prompt_without_guidance_is_not_used(tiny: LocalImage, guidance: float) -> None:
    output = answer(tiny, request(guidance_scale=guidance, negative_prompt="blue"))
    assert output.notes == ("The negative prompt was not used: the model was asked without guidance (1 or below).",)
    assert output.images == answer(tiny, request(guidance_scale=guidance)).images


def test_a_distilled_model_uses_no_negative_prompt_but_its_guidance(models: dict[str, LocalImage]) -> None:
    model = models["distilled"]
    output = answer(model, request(scheduler="LCM", negative_prompt="blue"))
    assert output.notes == ("The negative prompt was not used: the model has its guidance built in.",)
    assert output.images == answer(model, request(scheduler="LCM")).images
    assert output.images != answer(model, request(scheduler="LCM", guidance_scale=9.0)).images


@pytest.mark.parametrize("text", ["", "\x00", "\u202e", "<|endoftext|>", "{x} %s", " " * 50, "🦊 é 東京"])
def test_odd_prompts_are_drawn(tiny: LocalImage, text: str) -> None:
    assert answer(tiny, request(text, steps=1)).finish == "stop"


# The safety checker


def test_an_image_that_the_checker_takes_away_is_explained(
    models: dict[str, LocalImage], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models["checked"]
    calm = answer(model, request())
    assert calm.notes == ()
    assert calm.provenance["safety_checker"] is True
    monkeypatch.setattr(model._components.safety_checker.concept_embeds_weights, "data", torch.full((17,), -2.0))
    taken = answer(model, request())
    assert opened(taken.images[0]).getextrema() == ((0, 0),) * 3
    assert opened(taken.images[0]).size == (32, 64)
    (note,) = taken.notes
    assert "replaced it by black" in note
    assert "errs often" in note


def test_the_recipe_says_that_there_is_no_checker(tiny: LocalImage) -> None:
    assert answer(tiny, request(steps=1)).provenance["safety_checker"] is False


# Bad requests


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("steps", 0, "Steps must be from 1 to 50; it is 0."),
        ("steps", 4.5, "Steps must be a whole number"),
        ("steps", "9", "Steps must be a number from 1 to 50, not str."),
        ("guidance_scale", 99.0, "Guidance must be from 0 to 20; it is 99."),
        ("guidance_scale", float("nan"), "Guidance must be a finite number"),
        ("size", "64", "Size must be one of 64x64"),
        ("size", "4096x4096", "Size must be one of"),
        ("size", "50x50", "Size must be a multiple of 4 pixels each way; it is 50x50."),
        ("scheduler", "Heun", "Scheduler must be one of DPM++ 2M Karras"),
        ("negative_prompt", ("a",), "Negative prompt must be text, not tuple."),
    ],
)
def test_a_bad_parameter_fails_its_request_alone(tiny: LocalImage, name: str, value: Value, sentence: str) -> None:
    events = list(tiny.generate([request("secret", **{name: value}), request(steps=1)], never))
    (failed,) = (event for event in events if isinstance(event, Failed))
    assert (failed.index, failed.kind) == (0, "InvalidInput")
    assert sentence in failed.error
    assert "secret" not in failed.error
    assert answers(events)[0].finish == "stop"


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, None, True])
def test_a_bad_seed_fails(tiny: LocalImage, seed: int) -> None:
    assert "seed must be a whole number" in failure(tiny, request(seed=seed)).error


def test_what_is_missing_takes_the_rows_default_and_foreign_names_are_left_alone() -> None:
    row = catalog.spec("lcm-dreamshaper-v7")
    read = parameters.read({"steps": None, "top_k": 3}, row.parameters)
    assert (read.steps, read.guidance_scale, read.scheduler, read.pixels) == (4, 8.0, "LCM", (512, 512))
    with pytest.raises(InvalidInput, match="must be one of LCM; it is 'DDIM'"):
        parameters.read({"scheduler": "DDIM"}, row.parameters)


def test_a_model_that_fails_says_its_class_and_works_on(tiny: LocalImage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise RuntimeError("not enough memory for secret")

    with monkeypatch.context() as patch:
        patch.setattr(tiny._components.unet, "forward", fails)
        failed = failure(tiny, request("secret"))
    assert "RuntimeError" in failed.error
    assert "secret" not in failed.error
    assert answer(tiny, request(steps=1)).finish == "stop"


def test_numbers_that_are_not_finite_are_no_image(tiny: LocalImage, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = torch.full((2, 4, 32, 16), torch.nan)
    monkeypatch.setattr(tiny._components.unet, "forward", lambda *args, **kwargs: (broken,))
    assert "not finite" in failure(tiny, request()).error


# Opening


def test_the_recipe_names_what_a_replay_needs(tiny: LocalImage) -> None:
    recipe = answer(tiny, request(scheduler="Euler")).provenance
    assert recipe["rendered_prompt"] == PROMPT
    assert (recipe["source"], recipe["revision"], recipe["scheduler"]) == ("zero-snr", "main", "Euler")
    assert (recipe["size"], recipe["batch_size"], recipe["device"], recipe["dtype"]) == ("32x64", 1, "cpu", "float32")
    assert recipe["threads"] == 1
    assert set(recipe["versions"]) >= {"python", "torch", "diffusers", "transformers"}  # type: ignore[call-overload]
    json.dumps(recipe)


def test_opening_says_what_it_is_doing_and_closing_lets_go(rows: dict[str, ModelSpec], settings: Settings) -> None:
    notes: list[str] = []
    free = replace(settings, threads=0)
    model = local_image.open_model(rows["zero-snr"], free, lambda progress: notes.append(progress.note))
    assert notes == ["reading Tiny zero-snr"] * 2
    assert model.max_batch == 1
    assert answer(model, request(steps=1)).provenance["threads"] == torch.get_num_threads() == 1, "for so small a model"
    unet = model._components.unet
    assert {weight.dtype for weight in unet.parameters()} == {torch.float32}
    model.close()
    assert not hasattr(model, "_components")


def test_half_floats_are_read_into_float32(
    copied: Callable[[str, str], tuple[ModelSpec, Path]], settings: Settings
) -> None:
    row, folder = copied("checked", "halves")
    for file in list(folder.rglob("*.safetensors")):
        tensors = safetensors.torch.load_file(file)
        halves = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
        safetensors.torch.save_file(halves, file.with_name(f"{file.stem}.fp16.safetensors"), {"format": "pt"})
        file.unlink()
    row = replace(row, files=catalog.spec("stable-diffusion-v1-5").files)
    model = local_image.open_model(row, settings)
    assert {weight.dtype for part in model._components.models for weight in part.parameters()} == {torch.float32}
    assert answer(model, request()).finish == "stop"


def test_weights_by_their_older_names_are_found(
    copied: Callable[[str, str], tuple[ModelSpec, Path]], models: dict[str, LocalImage], settings: Settings
) -> None:
    """As the files of 2022 have them: nothing may be left as random numbers."""
    row, folder = copied("checked", "older")
    older = {
        "text_encoder/model": lambda name: f"text_model.{name.removeprefix('text_model.')}",
        "safety_checker/model": lambda name: (
            name.replace("vision_model.", "vision_model.vision_model.", 1)
            if name.startswith("vision_model.") and not name.startswith("vision_model.vision_model.")
            else name
        ),
        "vae/diffusion_pytorch_model": lambda name: (
            name.replace("to_q", "query")
            .replace("to_k", "key")
            .replace("to_v", "value")
            .replace("to_out.0", "proj_attn")
        ),
    }
    for stem, rename in older.items():
        file = folder / f"{stem}.safetensors"
        tensors = safetensors.torch.load_file(file)
        safetensors.torch.save_file({rename(name): tensor for name, tensor in tensors.items()}, file, {"format": "pt"})
        assert {rename(name) for name in tensors} != set(tensors) or stem.startswith(("text", "safety"))
    model = local_image.open_model(row, settings)
    for old, new in zip(model._components.models, models["checked"]._components.models, strict=True):
        assert all(torch.equal(one, other) for one, other in zip(old.parameters(), new.parameters(), strict=True))
    assert answer(model, request()).images == answer(models["checked"], request()).images


@pytest.mark.parametrize("harm", ["truncated", "huge header", "missing", "other model", "other part", "no config"])
def test_broken_or_other_files_are_refused(
    copied: Callable[[str, str], tuple[ModelSpec, Path]], settings: Settings, harm: str
) -> None:
    row, folder = copied("zero-snr", f"harmed {harm}".replace(" ", "-"))
    weights, index = folder / "unet" / "diffusion_pytorch_model.safetensors", folder / "model_index.json"
    if harm == "truncated":
        weights.write_bytes(weights.read_bytes()[:5000])
    elif harm == "huge header":
        weights.write_bytes((1 << 60).to_bytes(8, "little") + weights.read_bytes()[8:])
    elif harm == "missing":
        tensors = safetensors.torch.load_file(weights)
        tensors.pop(sorted(tensors)[0])
        safetensors.torch.save_file(tensors, weights, {"format": "pt"})
    elif harm == "no config":
        (folder / "unet" / "config.json").write_text("{")
    else:
        change = (
            {"unet": ["evil", "MyUNet"]} if harm == "other part" else {"unet": None, "transformer": ["diffusers", "X"]}
        )
        index.write_text(json.dumps(json.loads(index.read_text()) | change))
    with pytest.raises(ModelRefused) as caught:
        local_image.open_model(row, settings)
    assert "Tiny zero-snr" in str(caught.value)


def test_code_in_a_folder_is_never_run(
    copied: Callable[[str, str], tuple[ModelSpec, Path]], settings: Settings
) -> None:
    row, folder = copied("zero-snr", "coded")
    touched = folder / "touched"
    code = f"open({str(touched)!r}, 'w')\n"
    for place in ("pipeline.py", "unet/my_unet.py", "unet/diffusion_pytorch_model.py"):
        (folder / place).write_text(code)
    index = json.loads((folder / "model_index.json").read_text())
    changed = index | {"_class_name": ["pipeline", "Evil"], "unet": ["my_unet", "UNet2DConditionModel"]}
    (folder / "model_index.json").write_text(json.dumps(changed))
    assert answer(local_image.open_model(row, settings), request(steps=1)).finish == "stop"
    assert not touched.exists()


# Through the worker process


@pytest.fixture
def studio(settings: Settings, rows: dict[str, ModelSpec]) -> Iterator[Studio]:
    with hired(settings, rows["zero-snr"]) as made:
        yield made


@pytest.mark.timeout(120)
def test_an_image_comes_through_the_worker_and_a_stop_keeps_what_there_is(tiny: LocalImage, studio: Studio) -> None:
    studio.submit("whole", request())
    until(lambda: studio.cell("whole").state is not State.QUEUED)
    wait_for(lambda: studio.engine.snapshot("whole", "ann").state.final)  # the process imports torch first
    assert studio.ended("whole").output.images == answer(tiny, request()).images  # type: ignore[union-attr]
    studio.submit("long", request(steps=50, size="64x64"))
    until(lambda: studio.cell("long").preview != b"")
    running = studio.cell("long")
    studio.engine.cancel("long", "ann")
    done = round(running.fraction * 50)
    assert running.note.startswith(f"step {done} of 50, about ")
    stopped = studio.ended("long")
    assert stopped.state is State.CANCELLED
    output = stopped.output
    assert output is not None
    assert done <= output.output_tokens < 50, "the worker may be a few quick steps ahead of what is seen here"
    assert output.notes == (f"Stopped at step {output.output_tokens} of 50: this is the preview.",)
    assert opened(output.images[0]).size == (64, 64)


def test_the_model_that_ships_draws(tmp_path: Path) -> None:
    row = catalog.spec("tiny-image")
    settings = Settings(data=tmp_path, threads=1, offline=True)
    model = local_image.open_model(row, settings)
    one = Request(messages=(Message("user", "a red circle"),), parameters={"steps": 8}, seed=1)
    output = answer(model, one)
    assert opened(output.images[0]).size == (64, 64)
    assert output.images == answer(model, one).images
