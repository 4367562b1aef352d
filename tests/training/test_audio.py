"""tiny-audio's sounds, captions, split, codec, judge and training, and the model that ships. Trains only toys."""

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from scipy.stats import binom
from transformers import AutoProcessor, MusicgenForConditionalGeneration

from training import loop
from training.audio import (
    captions,
    card,
    clips,
    codebooks,
    codec,
    evaluate,
    export,
    judge,
    sound,
    synthesis,
    text,
    train,
    vocabulary,
)
from training.audio.sound import Sound
from training.result import Result
from training.text.example import held_out

MODEL = Path(__file__).parents[2] / "models/tiny-audio"
HEARING = codec.Plan(width=32, books=4, codes=32, sounds=12)
TOY = train.Plan(
    steps=6,
    width=32,
    layers=1,
    heads=2,
    batch=4,
    sounds=10,
    pieces=300,
    learning_rate=1e-2,
    codec_plan=HEARING,
    text_plan=text.Plan(steps=3, width=32, layers=1, heads=2, batch=4),
)


@pytest.fixture(scope="module")
def tokenizer():
    return vocabulary.trained(1, 300)


def sounds(count: int, seed: int = 0) -> list[Sound]:
    rng = random.Random(seed)
    return [sound.sound(rng) for _ in range(count)]


def test_training_and_evaluation_share_no_combination():
    rng = random.Random(3)
    trained = {sound.for_training(rng).key for _ in range(3000)}
    judged = {sound.for_evaluation(rng).key for _ in range(300)}
    assert trained.isdisjoint(judged)
    assert all(map(held_out, judged))
    assert 20 < len(judged) < len(trained)


def test_training_knows_every_value_that_evaluation_asks_for():
    """Only combinations are new: each instrument, content, register and so on was heard."""
    rng = random.Random(4)
    heard: dict[str, set[str]] = {}
    for _ in range(4000):
        for name, value in judge.labels(sound.for_training(rng)).items():
            heard.setdefault(name, set()).add(value)
    assert heard == {name: set(values) for name, values in judge.READS.items()}


def test_evaluation_asks_for_every_instrument_content_and_property():
    asked = [one for one, _ in evaluate.held_out_captions(600)]
    assert {one.content for one in asked} >= {*sound.TUNED, "drums"}
    assert {one.instrument for one in asked} >= {*sound.INSTRUMENTS}
    assert {one.chord for one in asked} >= {*sound.CHORDS}


def test_a_caption_says_only_what_is_there():
    rng = random.Random(5)
    for one in sounds(1500):
        said = captions.caption(one, rng)
        assert all(getattr(one, name) == value for name, value in said.mentions.items())
        for other, words in captions.INSTRUMENTS.items():
            assert other == one.instrument or not any(f" {word} " in f" {said.text} " for word in words)
        assert "  " not in said.text


def test_a_caption_always_names_content_and_instrument():
    rng = random.Random(6)
    for one in sounds(400):
        said = captions.caption(one, rng).mentions
        assert said["content"] == one.content
        assert said.get("instrument", "") == one.instrument


def test_what_a_caption_leaves_open_is_left_to_chance():
    """Otherwise a prompt without a register would always get the same one."""
    rng = random.Random(7)
    silent = [one for one in sounds(1500) if "register" not in captions.caption(one, rng).mentions]
    assert {one.register for one in silent if one.register} == set(sound.REGISTERS)


def test_the_same_seed_renders_the_same_sounds():
    one, other, third = (list(clips.rendered(seed, 4)) for seed in ("a", "a", "b"))
    assert [heard for heard, _ in one] == [heard for heard, _ in clips.sounds("a", 4)]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(one, other, strict=True))
    assert not all(np.array_equal(a, b) for (_, a), (_, b) in zip(one, third, strict=True))


def test_every_sound_fills_three_seconds_without_clipping():
    for one in sounds(60):
        samples = synthesis.render(one, random.Random(1))
        assert samples.shape == (3 * synthesis.RATE,)
        assert np.abs(samples).max() == pytest.approx(synthesis.PEAKS[one.loudness])
        assert np.abs(samples[: synthesis.RATE]).max() > 0.03


def strongest(samples: np.ndarray) -> float:
    """The frequency with the most energy, in Hz."""
    return np.abs(np.fft.rfft(samples)).argmax() * synthesis.RATE / len(samples)


@pytest.mark.parametrize(
    ("register", "name", "frequency"), [("low", "C", 128), ("middle", "A", 426.7), ("high", "G", 768)]
)
def test_a_note_has_its_pitch(register, name, frequency):
    note = Sound("note", "flute", register=register, name=name)
    assert strongest(synthesis.render(note, random.Random(1))) == pytest.approx(frequency, abs=1)


def test_a_scale_goes_where_it_says():
    def parts(direction: str) -> tuple[float, float]:
        scale = Sound("scale", "flute", direction=direction, speed="slow", register="middle")
        samples = synthesis.render(scale, random.Random(2))
        return strongest(samples[200:3000]), strongest(samples[13_500:16_000])

    assert parts("up")[0] < parts("up")[1]
    assert parts("down")[0] > parts("down")[1]


def test_every_caption_fits_and_no_byte_is_unknown(tokenizer):
    rng = random.Random(8)
    for one in sounds(500):
        assert len(tokenizer(captions.caption(one, rng).text).input_ids) < vocabulary.LENGTH
    ids = tokenizer("Größe 漢字 🦊 zebra").input_ids
    assert tokenizer.pad_token_id not in ids
    assert tokenizer.decode(ids, skip_special_tokens=True).strip() == "größe 漢字 🦊 zebra"


def test_an_empty_caption_is_what_guidance_compares_with(tokenizer):
    _, mask = text.tokens(tokenizer, ["", "wind"])
    assert mask[0].sum() == 0 < mask[1].sum()


def test_k_means_finds_what_is_there():
    """Four heaps and twelve means: each heap gets one, and means that nobody is near do not stay so."""
    middles = torch.eye(4) * 9
    points = middles.repeat(50, 1) + torch.randn(200, 4, generator=torch.Generator().manual_seed(2)) * 0.1
    found = codebooks.means(points, torch.ones(200), 12, torch.Generator().manual_seed(3))
    apart = torch.cdist(points, found)
    assert apart.min(1).values.max() < 1
    assert set(apart.argmin(1).tolist()) == set(range(12))


@pytest.fixture(scope="module")
def listener():
    return codec.fit(HEARING)


def test_the_quick_way_back_is_the_models_own(listener):
    codes = codec.encode(listener, heard(4))
    quick, slow = codec.decode_fast(listener, codes), codec.decode(listener, codes)
    assert (quick - slow).norm() < 0.1 * slow.norm()


def heard(count: int) -> torch.Tensor:
    return torch.from_numpy(np.stack([samples for _, samples in clips.rendered("heard", count)]))


@pytest.mark.parametrize("size", [codec.BANDS, codec.SUBBANDS])
def test_the_transform_keeps_lengths_and_angles(size):
    """Overlapping windows too: so the transposed convolution is its inverse."""
    rows = codec.mdct_rows(size)
    assert torch.allclose(rows @ rows.T, torch.eye(size), atol=1e-5)
    assert torch.allclose(rows[:, :size] @ rows[:, size:].T, torch.zeros(size, size), atol=1e-5)


def test_without_codebooks_the_codec_gives_back_what_it_hears():
    whole = codec.new_model(replace(HEARING, width=synthesis.FRAME))
    codec.write_transform(whole)
    codec.write_directions(whole, torch.eye(synthesis.FRAME))
    samples = heard(4)
    with torch.no_grad():
        again = whole.decoder(whole.encoder(samples[:, None]))[:, 0]
    inner = slice(synthesis.FRAME, -synthesis.FRAME)  # the first and the last window lack a neighbour
    assert (again - samples)[:, inner].norm() < 0.04 * samples[:, inner].norm()


def test_the_quick_way_to_codes_is_the_models_own(listener):
    samples = heard(4)
    quick, slow = codec.encode(listener, samples), listener.encode(samples[:, None]).audio_codes[0]
    assert quick.shape == slow.shape == (4, HEARING.books, synthesis.FRAMES)
    assert (quick == slow).float().mean() > 0.95


def test_each_codebook_brings_the_sound_nearer(listener):
    samples = heard(8)
    codes = codec.encode(listener, samples)
    apart = []
    for books in range(1, HEARING.books + 1):
        with torch.no_grad():
            made = listener.decoder(listener.quantizer.decode(codes[:, :books].transpose(0, 1)))[:, 0]
        apart.append(float((made - samples).norm()))
    assert apart == sorted(apart, reverse=True)


def test_each_codebook_comes_one_step_after_the_one_before():
    codes = torch.arange(6).view(1, 2, 3)
    assert train.delay(codes, 9).tolist() == [[[9, 0, 1, 2, 9], [9, 9, 3, 4, 5]]]


def trainer(run: Path) -> train.Trainer:
    return train.prepared(run, TOY, resume=False, save_every=1)[0]


def test_a_run_keeps_its_tokens_when_captions_change(tmp_path, monkeypatch):
    first = train.run_tokenizer(tmp_path, TOY)
    monkeypatch.setattr(train.vocabulary, "trained", None)
    assert train.run_tokenizer(tmp_path, TOY)("a slow scale").input_ids == first("a slow scale").input_ids


def test_training_resumes_where_it_was(tmp_path):
    whole = trainer(tmp_path)
    list(whole.run())
    first = trainer(tmp_path)
    list(first.run(until_step=3))
    first.save(tmp_path / "checkpoint.pt")
    second = trainer(tmp_path)
    second.restore(tmp_path / "checkpoint.pt")
    list(second.run())
    assert second.counters.step == whole.counters.step == TOY.steps
    for a, b in zip(whole.average.parameters(), second.average.parameters(), strict=True):
        assert torch.equal(a, b)


def test_training_lowers_the_loss(tmp_path):
    made = trainer(tmp_path)
    made.plan = replace(TOY, steps=60)
    losses = list(made.run())
    assert np.mean(losses[-15:]) < 0.9 * np.mean(losses[:5])


def test_the_text_encoder_learns_what_captions_mention(tokenizer):
    plan = text.Plan(steps=120, width=32, layers=1, heads=2, batch=16, learning_rate=1e-2)
    losses = list(text.trainer(plan, tokenizer).run())
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[10:20])


def test_what_is_written_is_a_musicgen_in_float16(tmp_path):
    made, audio, tokenizer = train.prepared(tmp_path, TOY, resume=False, save_every=1)
    export.write(made.average.module.whole(audio), tokenizer, tmp_path / "out", vars(made.counters))
    with safe_open(tmp_path / "out/model.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
    model = MusicgenForConditionalGeneration.from_pretrained(tmp_path / "out", dtype=torch.float32)
    inputs = AutoProcessor.from_pretrained(tmp_path / "out")(text=["a note", "rain"], padding=True, return_tensors="pt")
    assert inputs.input_ids.tolist() == tokenizer(["a note", "rain"], padding=True).input_ids
    found = model.generate(**inputs)
    assert found.shape == (2, 1, synthesis.LENGTH)
    assert found.isfinite().all()


def test_generating_scores_as_training_does(tmp_path):
    """The same next codes, whether the decoder is asked as in training or as by `generate`."""
    made, audio, tokenizer = train.prepared(tmp_path, TOY, resume=False, save_every=1)
    composer = made.model.eval()
    ids, mask = text.tokens(tokenizer, ["a slow scale on a flute"])
    model = composer.whole(audio)
    model.generation_config = export.settings(model)
    with torch.no_grad():
        one = composer(torch.full((1, 4, 1), made.pad), ids, mask)[:, :, -1]
        other = model(input_ids=ids, attention_mask=mask, decoder_input_ids=torch.full((4, 1), made.pad)).logits[:, -1]
    assert torch.allclose(one[0], other, atol=1e-5)


def test_all_trainings_have_the_same_options():
    for presets in (train.PRESETS, {"cpu": judge.Plan()}):
        assert loop.parser("x", presets).parse_args(["--minutes", "2", "--resume"]).minutes == 2


def test_the_card_says_where_a_bar_is_missed():
    shares = {"instrument": 90, "content": 84, "direction": 80, "chord": 79, "speed": 95, "register": 80}
    results = [Result(what, "as the caption says", hits, 100) for what, hits in shares.items()]
    verdicts = [line.split("|")[-2].strip() for line in card.bars(results).splitlines()[2:]]
    assert verdicts == ["holds", "does not hold", "holds", "does not hold", "holds", "holds"]


@pytest.fixture(scope="module")
def held_out_sounds():
    return judge.held_out(150)


def test_the_judge_hears_synthesised_sounds(held_out_sounds):
    """It was never played these: held-out combinations, rendered here and now."""
    for name, (hits, number) in judge.agreement(judge.load(), *held_out_sounds).items():
        assert hits >= 0.8 * number, name


def test_the_judge_is_not_fooled_by_the_question(held_out_sounds):
    """A judge that said what is likely would read the same from noise."""
    shown, samples = held_out_sounds
    noise = torch.rand(samples.shape, generator=torch.Generator().manual_seed(1)) - 0.5
    hits, number = judge.agreement(judge.load(), shown, noise)["instrument"]
    assert hits < 0.5 * number


def published() -> dict[str, dict[str, float]]:
    results = json.loads((MODEL / "evaluation.json").read_text(encoding="utf-8"))["results"]
    return {r["what"]: r for r in results if r["measure"] == "as the caption says"}


@pytest.mark.parametrize("what", card.BARS)
def test_the_card_says_what_was_measured(what):
    row = published()[what]
    verdict = "holds" if row["share"] >= card.BARS[what] else "does not hold"
    assert f"| {row['share']:.1%} | {verdict} |" in (MODEL / "README.md").read_text(encoding="utf-8")


def test_the_shipped_folder_says_nothing_of_where_it_was_made():
    assert "_name_or_path" not in (MODEL / "config.json").read_text(encoding="utf-8")


def test_the_shipped_folder_is_small():
    assert sum(file.stat().st_size for file in MODEL.rglob("*") if file.is_file()) <= 12 * 2**20
    assert not [file for file in MODEL.rglob("*") if file.suffix in {".bin", ".pt", ".ckpt", ".py"}]


def test_the_shipped_model_plays_what_its_card_says():
    """Sixty held-out captions: not fewer hits than the published shares allow (binomial, 1 in 1000)."""
    shares = published()
    for row in evaluate.Player(MODEL).mentioned(60):
        if row.what in card.BARS:
            assert row.hits >= binom.ppf(0.001, row.n, shares[row.what]["share"]), row
