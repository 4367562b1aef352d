"""tiny-image's scenes, captions, split, judge and training, and the model that ships. Trains only toys."""

import json
import random
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from scipy.stats import binom

from training import loop
from training.image import autoencoder, captions, card, drawing, evaluate, export, judge, pictures, scene, text, train
from training.image import vocabulary as words
from training.image.scene import Group, Landscape, Shapes
from training.result import Result
from training.text.example import held_out

MODEL = Path(__file__).parents[2] / "models/tiny-image"
SHORT = partial(autoencoder.Plan, channels=(8, 8, 16), batch=2, steps=2)
TOY = train.Plan(
    steps=6,
    channels=(16, 32),
    batch=4,
    scenes=24,
    merges=300,
    learning_rate=1e-2,
    encoder_plan=SHORT(),
    decoder_plan=SHORT(),
    text_plan=text.Plan(steps=3, width=16, layers=1, heads=2, batch=4),
)


@pytest.fixture(scope="module")
def tokenizer():
    return words.trained(1, 300)


def scenes(count: int, seed: int = 0) -> list[scene.Scene]:
    rng = random.Random(seed)
    return [scene.scene(rng) for _ in range(count)]


def test_training_and_evaluation_share_no_combination():
    rng = random.Random(3)
    trained = {scene.for_training(rng).key for _ in range(2000)}
    judged = {scene.for_evaluation(rng).key for _ in range(200)}
    assert trained.isdisjoint(judged)
    assert all(map(held_out, judged))
    assert 20 < len(judged) < len(trained)


def test_training_knows_every_value_that_evaluation_asks_for():
    """Only combinations are new: each colour, shape, number, background and feature was seen."""
    rng = random.Random(4)
    seen: dict[str, set[str]] = {}
    for _ in range(4000):
        for name, value in judge.labels(scene.for_training(rng)).items():
            seen.setdefault(name, set()).add(value)
    assert seen == {name: set(values) for name, values in judge.READS.items()}


def test_a_caption_says_only_what_is_there():
    rng = random.Random(5)
    for shown in scenes(1500):
        said = captions.caption(shown, rng)
        facts = judge.labels(shown)
        for name, value in said.mentions.items():
            if not name.startswith(captions.ORDINALS):
                assert facts[name] == value
        if isinstance(shown, Landscape):
            for feature in set(scene.FEATURES) - shown.features - {"stars", "clouds"}:
                assert not any(f" {words} " in f" {said.text} " for words in captions.FEATURES[feature])


def test_a_shape_is_always_named_with_its_number():
    rng = random.Random(6)
    for shown in scenes(400):
        said = captions.caption(shown, rng).mentions
        if isinstance(shown, Shapes) and not shown.relation:
            assert {"shape", "number"} <= said.keys()


def test_what_a_caption_leaves_open_is_left_to_chance():
    """Otherwise a prompt without a background would always get the same one."""
    rng = random.Random(7)
    backgrounds = set()
    for shown in scenes(2000):
        if isinstance(shown, Shapes) and "background" not in captions.caption(shown, rng).mentions:
            backgrounds.add(shown.background)
    assert backgrounds == set(scene.BACKGROUNDS)


def test_the_same_seed_draws_the_same_pictures():
    one, other, third = (list(pictures.drawn(seed, 5)) for seed in ("a", "a", "b"))
    assert [shown for shown, _ in one] == [shown for shown, _ in pictures.scenes("a", 5)]
    assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(one, other, strict=True))
    assert not all(np.array_equal(a, b) for (_, a), (_, b) in zip(one, third, strict=True))


@pytest.mark.parametrize("shape", scene.SHAPES)
@pytest.mark.parametrize("size", scene.SIZES)
def test_a_shape_covers_some_of_its_background(shape, size):
    shown = Shapes((Group(shape, "red", 1, size, "middle"),), "white")
    pixels = np.asarray(drawing.draw(shown, random.Random(1))).astype(int)
    red = np.abs(pixels - np.array(drawing.RGB["red"])).sum(2) < 60
    white = np.abs(pixels - np.array(drawing.RGB["white"])).sum(2) < 30
    assert pixels.shape == (drawing.SIDE, drawing.SIDE, 3)
    assert red.sum() > 12
    assert white.mean() > 0.3


def test_a_position_is_where_it_says():
    def center(position: str) -> tuple[float, float]:
        shown = Shapes((Group("circle", "black", 1, "small", position),), "white")
        dark = np.asarray(drawing.draw(shown, random.Random(2))).sum(2) < 300
        rows, columns = dark.nonzero()
        return columns.mean() / drawing.SIDE, rows.mean() / drawing.SIDE

    assert center("left")[0] < 0.3 < 0.7 < center("right")[0]
    assert center("top")[1] < 0.3 < 0.7 < center("bottom")[1]


def test_every_caption_fits_and_no_word_is_unknown(tokenizer):
    rng = random.Random(8)
    for shown in scenes(1500):
        said = captions.caption(shown, rng).text
        ids = tokenizer(said).input_ids
        assert len(ids) < words.LENGTH
        assert tokenizer.convert_tokens_to_ids(words.END) not in ids[1:-1]
    strange = tokenizer("Größe 漢字 🦊 zebra")
    assert tokenizer.convert_tokens_to_ids(words.END) not in strange.input_ids[1:-1]


def test_the_schedule_ends_in_pure_noise():
    assert float(train.new_schedule().alphas_cumprod[-1]) == 0


def trainer(run: Path) -> train.Trainer:
    return train.prepared(run, TOY, resume=False, save_every=1)[0]


def test_a_run_keeps_its_tokens_when_captions_change(tmp_path, monkeypatch):
    first = train.run_tokenizer(tmp_path, TOY)
    monkeypatch.setattr(train.vocabulary, "trained", None)
    assert train.run_tokenizer(tmp_path, TOY)("a red star").input_ids == first("a red star").input_ids


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


def test_latents_are_colours_and_outlines():
    """A plain picture is its colour everywhere and has no outline; an edge inside of a place has one, there alone."""
    plain = torch.tensor([1.0, -1.0, 0.5]).reshape(1, 3, 1, 1).expand(1, 3, 64, 64)
    found = autoencoder.target_latents(plain)
    assert found.shape == (1, 4, 16, 16)
    assert torch.equal(found[0, :, 0, 0], torch.tensor([1.0, -1.0, 0.5, 0.0]))
    halved = plain.clone()
    halved[..., 34:] = 0.0
    outlines = autoencoder.target_latents(halved)[0, 3]
    assert (outlines > 0).nonzero()[:, 1].unique().tolist() == [8]


def test_the_encoder_learns_what_latents_are():
    trainer = autoencoder.EncoderTrainer(SHORT(steps=120, batch=4, learning_rate=5e-3), autoencoder.new_model(SHORT()))
    losses = list(trainer.run())
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])


def test_the_decoder_learns_without_moving_the_latents(tmp_path):
    vae = autoencoder.new_model(SHORT())
    images = torch.from_numpy(pictures.stacked([pixels for _, pixels in pictures.drawn("c", 2)]))
    before, decoded = autoencoder.encode(vae, images), vae.decode(autoencoder.encode(vae, images)).sample
    list(autoencoder.DecoderTrainer(SHORT(), vae).run())
    assert torch.equal(before, autoencoder.encode(vae, images))
    assert not torch.equal(decoded, vae.decode(before).sample)


def test_the_text_encoder_learns_what_captions_mention(tokenizer):
    plan = text.Plan(steps=120, width=32, layers=1, heads=2, batch=16, learning_rate=1e-2)
    losses = list(text.trainer(plan, tokenizer).run())
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[10:20])


def test_what_is_written_is_a_pipeline_in_float16(tmp_path):
    made, vae, tokenizer = train.prepared(tmp_path, TOY, resume=False, save_every=1)
    painter = made.average.module
    parts = export.pipeline(vae, painter.encoder, painter.unet, tokenizer, made.schedule)
    export.write(parts, tmp_path / "out", vars(made.counters))
    again = evaluate.Painter(tmp_path / "out", steps=3)
    (pixels,) = again.painted(["a red star"])
    assert pixels.shape == (drawing.SIDE, drawing.SIDE, 3)
    assert again.pipeline.scheduler.config.prediction_type == "v_prediction"
    assert again.pipeline.scheduler.config.timestep_spacing == "trailing"
    assert again.pipeline.tokenizer("a red star").input_ids == tokenizer("a red star").input_ids
    with safe_open(tmp_path / "out/unet/diffusion_pytorch_model.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118


def test_all_trainings_have_the_same_options(capsys):
    for presets in (train.PRESETS, {"cpu": judge.Plan()}):
        assert loop.parser("x", presets).parse_args(["--minutes", "2", "--resume"]).minutes == 2


def test_the_card_says_where_a_bar_is_missed():
    shares = {"color": 90, "shape": 84, "background": 95, "number": 69, "scene attribute": 85}
    results = [Result(what, "as the caption says", hits, 100) for what, hits in shares.items()]
    verdicts = [line.split("|")[-2].strip() for line in card.bars(results).splitlines()[2:]]
    assert verdicts == ["holds", "does not hold", "holds", "does not hold", "holds"]


def test_the_judge_reads_drawn_pictures():
    """It was never shown these: held-out combinations, drawn here and now."""
    for name, (hits, number) in judge.accuracy(judge.load(), 200).items():
        assert hits >= 0.9 * number, name


def test_the_judge_is_not_fooled_by_the_question():
    """A judge that said what is likely would read the same from noise."""
    noise = torch.rand(64, 3, drawing.SIDE, drawing.SIDE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    shown = scenes(64, seed=9)
    right = [
        seen["kind"] == judge.labels(one)["kind"] for seen, one in zip(judge.load().readings(noise), shown, strict=True)
    ]
    assert np.mean(right) < 0.8


def published() -> dict[str, dict[str, float]]:
    results = json.loads((MODEL / "evaluation.json").read_text(encoding="utf-8"))["results"]
    return {r["what"]: r for r in results if r["measure"] == "as the caption says"}


@pytest.mark.parametrize("what", card.BARS)
def test_the_card_says_what_was_measured_and_whether_it_reaches_the_bar(what):
    row, aim = published()[what], card.BARS[what]
    assert row["n"] >= 200
    verdict = "holds" if row["share"] >= aim else "does not hold"
    line = f"| {what} as the caption says | at least {aim:.0%} | {row['share']:.1%} | {verdict} |"
    assert line in (MODEL / "README.md").read_text(encoding="utf-8")


def test_the_shipped_folder_is_small():
    assert sum(file.stat().st_size for file in MODEL.rglob("*") if file.is_file()) <= 20 * 2**20
    assert not [file for file in MODEL.rglob("*") if file.suffix in {".bin", ".pt", ".ckpt", ".py"}]


@pytest.fixture(scope="module")
def painter() -> evaluate.Painter:
    return evaluate.Painter(MODEL)


def test_the_shipped_model_draws_what_its_card_says(painter):
    """Sixteen held-out captions of each kind: not fewer hits than the published shares allow (binomial, 1 in 1000)."""
    shares = published()
    for row in painter.mentioned(16):
        if row.what in card.BARS:
            assert row.hits >= binom.ppf(0.001, row.n, shares[row.what]["share"]), row


def test_the_shipped_model_obeys_a_negative_prompt(painter):
    """Not by the card's word: the same prompts and seeds, with and without."""
    found = {row.what: row.share for row in painter.avoided(40)}
    for name in ("background",):
        chance, named = found[f"{name}, left to chance"], found[f"{name}, named in the negative prompt"]
        assert named <= chance
