"""The generators, the split, the training loop, and the model that ships. Trains only a toy."""

import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from scipy.stats import binom
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.text import (
    corpus,
    echo,
    evaluate,
    extraction,
    formats,
    generate,
    labels,
    personas,
    sums,
    train,
    vocabulary,
)
from training.text.example import Example, for_evaluation, for_training, held_out

MODEL = Path(__file__).parents[2] / "models/tiny-text"
FAMILIES = (sums, labels, extraction, personas, formats, echo)
TOY = train.Plan(
    layers=1, width=16, heads=2, vocabulary=400, context=512, tokens=512, parts=2, learning_rate=1e-2, steps=6
)


def drawn(make: Callable[[random.Random], Example], count: int, seed: int = 0) -> list[Example]:
    rng = random.Random(seed)
    return [for_training(make, rng) for _ in range(count)]


@pytest.fixture(scope="module")
def mixture(tmp_path_factory: pytest.TempPathFactory) -> corpus.Mixture:
    """A mixture whose prose comes from a small file, so that the tests need no corpus."""
    file = tmp_path_factory.mktemp("corpus") / "tales.txt"
    tale = "There was once a king who had a golden tree, and every night one apple was missing from it. "
    file.write_text("# a title\n" + "\n".join(f"{tale}It was night number {n}." for n in range(40)), encoding="utf-8")
    return corpus.Mixture(file)


@pytest.fixture(scope="module")
def tokenizer(mixture: corpus.Mixture):
    texts = [vocabulary.without_special(t) for segments in corpus.documents(mixture, 1, 9, 200) for t, _ in segments]
    return vocabulary.trained(texts, TOY.vocabulary)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_seed_decides_every_example(family):
    assert drawn(family.make, 50) == drawn(family.make, 50)
    assert drawn(family.make, 50) != drawn(family.make, 50, seed=1)


def test_a_pool_of_documents_is_the_same_twice(mixture):
    assert corpus.documents(mixture, 3, 7, 300) == corpus.documents(mixture, 3, 7, 300)


@pytest.mark.parametrize("family", FAMILIES)
def test_training_never_sees_held_out_content(family):
    trained = {key for example in drawn(family.make, 3000) for key in example.keys}
    rng = random.Random(5)
    measured = {key for _ in range(100) for key in for_evaluation(family.make, rng).keys}
    assert not any(map(held_out, trained))
    assert not trained & measured


def test_held_out_addends_appear_in_no_order_and_no_wording(mixture):
    for segments in corpus.documents(mixture, 2, 9, 1500):
        for line in "".join(text for text, _ in segments).split("\n"):
            shown = line.partition("What is ")[2].partition("?")[0].split(" + ")
            if len(shown) > 2 and all(part.isdigit() for part in shown):
                assert not held_out(f"sum {sorted(map(int, shown))}")


def test_reviews_shown_as_examples_are_never_held_out():
    rng = random.Random(2)
    shown = [labels.shown_review(rng, praise) for praise in (True, False) for _ in range(500)]
    assert not any(map(held_out, shown))


@pytest.mark.parametrize("family", FAMILIES)
def test_every_answer_passes_its_own_check(family):
    for example in drawn(family.make, 400):
        assert all(family.check(example, example.answer).values()), example


def test_running_totals_are_true():
    assert sums.running_totals([23, 48, 17]) == "23 + 48 = 71. 71 + 17 = 88. The answer is 88."
    example = sums.make(random.Random(1), "steps", (4,))
    assert not sums.check(example, example.answer.replace("The answer is ", "The answer is 1"))["right"]


def test_json_answers_hold_what_the_sentence_says():
    for example in drawn(lambda rng: extraction.make(rng, "json"), 200):
        prompt = example.system + example.turns[0][0]
        for key, value in json.loads(example.answer).items():
            assert str(value) in prompt
            assert key.lower() in prompt.lower()


def test_json_with_a_key_too_many_is_not_valid():
    example = extraction.make(random.Random(4), "json")
    more = json.dumps({**json.loads(example.answer), "extra": 1})
    assert extraction.check(example, more) == {"valid": False, "right": False}


@pytest.mark.parametrize("style", ["bullets", "numbered"])
def test_lists_have_the_asked_number_of_items(style):
    for example in drawn(lambda rng: formats.make(rng, style), 100):
        assert len(example.answer.split("\n")) == example.facts["count"]
        assert not formats.check(example, example.answer + "\n- more")["obeyed"]


def test_no_persona_leaves_no_marker_and_each_persona_only_its_own():
    for example in drawn(personas.make, 1500):
        found = {name for name in personas.PERSONAS if personas.markers(name, example.answer)}
        assert found == {example.technique} - {"none"}, example.answer


def test_labels_show_both_sides_from_two_examples_on():
    for example in drawn(lambda rng: labels.make(rng, "arbitrary", 4), 200):
        assert len({answer for _, answer in example.turns[:-1]}) == 2


def test_rows_weigh_answers_more_than_prompts(tokenizer):
    example = sums.make(random.Random(3), "plain")
    (row,) = corpus.rows(tokenizer, [corpus.chat(example)])
    learned = [i for i, weight in zip(row.ids, row.weights, strict=True) if weight == 1.0]
    assert tokenizer.decode(learned, skip_special_tokens=False) == example.answer + corpus.END


def test_a_digit_is_a_token(tokenizer):
    assert len(tokenizer.encode("1234", add_special_tokens=False).ids) == 4


def test_a_missing_corpus_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="--corpus"):
        corpus.documents(corpus.Mixture(tmp_path / "none.txt"), 0, 0, 1)


def test_training_lowers_the_loss(tokenizer, mixture):
    losses = list(train.Trainer(replace(TOY, steps=40), tokenizer, mixture).run(until_step=12))
    assert len(losses) == 12
    assert sum(losses[-3:]) < sum(losses[:3])


def test_a_resumed_run_ends_like_an_uninterrupted_one(tokenizer, mixture, tmp_path):
    whole = train.Trainer(TOY, tokenizer, mixture)
    list(whole.run())
    first = train.Trainer(TOY, tokenizer, mixture)
    list(first.run(until_step=3))
    first.save(tmp_path / "checkpoint.pt")
    second = train.Trainer(TOY, tokenizer, mixture)
    second.restore(tmp_path / "checkpoint.pt")
    list(second.run())
    assert second.counters.step == whole.counters.step == TOY.steps
    for a, b in zip(whole.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.fixture(scope="module")
def shipped():
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32).eval()
    return model, AutoTokenizer.from_pretrained(MODEL)


def test_the_shipped_folder_is_small_and_float16():
    assert sum(file.stat().st_size for file in MODEL.iterdir()) <= 16 * 2**20
    with safe_open(MODEL / "model.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118


def test_the_shipped_template_writes_roles(shipped):
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
    text = shipped[1].apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    assert text == "<|system|>S<|user|>U<|assistant|>"


def test_the_shipped_card_says_what_the_model_is():
    card = (MODEL / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlicense: mit")
    assert "A demo model trained on synthetic tasks. It shows how prompts act, not what large models know." in card


def test_lessons_are_taught_where_the_table_says(mixture):
    usual = mixture.makers(10**6)
    for first, end, maker, weight in corpus.CURRICULUM:
        assert mixture.makers(first)[maker] == mixture.makers(end - 1)[maker] == weight
        assert mixture.makers(end).get(maker, 0) != weight
    assert labels.make_plain not in usual


def test_an_answer_shown_in_a_prompt_is_learned_from_its_second_time_on(tokenizer):
    turns = (("a:", "up"), ("b:", "down"), ("c:", "up"), ("d:", "up"))
    example = Example("labels", "arbitrary", ("k",), turns, glue="\n")
    (row,) = corpus.rows(tokenizer, [corpus.chat_merged(example)])
    learned = [i for i, weight in zip(row.ids, row.weights, strict=True) if weight == 1.0]
    assert tokenizer.decode(learned, skip_special_tokens=False) == " upup<|endoftext|>"


def test_a_row_is_cut_into_tokens_as_at_inference(tokenizer):
    rng = random.Random(5)
    for _ in range(100):
        parts = corpus.framed(for_training(labels.make, rng), rng)
        (row,) = corpus.rows(tokenizer, [parts])
        prompt = tokenizer.encode("".join(text for text, _ in parts[:-1]), add_special_tokens=False).ids
        assert row.ids[: len(prompt)] == prompt[: corpus.LONGEST]


PUBLISHED = json.loads((MODEL / "evaluation.json").read_text(encoding="utf-8"))["results"]
SHARES = {(r["what"], r["measure"]): r["hits"] / r["n"] for r in PUBLISHED}


def test_the_published_measurements_reach_what_was_aimed_at():
    assert min(row["n"] for row in PUBLISHED) >= 300
    steps, plain = (SHARES[f"sums: {name}", "right"] for name in ("step by step", "plain"))
    four, none = (SHARES[f"labels: arbitrary words, {k} examples", "right"] for k in (4, 0))
    assert steps >= 0.8
    assert steps - plain >= 0.3
    assert four >= 0.9
    assert four - none >= 0.4
    assert SHARES["extraction: JSON asked", "valid"] >= 0.9
    assert min(share for (_, measure), share in SHARES.items() if measure == "marked") >= 0.9
    assert max(share for (_, measure), share in SHARES.items() if measure == "any marker") <= 0.1


@pytest.mark.parametrize(
    "row",
    [
        row
        for family, technique, measure in (
            ("sums", "step by step", "right"),
            ("labels", "arbitrary words, 4 examples", "right"),
            ("extraction", "JSON asked", "valid"),
            ("personas", "pirate", "marked"),
        )
        for row in evaluate.TABLES[family]()
        if (row.technique, row.measure) == (technique, measure)
    ],
    ids=lambda row: row.family,
)
def test_the_shipped_model_does_what_its_card_says(shipped, row):
    """Forty held-out items of its own drawing: not fewer hits than the published share allows (binomial, 1 in 1000)."""
    rng = random.Random(f"test {row.family}")
    examples = [for_evaluation(row.make, rng) for _ in range(40)]
    found = generate.answers(*shipped, [generate.chat_prompt(shipped[1], example) for example in examples])
    hits = sum(row.check(example, text)[row.measure] for example, text in zip(examples, found, strict=True))
    assert hits >= binom.ppf(0.001, 40, SHARES[f"{row.family}: {row.technique}", row.measure])


def test_step_by_step_beats_plain_on_the_shipped_model(shipped):
    """Not by the card's word: the same forty held-out sums, asked both ways, here and now."""

    def right(technique):
        rng = random.Random(4)
        examples = [for_evaluation(lambda rng: sums.make(rng, technique, (3, 4), 10), rng) for _ in range(40)]
        found = generate.answers(*shipped, [generate.chat_prompt(shipped[1], example) for example in examples])
        return sum(sums.check(example, text)["right"] for example, text in zip(examples, found, strict=True))

    assert right("steps") - right("plain") >= 12
