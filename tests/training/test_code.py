"""tiny-code's generators, its split, its sandbox and judge, and the model that ships. Trains only a toy."""

import json
import random
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from scipy.stats import binom
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.code_completion import parses
from training import generate
from training.code import (
    basics,
    card,
    corpus,
    evaluate,
    formulas,
    library,
    orders,
    pipelines,
    predicates,
    recursion,
    sandbox,
    train,
    vocabulary,
)
from training.code.task import Task, held_out_task, training_task
from training.result import Result, pass_at
from training.text.example import held_out

MODEL = Path(__file__).parents[2] / "models/tiny-code"
TOY = train.Plan(layers=1, width=32, heads=4, vocabulary=500, rotary=4, tokens=512, learning_rate=1e-2, steps=6)
MAKERS = (
    *(pipelines.numbers, pipelines.words, pipelines.characters, predicates.make),
    *(recursion.make, orders.make, formulas.make, basics.make),
)


def named(make: corpus.Make) -> str:
    return f"{make.__module__.split('.')[-1]}.{make.__name__}"


def drawn(make: corpus.Make, count: int, seed: int = 0) -> list[Task]:
    rng = random.Random(seed)
    return [training_task(make, rng) for _ in range(count)]


def together(tasks: list[Task]) -> Task:
    """Many tasks as one program, so that one process runs the bodies and the checks of all: the last one calls them."""
    lines, checks = [], []
    for place, task in enumerate(tasks):
        call = re.compile(rf"(?<![\w.]){task.name}\(")
        made = replace(task, name=f"task_{place}", body=tuple(call.sub(f"task_{place}(", x) for x in task.body))
        lines.append(made.signature() + made.code)
        checks += [((place, task.reads_file, list(given)), expected) for given, expected in task.checks]
    chooser = (
        "def chosen(place, reads_file, given):\n"
        "    if reads_file:\n"
        "        with open('given.txt', 'w') as file:\n"
        "            file.write(given[0])\n"
        "        given = ['given.txt', *given[1:]]\n"
        "    return globals()[f'task_{place}'](*given)\n"
    )
    return replace(tasks[0], name="chosen", body=(), checks=tuple(checks), keys=("\n".join([*lines, chooser]),))


@pytest.mark.parametrize("make", MAKERS, ids=named)
def test_every_function_passes_its_own_checks(make):
    tasks = drawn(make, 150) + [held_out_task(make, random.Random(seed)) for seed in range(10)]
    whole = together(tasks)
    assert sandbox.passes(whole.keys[0], "chosen", whole.checks)


@pytest.mark.parametrize("make", MAKERS, ids=named)
def test_a_task_has_checks_that_an_empty_body_fails(make):
    for task in drawn(make, 5):
        assert len(task.checks) >= 1
        assert not sandbox.passes(task.signature() + "    pass\n", task.name, (*task.checks, ((), "none")))


@pytest.mark.parametrize("make", MAKERS, ids=named)
def test_a_seed_decides_every_task(make):
    assert drawn(make, 50) == drawn(make, 50)
    assert drawn(make, 50) != drawn(make, 50, seed=1)


@pytest.mark.parametrize("make", MAKERS, ids=named)
def test_training_never_sees_a_held_out_combination(make):
    trained = {key for task in drawn(make, 1500) for key in task.keys}
    rng = random.Random(5)
    measured = {key for _ in range(40) for key in held_out_task(make, rng).keys}
    assert not any(map(held_out, trained))
    assert all(map(held_out, measured))


def test_a_pool_of_documents_is_the_same_twice(tokenizer):
    assert corpus.documents(3, 7, 60) == corpus.documents(3, 7, 60) != corpus.documents(3, 8, 60)


def test_recursion_shares_its_split_with_the_pipelines():
    found = {key for task in drawn(recursion.over_list, 200) for key in task.keys}
    loops = {key for task in drawn(pipelines.numbers, 4000) for key in task.keys}
    assert found & loops


def test_every_body_parses_in_every_frame():
    rng = random.Random(4)
    for make in MAKERS:
        for task in drawn(make, 60):
            prompt, answer = corpus.prompt_of(task, rng)
            assert parses(prompt + answer) == (True, "")


def test_the_library_is_split_by_file():
    trained = {piece.file for piece in library.pieces(False)}
    measured = {piece.file for piece in library.prompts(100, 1)}
    assert len(trained) > 100
    assert not trained & measured
    assert not any("test" in Path(file).parts for file in trained)


def test_pieces_of_the_library_parse_as_a_whole():
    for piece in library.pieces(False)[::40]:
        assert parses(piece.head + piece.body)[0], piece.file


@pytest.fixture(scope="module")
def tokenizer():
    texts = ["".join(text for text, _ in d).replace(vocabulary.END, "") for d in corpus.documents(1, 9, 200)]
    return vocabulary.trained(texts, TOY.vocabulary)


def test_an_indent_a_digit_and_a_line_end_are_tokens(tokenizer):
    encoded = tokenizer.encode("if x:\n        return 123\n", add_special_tokens=False)
    assert "Ġ" * 8 in encoded.tokens
    assert encoded.tokens[-3:] == ["2", "3", "Ċ"]


def test_code_survives_its_tokens(tokenizer):
    text = "def f(x):\n    # naïve\n\n\tif x  ==  1:\n            return  'a b'  \n"
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False).ids) == text


def test_a_row_is_cut_into_tokens_as_at_inference(tokenizer):
    rng = random.Random(5)
    for segments in [corpus.generated(rng) for _ in range(60)]:
        (row,) = corpus.rows(tokenizer, [segments])
        prompt = tokenizer.encode("".join(text for text, _ in segments[:-1]), add_special_tokens=False).ids
        assert row.ids[: len(prompt)] == prompt[: len(row.ids)]


def test_training_lowers_the_loss_and_resumes_where_it_was(tokenizer, tmp_path):
    whole = train.Trainer(TOY, tokenizer)
    losses = list(whole.run())
    assert losses[-1] < losses[0]
    first = train.Trainer(TOY, tokenizer)
    list(first.run(until_step=3))
    first.save(tmp_path / "checkpoint.pt")
    second = train.Trainer(TOY, tokenizer)
    second.restore(tmp_path / "checkpoint.pt")
    list(second.run())
    assert second.counters.step == whole.counters.step == TOY.steps
    for a, b in zip(whole.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize(
    "body",
    [
        "while True: pass",
        "return len('a' * 10**10) * 0 + 1",
        "import sys; sys.exit(0)",
        "open('/etc/passwd'); return 1",
        "open('/tmp/left-behind.txt', 'w'); return 1",
        "import os; os.system('true'); return 1",
        "import subprocess; subprocess.run(['true']); return 1",
        "import socket; socket.socket(); return 1",
        "print('x' * 100); return 2",
    ],
)
def test_the_sandbox_fails_what_is_wrong_or_not_allowed(body):
    assert not sandbox.passes(f"def f():\n    {body}\n", "f", (((), 1),))


def test_the_sandbox_passes_what_is_right():
    assert sandbox.passes("def f(a, b):\n    return a + b\n", "f", (((1, 2), 3), (([], [1]), [1])))
    assert sandbox.passes("def f(path):\n    return open(path).read()\n", "f", ((("abc",), "abc"),), reads_file=True)


def test_pass_at_k_is_the_share_of_draws_with_a_right_sample():
    assert pass_at(1, 10, 3) == pytest.approx(0.3)
    assert pass_at(5, 10, 1) == pytest.approx(0.5)
    assert [pass_at(5, 10, n) for n in (0, 6, 10)] == [0, 1, 1]
    assert all(a < b for a, b in pairwise(pass_at(2, 10, n) for n in range(9)))


def test_the_card_says_where_a_bar_is_missed():
    results = [Result(what, measure, n, 100) for (what, measure, _), n in zip(card.BARS, (90, 84, 40, 59), strict=True)]
    verdicts = [line.split("|")[-2].strip() for line in card.bars(results).splitlines()[2:]]
    assert verdicts == ["holds", "does not hold", "holds", "does not hold"]


@pytest.fixture(scope="module")
def shipped():
    model = AutoModelForCausalLM.from_pretrained(MODEL, dtype=torch.float32).eval()
    return model, AutoTokenizer.from_pretrained(MODEL)


def test_the_shipped_folder_is_small_and_float16():
    assert sum(file.stat().st_size for file in MODEL.iterdir()) <= 16 * 2**20
    with safe_open(MODEL / "model.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118


def test_the_shipped_model_is_a_codegen(shipped):
    assert type(shipped[0]).__name__ == "CodeGenForCausalLM"
    assert shipped[1].convert_tokens_to_ids(vocabulary.END) == shipped[0].generation_config.eos_token_id == 0


def test_the_shipped_card_says_what_the_model_is():
    text = " ".join((MODEL / "README.md").read_text(encoding="utf-8").split())
    assert text.startswith("--- license: mit")
    assert "A demo model trained on generated small functions and the Python standard library's source." in text
    assert "it is no coding assistant" in text
    assert "PSF-2.0" in text


def published() -> dict[tuple[str, str], dict[str, float]]:
    results = json.loads((MODEL / "evaluation.json").read_text(encoding="utf-8"))["results"]
    return {(r["what"], r["measure"]): r for r in results}


def test_the_card_shows_the_published_measurements():
    text, results = (MODEL / "README.md").read_text(encoding="utf-8"), published()
    for what, measure, aim in card.BARS:
        row = results[what, measure]
        verdict = "holds" if row["share"] >= aim else "does not hold"
        assert f"| {what}: {measure} | at least {aim:.0%} | {row['share']:.1%} | {verdict} |" in text


def test_the_published_measurements_are_of_enough_items():
    results = published()
    assert results["all prompts, greedy", "parses"]["n"] >= 300
    assert results["unseen combinations", "pass@1"]["n"] >= 50


def test_the_shipped_model_parses_as_often_as_its_card_says(shipped):
    """Twenty held-out prompts of its own drawing: not fewer than the published share allows (binomial, 1 in 1000)."""
    asked = [text for _, text in evaluate.tasks(20, corpus.MIXTURE, "test")]
    found = evaluate.finished(asked, generate.completions(*shipped, asked))
    share = published()["generated, greedy", "parses"]["share"]
    assert sum(parses(code)[0] for code in found) >= binom.ppf(0.001, 20, share)
