"""Sound on this machine: the same request gives the same file, progress is told, and a stop keeps what there is."""

from __future__ import annotations

import io
import json
import shutil
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy
import pytest
import safetensors.torch
import torch
import transformers

from core import catalog, repository
from core.errors import ModelRefused
from core.providers import local_audio
from core.providers.local.gumbel_noise import GumbelNoise
from core.providers.local_audio import LocalAudio, music, parameters, speech, wav
from core.settings import Settings
from core.types import (
    Event,
    Failed,
    Finished,
    Message,
    ModelSpec,
    Output,
    Request,
    State,
    Value,
)
from tests.support import fake_hub, tiny_audio
from tests.support.fakes import until, wait_for
from tests.support.studio import Studio, hired

PROMPT = "the quick fox and the dog"
TEXT = "The quick fox. It jumps over the dog! Is it tired?"


def never(index: int) -> bool:
    return False


def after(checks: int) -> Callable[[int], bool]:
    """Stopped from this question on."""
    asked = iter(range(10_000))
    return lambda index: next(asked) >= checks


def request(text: str = PROMPT, seed: int = 1, **parameters: Value) -> Request:
    return Request(messages=(Message("user", text),), parameters=parameters, seed=seed)


def answers(events: Sequence[Event]) -> list[Output]:
    return [event.output for event in events if isinstance(event, Finished)]


def answer(model: LocalAudio, one: Request, stopped: Callable[[int], bool] = never) -> Output:
    (output,) = answers(list(model.generate([one], stopped)))
    return output


def failure(model: LocalAudio, one: Request) -> Failed:
    (event,) = model.generate([one], never)
    assert isinstance(event, Failed)
    return event


def heard(audio: bytes) -> numpy.ndarray:
    """The samples of a WAV file, which is mono, of 16 bits and of the tiny models' rate."""
    with wave.open(io.BytesIO(audio)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, tiny_audio.RATE)
        return numpy.frombuffer(file.readframes(file.getnframes()), "<i2")


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("models")
    return Settings(data=folder / "data", models=folder, threads=1, offline=True)


@pytest.fixture(scope="module")
def rows(settings: Settings) -> dict[str, ModelSpec]:
    return {
        "music": tiny_audio.musicgen(settings.models / "music"),
        "wide": tiny_audio.musicgen(settings.models / "wide", width=32, half=True),
        "speech": tiny_audio.vits(settings.models / "speech"),
    }


@pytest.fixture(scope="module")
def models(settings: Settings, rows: dict[str, ModelSpec]) -> dict[str, LocalAudio]:
    return {kind: local_audio.open_model(row, settings) for kind, row in rows.items()}


@pytest.fixture(scope="module")
def tiny(models: dict[str, LocalAudio]) -> LocalAudio:
    return models["music"]


@pytest.fixture(scope="module")
def voice(models: dict[str, LocalAudio]) -> LocalAudio:
    return models["speech"]


@pytest.fixture
def copied(rows: dict[str, ModelSpec], settings: Settings) -> Callable[[str, str], tuple[ModelSpec, Path]]:
    """A model's files under another name, to be harmed."""

    def copy(kind: str, name: str) -> tuple[ModelSpec, Path]:
        shutil.copytree(settings.models / kind, settings.models / name)
        return replace(rows[kind], source=name), settings.models / name

    return copy


# Music is what transformers makes


def made_by_transformers(folder: Path, text: str, frames: int, guidance: float) -> bytes:
    torch.set_num_threads(1)
    model = transformers.MusicgenForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    tokens = transformers.AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    found = model.generate(
        input_ids=tokens["input_ids"],
        attention_mask=tokens["attention_mask"],
        do_sample=False,
        guidance_scale=guidance,
        max_new_tokens=frames + tiny_audio.CODEBOOKS - 1,
    )
    return wav.encode(found[0, 0], tiny_audio.RATE)


@pytest.mark.parametrize("guidance", [1.0, 3.0])
@pytest.mark.parametrize("kind", ["music", "wide"])
def test_greedy_music_is_the_one_that_transformers_makes(
    models: dict[str, LocalAudio], settings: Settings, kind: str, guidance: float
) -> None:
    output = answer(models[kind], request(temperature=0, guidance_scale=guidance, duration=0.5))
    assert output.audio == made_by_transformers(settings.models / kind, PROMPT, 20, guidance)
    assert len(numpy.unique(heard(output.audio))) > 50, "not silence"


def test_codes_are_drawn_as_their_probabilities_say() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0, -1.0]]).repeat(20_000, 1)
    noise = GumbelNoise(3)
    for temperature, top_k in ((1.0, 0), (0.5, 0), (1.0, 2)):
        drawn = music.sample(logits, parameters.MusicParameters(temperature=temperature, top_k=top_k), noise)
        expected = (logits[0] / temperature).softmax(-1)
        if top_k:
            expected = torch.tensor([0.0, 1.0, 2.0, -torch.inf])
            expected[0] = -torch.inf
            expected = expected.softmax(-1)
        shares = torch.bincount(drawn, minlength=4) / len(drawn)
        assert float((shares - expected).abs().max()) < 0.015


def test_no_code_is_drawn_where_the_pattern_has_none(tiny: LocalAudio) -> None:
    """Each codebook is a step behind the one before it; every frame is whole when the last step is done."""
    piece = tiny._model.begin(request(duration=0.2))
    assert isinstance(piece, music.MusicGeneration)
    whole = []
    for _ in piece.steps():
        whole.append(piece.frames)
        frames = piece._codes[:, : piece.frames]
        assert int(frames.max()) < 64 if frames.numel() else True
    assert whole == [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]
    assert piece._codes.shape == (tiny_audio.CODEBOOKS, 8)


# Speech is what transformers makes


def spoken_by_transformers(folder: Path, text: str, seed: int, **settings: float) -> torch.Tensor:
    torch.set_num_threads(1)
    model = transformers.VitsModel.from_pretrained(folder, dtype=torch.float32, **settings).eval()
    tokens = transformers.AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    transformers.set_seed(seed)
    with torch.inference_mode():
        return model(**tokens).waveform[0]


@pytest.mark.parametrize("changes", [{}, {"speaking_rate": 0.5, "noise_scale": 0.2}])
def test_a_sentence_is_spoken_as_transformers_speaks_it(
    voice: LocalAudio, settings: Settings, changes: dict[str, float]
) -> None:
    output = answer(voice, request("the dog", seed=5, **changes))
    samples = spoken_by_transformers(settings.models / "speech", "the dog", 5, **changes)
    assert output.audio == wav.encode(samples, tiny_audio.RATE)
    assert output.output_tokens == len(samples) // 16


def test_sentences_follow_each_other_with_pauses(voice: LocalAudio, settings: Settings) -> None:
    samples = heard(answer(voice, request(TEXT, seed=5)).audio)
    first = spoken_by_transformers(settings.models / "speech", "The quick fox.", 5)
    assert numpy.array_equal(samples[: len(first)], heard(wav.encode(first, tiny_audio.RATE)))
    pause = round(speech.PAUSE_SECONDS * tiny_audio.RATE)
    assert not samples[len(first) : len(first) + pause].any()
    assert samples[len(first) + pause :].any()


def test_speed_makes_speech_shorter(voice: LocalAudio) -> None:
    slow, quick = (len(heard(answer(voice, request(speaking_rate=rate)).audio)) for rate in (0.5, 2.0))
    assert slow > 1.5 * quick


def test_speech_leaves_the_process_and_the_model_as_they_were(voice: LocalAudio) -> None:
    torch.manual_seed(9)
    expected = torch.rand(3)
    torch.manual_seed(9)
    answer(voice, request(noise_scale=0.1))
    assert torch.equal(torch.rand(3), expected)
    assert voice._model.model.noise_scale == 0.667  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two!  Three?", ["One.", "Two!", "Three?"]),
        ("It costs 3.50 at Dr.Who's", ["It costs 3.50 at Dr.Who's"]),
        ('He said "go." Then\nhe left\n\n', ['He said "go.', "Then", "he left"]),
        ("She said don\u2019t\u2026 Go", ["She said don't\u2026", "Go"]),
        ("", []),
        ("x" * 330, ["x" * 160, "x" * 160, "x" * 10]),
    ],
)
def test_a_text_is_parted_into_sentences(text: str, parts: list[str]) -> None:
    assert speech.sentences(text) == parts


def test_a_long_sentence_is_parted_at_commas_and_between_words() -> None:
    clause = " ".join(["word"] * 30)
    parts = speech.sentences(f"{clause}, {clause}, {clause} {clause} {clause}")
    assert all(len(part) <= speech.LONGEST for part in parts)
    assert parts[0] == f"{clause},"
    assert " ".join(parts) == f"{clause}, {clause}, {clause} {clause} {clause}"


# The same again


@pytest.mark.parametrize("kind", ["music", "wide", "speech"])
def test_the_same_request_gives_the_same_file_alone_and_after_others(models: dict[str, LocalAudio], kind: str) -> None:
    model, one, other = models[kind], request(TEXT, seed=7), request("blue. dog.", seed=8)
    alone = answer(model, one)
    assert [output.audio for output in answers(list(model.generate([other, one], never)))][1] == alone.audio
    assert answer(model, other, after(1)).finish == "cancelled"
    torch.manual_seed(99)
    assert answer(model, one).audio == alone.audio


@pytest.mark.parametrize("kind", ["music", "speech"])
def test_two_requests_side_by_side_do_not_meet(models: dict[str, LocalAudio], kind: str) -> None:
    requests = [request(TEXT, seed=7), request(TEXT, seed=8)]
    alone = [answer(models[kind], one).audio for one in requests]
    walks = [models[kind].generate([one], never) for one in requests]
    turns = [event for pair in zip(*walks, strict=True) for event in pair]
    assert [output.audio for output in answers(turns)] == alone


def test_seeds_prompts_and_settings_change_the_sound(tiny: LocalAudio, voice: LocalAudio) -> None:
    for model, changes in (
        (tiny, [{"guidance_scale": 9.0}, {"temperature": 2.0}, {"top_k": 1}, {"duration": 0.6}]),
        (voice, [{"speaking_rate": 1.5}, {"noise_scale": 0.1}]),
    ):
        asked = [request(), request(seed=2), request("blue"), *(request(**change) for change in changes)]  # type: ignore[arg-type]
        assert len({answer(model, one).audio for one in asked}) == len(asked)


def test_a_longer_piece_begins_as_the_shorter_one(tiny: LocalAudio) -> None:
    short, long = (tiny._model.begin(request(duration=length)) for length in (0.5, 1.0))
    for piece in (short, long):
        list(piece.steps())
    assert isinstance(short, music.MusicGeneration)
    assert isinstance(long, music.MusicGeneration)
    same = 20 - tiny_audio.CODEBOOKS + 1  # from there on, the shorter one's first codebook has ended
    assert torch.equal(short._codes[:, :same], long._codes[:, :same])


def test_messages_are_joined_by_blank_lines(tiny: LocalAudio) -> None:
    parted = replace(request(), messages=(Message("system", "calm"), Message("user", " "), Message("user", "a fox")))
    output = answer(tiny, parted)
    assert output.provenance["rendered_prompt"] == "calm\n\na fox"
    assert output.audio == answer(tiny, request("calm\n\na fox")).audio


# How it goes


@pytest.mark.parametrize("seconds", [0.1, 0.5, 1.25])
def test_a_piece_is_as_long_as_was_asked_for(tiny: LocalAudio, seconds: float) -> None:
    output = answer(tiny, request(duration=seconds))
    frames = round(seconds * 40)
    assert output.output_tokens == frames
    assert len(heard(output.audio)) == frames * tiny_audio.HOP
    assert output.provenance["duration"] == frames / 40
    assert output.provenance["sampling_rate"] == tiny_audio.RATE


def test_every_step_of_music_is_told(tiny: LocalAudio) -> None:
    *steps, last = tiny.generate([request()], never)
    assert [(event.index, event.done, event.total) for event in steps] == [(0, float(i), 23.0) for i in range(24)]  # type: ignore[union-attr]
    notes = [event.note for event in steps]  # type: ignore[union-attr]
    assert notes[0] == "0.0 of 0.5 s of sound"
    assert notes[15].startswith("0.3 of 0.5 s of sound, about ")
    assert notes[15].endswith(" left")
    assert notes[-1] == "0.5 of 0.5 s of sound"
    output = answers([last])[0]
    assert (output.text, output.finish, output.output_tokens, output.notes) == ("", "stop", 20, ())
    assert output.prompt_tokens > 4
    assert output.seconds > 0


def test_every_sentence_is_told(voice: LocalAudio) -> None:
    *steps, last = voice.generate([request(TEXT)], never)
    total = steps[0].total  # type: ignore[union-attr]
    assert [event.note.split(",")[0] for event in steps] == [f"{i} of 3 sentences" for i in range(4)]  # type: ignore[union-attr]
    assert [event.done for event in steps][::3] == [0.0, total]  # type: ignore[union-attr]
    assert " s of sound, about " in steps[1].note  # type: ignore[union-attr]
    output = answers([last])[0]
    assert (output.finish, output.prompt_tokens, output.notes) == ("stop", total, ())
    assert output.provenance["duration"] == round(len(heard(output.audio)) / tiny_audio.RATE, 3)


# Stopping


@pytest.mark.parametrize("kind", ["music", "speech"])
def test_a_stop_before_the_first_step_leaves_no_sound(models: dict[str, LocalAudio], kind: str) -> None:
    output = answer(models[kind], request(), lambda index: True)
    assert (output.finish, output.audio, output.output_tokens) == ("cancelled", b"", 0)
    assert output.notes[0].endswith("of sound: there is no sound.")


@pytest.mark.parametrize(("steps", "frames"), [(1, 0), (3, 0), (4, 1), (13, 10)])
def test_a_stop_ends_within_a_step_and_keeps_the_sound_so_far(tiny: LocalAudio, steps: int, frames: int) -> None:
    whole = tiny._model.begin(request())
    list(whole.steps())
    events = list(tiny.generate([request()], after(steps)))
    assert len(events) == steps + 2, "the beginning, the steps, the end"
    (output,) = answers(events)
    assert (output.finish, output.output_tokens) == ("cancelled", frames)
    if frames:
        expected = tiny._model.decode_codes(whole._codes[:, :frames])  # type: ignore[attr-defined]
        assert output.audio == wav.encode(expected, tiny_audio.RATE)
        assert output.notes == (f"Stopped at {frames / 40:.1f} of 0.5 s of sound: this is the sound so far.",)
    else:
        assert output.audio == b""


def test_speech_that_is_stopped_keeps_its_sentences(voice: LocalAudio, settings: Settings) -> None:
    output = answer(voice, request(TEXT, seed=5), after(1))
    first = spoken_by_transformers(settings.models / "speech", "The quick fox.", 5)
    assert output.finish == "cancelled"
    assert output.audio == wav.encode(first, tiny_audio.RATE)
    seconds = len(first) / tiny_audio.RATE
    assert output.notes == (f"Stopped at 1 of 3 sentences, {seconds:.1f} s of sound: this is the sound so far.",)


def test_a_stop_after_the_last_step_takes_nothing_away(tiny: LocalAudio) -> None:
    output = answer(tiny, request(), after(23))
    assert (output.finish, output.audio, output.notes) == ("stop", answer(tiny, request()).audio, ())


def test_one_of_two_can_be_stopped(tiny: LocalAudio) -> None:
    first, second = answers(list(tiny.generate([request(), request(seed=2)], lambda index: index == 0)))
    assert (first.finish, second.finish) == ("cancelled", "stop")


# What is refused


@pytest.mark.parametrize(
    ("kind", "parameters", "sentence"),
    [
        ("music", {"duration": 31}, "Duration must be from 0.1 to 30; it is 31."),
        ("music", {"duration": "4"}, "Duration must be a number from 0.1 to 30, not str."),
        ("music", {"guidance_scale": float("nan")}, "Guidance must be a finite number from 0 to 10."),
        ("music", {"temperature": -1}, "Temperature must be from 0 to 2; it is -1."),
        ("music", {"top_k": 2.5}, "Top-k must be a whole number from 0 to 1000."),
        ("speech", {"speaking_rate": 0}, "Speed must be from 0.5 to 2; it is 0."),
        ("speech", {"noise_scale": True}, "Variation must be a number from 0 to 1.5, not bool."),
    ],
)
def test_what_does_not_fit_is_told_what_would(
    models: dict[str, LocalAudio], kind: str, parameters: dict[str, Value], sentence: str
) -> None:
    failed = failure(models[kind], request(**parameters))
    assert (failed.error, failed.kind) == (sentence, "InvalidInput")


@pytest.mark.parametrize("kind", ["music", "speech"])
@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_prompt_is_refused(models: dict[str, LocalAudio], kind: str, text: str) -> None:
    assert failure(models[kind], request(text)).error == "The prompt is empty. Write what is to be heard."


@pytest.mark.parametrize("seed", [-1, 2**63, True, 1.5])
def test_a_seed_that_is_none_is_refused(models: dict[str, LocalAudio], seed: int) -> None:
    assert all(failure(models[kind], request(seed=seed)).kind == "InvalidInput" for kind in ("music", "speech"))


def test_a_prompt_that_is_too_long_is_refused_with_the_numbers(tiny: LocalAudio, voice: LocalAudio) -> None:
    failed = failure(tiny, request("dog " * 300))
    assert failed.kind == "PromptTooLong"
    assert "and Tiny music reads 128. Shorten it." in failed.error
    failed = failure(voice, request("the dog jumps. " * 60))
    assert failed.error == "The text has 1620 tokens and Tiny speech reads 600 at once. Shorten it."


def test_signs_that_a_voice_does_not_know_are_named(voice: LocalAudio) -> None:
    output = answer(voice, request("The 3 dogs, 3 of 42%: (nice!)"))
    assert output.notes == ("The model does not know these signs, so they were not read: 3 4 2 %.",)
    many = answer(voice, request("dog 東京の夜東京都港区芝公園123"))
    assert many.notes[0].endswith(" and 3 more.")
    assert "none of the prompt's signs" in failure(voice, request("東京. 123!")).error


def test_a_special_token_that_a_person_types_is_heard_as_text(tiny: LocalAudio, voice: LocalAudio) -> None:
    typed = answer(tiny, request("the <|endoftext|> fox"))
    assert typed.prompt_tokens > answer(tiny, request("the fox")).prompt_tokens + 1
    assert typed.audio != answer(tiny, request("the fox")).audio
    assert answer(voice, request("the <unk> fox")).prompt_tokens == answer(voice, request("the unk fox")).prompt_tokens


def test_parameters_of_other_models_are_left_alone(tiny: LocalAudio) -> None:
    assert answer(tiny, request(max_new_tokens="x", speaking_rate=99)).audio == answer(tiny, request()).audio


def test_a_failure_of_one_request_is_its_own_and_tells_no_words(
    tiny: LocalAudio, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tiny.generate([request(""), request("")], never)
    assert (first.index, second.index) == (0, 1)
    monkeypatch.setattr(tiny._model, "encode_prompt", lambda *args, **named: 1 / 0)
    *_, failed = tiny.generate([request("secret")], never)
    assert isinstance(failed, Failed)
    assert "ZeroDivisionError" in failed.error
    assert "secret" not in failed.error


def test_numbers_that_are_not_finite_are_no_sound(tiny: LocalAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiny._model, "decode_codes", lambda codes: torch.full((10,), torch.nan))
    *_, failed = tiny.generate([request()], never)
    assert isinstance(failed, Failed)
    assert "not finite" in failed.error


def test_sound_that_is_too_loud_says_so(tiny: LocalAudio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiny._model, "decode_codes", lambda codes: torch.full((100,), 1.5))
    output = answer(tiny, request())
    assert "louder than a file can hold" in output.notes[0]
    assert set(heard(output.audio)) == {wav.PEAK}


def test_samples_are_written_as_they_are() -> None:
    samples = torch.tensor([0.0, 0.5, -0.5, 1.0, -1.0, 2.0])
    found = heard(wav.encode(samples, tiny_audio.RATE)) / wav.PEAK
    assert numpy.abs(found - samples.clamp(-1, 1).numpy()).max() < 1e-4


# Opening


@pytest.mark.parametrize("kind", ["music", "speech"])
def test_the_recipe_names_what_a_replay_needs(models: dict[str, LocalAudio], kind: str) -> None:
    recipe = answer(models[kind], request()).provenance
    assert recipe["rendered_prompt"] == PROMPT
    assert (recipe["source"], recipe["revision"], recipe["batch_size"]) == (kind, "main", 1)
    assert (recipe["device"], recipe["dtype"], recipe["threads"]) == ("cpu", "float32", 1)
    assert set(recipe["versions"]) >= {"python", "torch", "transformers", "tokenizers"}  # type: ignore[call-overload]
    json.dumps(recipe)


def test_opening_says_what_it_is_doing_and_closing_lets_go(rows: dict[str, ModelSpec], settings: Settings) -> None:
    notes: list[str] = []
    model = local_audio.open_model(
        rows["wide"], replace(settings, threads=0), lambda progress: notes.append(progress.note)
    )
    assert notes == ["reading Tiny wide"] * 2
    assert model.max_batch == 1
    assert answer(model, request(duration=0.1)).provenance["threads"] == torch.get_num_threads() == 1, (
        "for so small a model"
    )
    held = model._model.model  # type: ignore[attr-defined]
    assert {weight.dtype for weight in held.parameters()} == {torch.float32}, "whatever is on disk"
    model.close()
    assert not hasattr(model, "_model")


@pytest.mark.parametrize("kind", ["music", "speech"])
def test_weights_by_their_older_names_are_found(
    copied: Callable[[str, str], tuple[ModelSpec, Path]], models: dict[str, LocalAudio], settings: Settings, kind: str
) -> None:
    """As the files of 2023 have them: nothing may be left as random numbers."""
    row, folder = copied(kind, f"older-{kind}")
    file = folder / "model.safetensors"
    tensors = safetensors.torch.load_file(file)
    older = {
        name.replace("parametrizations.weight.original0", "weight_g").replace(
            "parametrizations.weight.original1", "weight_v"
        ): tensor
        for name, tensor in tensors.items()
    }
    assert set(older) != set(tensors)
    safetensors.torch.save_file(older, file, {"format": "pt"})
    assert answer(local_audio.open_model(row, settings), request()).audio == answer(models[kind], request()).audio


@pytest.mark.parametrize("harm", ["truncated", "missing", "other model", "no config", "code", "stereo", "pickle"])
def test_broken_or_other_files_are_refused(
    copied: Callable[[str, str], tuple[ModelSpec, Path]], settings: Settings, harm: str
) -> None:
    row, folder = copied("music", f"harmed-{harm}".replace(" ", "-"))
    weights, config = folder / "model.safetensors", folder / "config.json"
    change: dict[str, object] = {}
    if harm == "truncated":
        weights.write_bytes(weights.read_bytes()[:5000])
    elif harm == "missing":
        tensors = safetensors.torch.load_file(weights)
        tensors.pop("decoder.lm_heads.0.weight")
        safetensors.torch.save_file(tensors, weights, {"format": "pt"})
    elif harm == "pickle":
        torch.save(safetensors.torch.load_file(weights), folder / "pytorch_model.bin")
        weights.unlink()
    elif harm == "no config":
        config.write_text("{")
    else:
        read = json.loads(config.read_text())
        stereo = read["decoder"] | {"audio_channels": 2}
        change = {
            "other model": {"model_type": "bark"},
            "code": {"auto_map": {"AutoModel": "evil.Evil"}},
            "stereo": {"decoder": stereo},
        }[harm]
        config.write_text(json.dumps(read | change))
    with pytest.raises(ModelRefused) as caught:
        local_audio.open_model(row, settings)
    assert "Tiny music" in str(caught.value)


def test_a_voice_that_needs_another_program_is_refused(
    copied: Callable[[str, str], tuple[ModelSpec, Path]], settings: Settings
) -> None:
    row, folder = copied("speech", "phonemes")
    config = folder / "tokenizer_config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"is_uroman": True}))
    with pytest.raises(ModelRefused, match="not part of this app"):
        local_audio.open_model(row, settings)


# From the hub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[fake_hub.Hub]]:
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with fake_hub.Serving(tmp_path / "hub") as serving:
        monkeypatch.setenv("HF_ENDPOINT", serving.address)
        yield serving.handler


SPARE = ("pytorch_model.bin", "state_dict.bin", "compression_state_dict.bin", "handler.py", "README.md", "spiece.model")


@pytest.mark.parametrize(("name", "kind"), [("musicgen-small", "music"), ("mms-tts-eng", "speech")])
def test_a_model_is_read_from_its_repository_without_the_pickles(
    rows: dict[str, ModelSpec], settings: Settings, hub: type[fake_hub.Hub], name: str, kind: str
) -> None:
    """Beside the files that are read lies everything else that the two repositories have."""
    shutil.copytree(settings.models / kind, hub.folder)
    for spare in SPARE:
        (hub.folder / spare).write_bytes(b"never asked for")
    for plain in ("special_tokens_map.json", "preprocessor_config.json"):
        (hub.folder / plain).write_text("{}")
    row = replace(catalog.spec(name), download_bytes=1_000_000)
    hub.repo, hub.commit = row.source, row.revision
    one = replace(request(), parameters={"duration": 1.0})
    model = local_audio.open_model(row, replace(settings, offline=False))
    assert heard(answer(model, one).audio).any()
    assert repository.present(row, settings)
    asked = {path.rsplit("/", 1)[1].split("?")[0] for path in hub.asked if "/resolve/" in path}
    assert asked >= {"config.json", "model.safetensors", "tokenizer_config.json"}
    assert not asked & {*SPARE, "preprocessor_config.json"}


# Through the worker process


@pytest.fixture
def studio(settings: Settings, rows: dict[str, ModelSpec]) -> Iterator[Studio]:
    with hired(settings, rows["music"]) as made:
        yield made


@pytest.mark.timeout(120)
def test_a_sound_comes_through_the_worker_and_a_stop_keeps_what_there_is(tiny: LocalAudio, studio: Studio) -> None:
    studio.submit("whole", request())
    until(lambda: studio.cell("whole").state is not State.QUEUED)
    wait_for(lambda: studio.engine.snapshot("whole", "ann").state.final)  # the process imports torch first
    assert studio.ended("whole").output.audio == answer(tiny, request()).audio  # type: ignore[union-attr]
    studio.submit("long", request(duration=30))
    until(lambda: studio.cell("long").fraction > 0.02)
    running = studio.cell("long")
    studio.engine.cancel("long", "ann")
    assert " of 30.0 s of sound, about " in running.note
    stopped = studio.ended("long")
    assert stopped.state is State.CANCELLED
    output = stopped.output
    assert output is not None
    assert running.fraction * 1203 - 3 <= output.output_tokens < 1200
    assert len(heard(output.audio)) == output.output_tokens * tiny_audio.HOP
    assert output.notes[0].startswith("Stopped at ")


def test_the_model_that_ships_sounds(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, threads=1, offline=True)
    model = local_audio.open_model(catalog.spec("tiny-audio"), settings)
    one = Request(messages=(Message("user", "a piano melody"),), parameters={"duration": 1.0}, seed=1)
    output = answer(model, one)
    assert output.audio[:4] == b"RIFF"
    assert output.audio == answer(model, one).audio
