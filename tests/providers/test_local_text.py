"""Text models on this machine: the same cell gives the same answer in any company, and nothing is cut in silence."""

from __future__ import annotations

import json
import math
import random
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from core import repository
from core.catalog import TEXT_PARAMETERS, spec
from core.errors import InvalidInput, ModelRefused
from core.providers import local_text
from core.providers.local_text import LocalText, prompting, sampling, weights
from core.providers.local_text.detokenize import IncrementalDetokenizer, StopStrings
from core.settings import Settings
from core.types import (
    Delta,
    Event,
    Failed,
    Finished,
    Message,
    Modality,
    ModelSpec,
    Output,
    Parameter,
    Request,
    Role,
    Value,
)
from tests.support import tiny_models

KINDS = ("gpt2", "codegen", "gpt_bigcode", "llama", "qwen2")
PROMPTS = (
    "Once upon a time",
    "def add(a, b):",
    "é",
    "東京の夜 🦊",
    "The quick brown fox jumps over the lazy dog, " * 2,
)


def never(index: int) -> bool:
    return False


def request(text: str = "Once upon a time", seed: int = 1, chat: bool = False, **parameters: Value) -> Request:
    plain: dict[str, Value] = {"max_new_tokens": 12, "temperature": 1.0}
    return Request(messages=(Message("user", text),), parameters=plain | parameters, seed=seed, chat=chat)


def outputs(events: Sequence[Event]) -> dict[int, Output]:
    return {event.index: event.output for event in events if isinstance(event, Finished)}


def answer(model: LocalText, one: Request) -> Output:
    return outputs(list(model.generate([one], never)))[0]


def failure(model: LocalText, one: Request) -> Failed:
    (event,) = model.generate([one], never)
    assert isinstance(event, Failed)
    return event


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("models")
    return Settings(data=folder / "data", models=folder, threads=1, offline=True)


@pytest.fixture(scope="module")
def models(settings: Settings) -> dict[str, LocalText]:
    """One tiny model of each kind; the newer two have a chat template and an end token."""
    specs = [
        tiny_models.build(kind, settings.models / kind, tiny_models.CHATML if kind in {"llama", "qwen2"} else "")
        for kind in KINDS
    ]
    return {spec.id: local_text.open_model(spec, settings) for spec in specs}


@pytest.fixture(scope="module")
def gpt2(models: dict[str, LocalText]) -> LocalText:
    return models["gpt2"]


# The same cell, the same text


def cells(count: int, seed: int) -> list[Request]:
    """Random requests: prompts of all lengths, every parameter, greedy ones among them."""
    dice = random.Random(seed)
    return [
        request(
            " ".join(dice.choices(PROMPTS, k=dice.randint(1, 2)))[: dice.randint(1, 90)],
            seed=dice.randrange(2**40),
            max_new_tokens=dice.randint(1, 20),
            temperature=dice.choice((0.0, 0.3, 0.7, 1.0, 1.8)),
            top_k=dice.choice((0, 0, 1, 5, 50)),
            top_p=dice.choice((0.0, 0.5, 0.95, 1.0)),
            min_p=dice.choice((0.0, 0.0, 0.05)),
            repetition_penalty=dice.choice((1.0, 1.0, 1.3)),
            stop=dice.choice(((), ("e",), (" a", "the"))),
        )
        for _ in range(count)
    ]


def essence(output: Output) -> tuple[object, ...]:
    return output.text, output.finish, output.tokens, output.prompt_tokens


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_gives_the_same_answer_alone_and_in_company(
    models: dict[str, LocalText], kind: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the last bit: the probabilities are equal too, not only the text. Fewer cells where two threads may wait."""
    model, requests = models[kind], cells(16 // threads**2, seed=len(kind) + threads)
    monkeypatch.setattr(model, "_device", replace(model._device, threads=threads))
    alone = [essence(answer(model, one)) for one in requests]
    dice = random.Random(7)
    for size in (8, 11, 16)[: 3 // threads]:
        company = dice.choices(range(len(requests)), k=size)
        together = outputs(list(model.generate([requests[i] for i in company], never)))
        assert [essence(together[place]) for place in range(size)] == [alone[i] for i in company]


def test_the_model_that_ships_gives_the_same_answer_alone_and_in_company(tmp_path: Path) -> None:
    model = local_text.open_model(spec("tiny-text"), Settings(data=tmp_path, threads=1, offline=True))
    requests = [replace(one, chat=True) for one in cells(8, seed=5)]
    together = outputs(list(model.generate(requests, never)))
    assert [essence(answer(model, one)) for one in requests] == [essence(together[i]) for i in range(8)]


def test_a_neighbour_that_is_stopped_changes_nothing(gpt2: LocalText) -> None:
    requests = [request(seed=i, max_new_tokens=20) for i in range(10)]
    calm = outputs(list(gpt2.generate(requests, never)))
    asked = 0

    def stopped(index: int) -> bool:
        nonlocal asked
        asked += index == 3
        return index == 3 and asked > 14

    stormy = outputs(list(gpt2.generate(requests, stopped)))
    assert stormy[3].finish == "cancelled"
    assert 0 < stormy[3].output_tokens < 20
    assert calm[3].text.startswith(stormy[3].text)
    assert [essence(calm[i]) for i in calm if i != 3] == [essence(stormy[i]) for i in stormy if i != 3]


def test_more_rows_than_fit_at_once(gpt2: LocalText, monkeypatch: pytest.MonkeyPatch) -> None:
    requests = cells(20, seed=3)
    before = outputs(list(gpt2.generate(requests, never)))
    monkeypatch.setattr(gpt2, "_cache_bytes", 1)
    after = outputs(list(gpt2.generate(requests, never)))
    assert [essence(before[i]) for i in range(20)] == [essence(after[i]) for i in range(20)]


def test_another_seed_gives_another_answer(gpt2: LocalText) -> None:
    assert len({answer(gpt2, request(seed=seed)).text for seed in range(8)}) == 8
    assert len({answer(gpt2, request(seed=seed, temperature=0)).text for seed in range(3)}) == 1


# What is computed is what transformers computes


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_is_transformers_greedy(models: dict[str, LocalText], kind: str, settings: Settings) -> None:
    model = models[kind]
    reference = transformers.AutoModelForCausalLM.from_pretrained(settings.models / kind, dtype=torch.float32).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(settings.models / kind)
    requests = [request(text, temperature=0, max_new_tokens=16, repetition_penalty=1.2) for text in PROMPTS]
    ours = outputs(list(model.generate(requests, never)))
    for place, text in enumerate(PROMPTS):
        ids = tokenizer(text, return_tensors="pt")["input_ids"]
        full = reference.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=16,
            repetition_penalty=1.2,
            pad_token_id=0,
            eos_token_id=sorted(model._eos_ids),
        )
        written = full[0, ids.shape[1] :]
        assert ours[place].text == tokenizer.decode(written, skip_special_tokens=True).rstrip("\ufffd")
        with torch.inference_mode():
            logits = reference(full).logits[0, ids.shape[1] - 1 : -1].log_softmax(-1)
        expected = logits.gather(-1, written[:, None])[: ours[place].output_tokens, 0].tolist()
        assert [token.logprob for token in ours[place].tokens] == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7])
@pytest.mark.parametrize(
    ("top_k", "top_p", "min_p"), [(0, 1, 0), (7, 1, 0), (0, 0.8, 0), (9, 0.7, 0), (0, 1, 0.1), (20, 0.9, 0.2)]
)
def test_filters_keep_what_transformers_keeps(temperature: float, top_k: int, top_p: float, min_p: float) -> None:
    scores = torch.randn(4, 60, generator=torch.Generator().manual_seed(3)) * 3
    warpers = [transformers.TemperatureLogitsWarper(temperature)] if temperature != 1 else []
    warpers += [transformers.TopKLogitsWarper(top_k)] if top_k else []
    warpers += [transformers.TopPLogitsWarper(top_p)] if top_p < 1 else []
    warpers += [transformers.MinPLogitsWarper(min_p)] if min_p else []
    theirs = scores
    for warper in warpers:
        theirs = warper(None, theirs)
    rows = [sampling.Sampling(temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p)] * 4
    heated = scores / temperature
    ours = heated >= sampling._cutoffs(heated, rows)
    assert torch.equal(ours, theirs > -math.inf)


def test_the_draw_is_exact() -> None:
    """20000 draws against the softmax: chi-squared of 5 cells, limit at p = 0.001."""
    logits, temperature, count = torch.tensor([2.0, 1.0, 0.5, -0.5, -1.0]), 0.8, 20_000
    dice = sampling.GumbelNoise(11)
    rows = [sampling.Sampling(temperature=temperature)] * 100
    drawn: list[int] = []
    for _ in range(count // 100):
        drawn += sampling.choose(logits.expand(100, 5), rows, [dice] * 100)
    expected = (logits / temperature).softmax(-1) * count
    found = torch.bincount(torch.tensor(drawn), minlength=5)
    assert float(((found - expected) ** 2 / expected).sum()) < 18.47


def test_top_p_of_zero_and_a_top_k_of_one_are_greedy(gpt2: LocalText) -> None:
    greedy = answer(gpt2, request(temperature=0)).text
    assert answer(gpt2, request(top_p=0.0, top_k=0)).text == greedy
    assert answer(gpt2, request(top_k=1)).text == greedy


# Text as it comes


@given(st.binary(max_size=40), st.lists(st.integers(1, 5), min_size=1, max_size=40))
def test_letters_are_whole(data: bytes, cuts: list[int]) -> None:
    """Any bytes, cut anywhere, come out as if decoded at once, but for a character that is never finished."""
    pieces, rest = [], data
    for cut in cuts * 40:
        if rest:
            pieces.append(rest[:cut])
            rest = rest[cut:]
    detokenizer = IncrementalDetokenizer(lambda ids: b"".join(pieces[i] for i in ids).decode("utf-8", "replace"))
    written = [detokenizer.add(i) for i in range(len(pieces))]
    assert "".join(written) == data.decode("utf-8", "replace").rstrip("\ufffd")


def test_a_character_in_four_tokens_comes_at_once() -> None:
    fox = "🦊".encode()
    detokenizer = IncrementalDetokenizer(lambda ids: b"".join(fox[i : i + 1] for i in ids).decode("utf-8", "replace"))
    assert [detokenizer.add(i) for i in range(4)] == ["", "", "", "🦊"]


BYTES = tiny_models.byte_fallback()
FIRST_BYTE = BYTES.convert_tokens_to_ids("<0x00>")


def pieces_of(*parts: str | bytes) -> list[int]:
    """Ids of a byte-fallback tokenizer: a text is one piece, bytes are a token each."""
    ids: list[int] = []
    for part in parts:
        if isinstance(part, bytes):
            ids += [FIRST_BYTE + byte for byte in part]
        else:
            ids.append(BYTES.convert_tokens_to_ids(part))
    return ids


@pytest.mark.parametrize(
    ("ids", "written"),
    [
        (pieces_of("🦊".encode(), "a"), ["", "", "", "🦊", "a"]),
        (pieces_of("a", "🦊".encode(), "b"), ["a", "", "", "", "🦊", "b"]),
        (pieces_of("é🦊".encode(), "b"), ["", "é", "", "", "", "🦊", "b"]),
        (pieces_of("🦊🌍".encode()), ["", "", "", "🦊", "", "", "", "🌍"]),
        (pieces_of(b"\xff", "a"), ["", "\ufffda"]),
        (pieces_of("a", b"\xf0\x9f", "b", "\u2581a"), ["a", "", "", "\ufffd\ufffdb", " a"]),
        (pieces_of("é".encode(), b"\xf0\xf0", "a", "\u2581a"), ["", "é", "", "", "\ufffd\ufffda", " a"]),
        (pieces_of("\ufffd".encode(), "a"), ["", "", "", "\ufffda"]),
        (pieces_of("a", b"\xf0\x9f\xa6"), ["a", "", "", ""]),
        (pieces_of("\u2581a", "\u2581", "\u2581a"), ["a", " ", " a"]),
    ],
)
def test_a_byte_fallback_tokenizer_writes_whole_characters_only(ids: list[int], written: list[str]) -> None:
    detokenizer = IncrementalDetokenizer(lambda part: BYTES.decode(part, clean_up_tokenization_spaces=False))
    assert [detokenizer.add(token) for token in ids] == written


@given(st.lists(st.sampled_from(["a", "b", "\u2581a", "\u2581", "é", "🦊", "東", "\u0301"]), max_size=12))
def test_whole_characters_come_out_as_they_were_whatever_their_bytes(parts: list[str]) -> None:
    ids = [token for part in parts for token in pieces_of(part if part[0] in "ab\u2581" else part.encode())]
    detokenizer = IncrementalDetokenizer(lambda part: BYTES.decode(part, clean_up_tokenization_spaces=False))
    written = [detokenizer.add(token) for token in ids]
    assert "".join(written) == BYTES.decode(ids, clean_up_tokenization_spaces=False)
    assert "\ufffd" not in "".join(written)


def test_an_added_token_that_is_not_shown_costs_no_blank() -> None:
    """Decoding from there on would take the next piece for a first one, and drop its blank."""
    ids = [*pieces_of("a"), BYTES.eos_token_id, *pieces_of("\u2581a")]
    detokenizer = IncrementalDetokenizer(lambda part: BYTES.decode(part, skip_special_tokens=True))
    assert [detokenizer.add(token) for token in ids] == ["a", "", " a"]


@given(st.lists(st.text("ab-", max_size=4), max_size=12), st.lists(st.text("ab-", min_size=1, max_size=4), max_size=3))
def test_a_gate_shows_all_before_the_first_stop_and_nothing_of_it(pieces: list[str], stops: list[str]) -> None:
    stop_strings, shown, fed = StopStrings(stops), "", ""
    for piece in pieces:
        shown += stop_strings.add(piece)
        fed += piece
        if stop_strings.reached:
            break
    if not stop_strings.reached:
        shown += stop_strings.rest()
    places = [fed.find(stop) for stop in stops if stop in fed]
    assert shown == (fed[: min(places)] if places else fed)
    assert stop_strings.reached == bool(places)


@given(st.text("ab-", max_size=12), st.text("ab-", min_size=1, max_size=4))
def test_a_gate_never_takes_text_back(text: str, stop: str) -> None:
    stop_strings, shown = StopStrings([stop]), ""
    whole = text.split(stop)[0]
    for letter in text:
        shown += "" if stop_strings.reached else stop_strings.add(letter)
        assert whole.startswith(shown)


def test_deltas_add_up_to_the_text(gpt2: LocalText) -> None:
    requests = cells(12, seed=9)
    events = list(gpt2.generate(requests, never))
    for index, output in outputs(events).items():
        mine = [event for event in events if isinstance(event, Delta) and event.index == index]
        assert "".join(event.text for event in mine) == output.text
        assert [event.tokens for event in mine] == sorted(event.tokens for event in mine)
        last = max(place for place, event in enumerate(events) if getattr(event, "index", None) == index)
        assert isinstance(events[last], Finished)
    assert sorted(outputs(events)) == list(range(12))


def test_a_stop_string_ends_the_answer_and_is_not_shown(gpt2: LocalText) -> None:
    free = answer(gpt2, request(max_new_tokens=30))
    stop = free.text[6:9]
    events = list(gpt2.generate([request(max_new_tokens=30, stop=(stop,))], never))
    output = outputs(events)[0]
    assert output.text == free.text[: free.text.find(stop)]
    assert output.finish == "stop"
    assert output.output_tokens < free.output_tokens
    assert answer(gpt2, request(max_new_tokens=30, stop=("not there",))).text == free.text


def test_length_and_tokens(gpt2: LocalText) -> None:
    output = answer(gpt2, request(max_new_tokens=1))
    assert (output.finish, output.output_tokens, len(output.tokens)) == ("length", 1, 1)
    assert output.tokens[0].logprob < 0
    assert output.prompt_tokens > 1
    assert output.first_token_seconds is not None
    assert 0 < output.first_token_seconds <= output.seconds


# Stopping


def test_a_stop_is_heeded_within_one_token(gpt2: LocalText) -> None:
    seen: list[Event] = []
    for event in gpt2.generate([request(max_new_tokens=100)], lambda index: bool(seen)):
        seen.append(event)
    output = outputs(seen)[0]
    assert output.finish == "cancelled"
    assert output.output_tokens == seen[0].tokens  # type: ignore[union-attr]


def test_a_row_that_is_stopped_before_it_begins_is_empty(gpt2: LocalText) -> None:
    results = outputs(list(gpt2.generate([request(), request()], lambda index: index == 0)))
    assert (results[0].text, results[0].finish, results[0].output_tokens) == ("", "cancelled", 0)
    assert results[1].finish == "length"


def test_a_generator_can_be_left(gpt2: LocalText) -> None:
    for _ in gpt2.generate([request(), request()], never):
        break
    assert not torch.is_inference_mode_enabled()


# What is wrong with one request


BAD: list[tuple[str, Value, str]] = [
    ("temperature", math.nan, "Temperature must be a finite number"),
    ("temperature", math.inf, "Temperature must be a finite number"),
    ("temperature", -1, "Temperature must be from 0 to 2"),
    ("temperature", 1e9, "Temperature must be from 0 to 2"),
    ("temperature", "hot", "Temperature must be a number from 0 to 2, not str"),
    ("temperature", True, "Temperature must be a number"),
    ("top_p", 1.1, "Top-p must be from 0 to 1"),
    ("top_k", -1, "Top-k must be from 0 to 1000"),
    ("top_k", 1.5, "Top-k must be a whole number"),
    ("min_p", -0.1, "Min-p must be from 0 to 1"),
    ("repetition_penalty", 0, "Repetition penalty must be from 0.5 to 2"),
    ("max_new_tokens", 0, "Max new tokens must be from 1 to 256"),
    ("max_new_tokens", 1e9, "Max new tokens must be from 1 to 256"),
    ("max_new_tokens", "abc", "Max new tokens must be a number"),
    ("stop", 3, "Stop strings must be a list of texts"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), BAD)
def test_a_bad_parameter_fails_its_own_row_with_a_sentence(
    gpt2: LocalText, name: str, value: Value, sentence: str
) -> None:
    events = list(gpt2.generate([request("secret", **{name: value}), request()], never))
    (failed,) = (event for event in events if isinstance(event, Failed))
    assert (failed.index, failed.kind) == (0, "InvalidInput")
    assert sentence in failed.error
    assert "secret" not in failed.error
    assert outputs(events)[1].finish == "length"


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, None, True])
def test_a_bad_seed_fails(gpt2: LocalText, seed: int) -> None:
    assert "seed must be a whole number" in failure(gpt2, request(seed=seed)).error


def test_missing_parameters_take_the_catalogs_default_and_foreign_ones_are_left_alone() -> None:
    read = sampling.read({"top_k": None, "thinking": "high"}, TEXT_PARAMETERS)
    assert (read.max_new_tokens, read.temperature, read.top_p, read.top_k) == (64, 0.7, 0.95, 50)
    own = Parameter(name="top_k", label="Top-k", kind="int", default=3, low=1, high=5)
    assert sampling.read({}, [own]).top_k == 3
    with pytest.raises(InvalidInput, match="from 1 to 5; it is 9"):
        sampling.read({"top_k": 9}, [own])


def test_a_prompt_that_just_fits_and_one_that_is_a_token_too_long(gpt2: LocalText) -> None:
    text = "a b c d e f " * 8
    room = gpt2.context - answer(gpt2, request(text, max_new_tokens=1)).prompt_tokens
    assert gpt2.context == 128, "the smaller of the row's and the model's own 160"
    assert 1 < room < 120
    assert answer(gpt2, request(text, max_new_tokens=room)).output_tokens == room
    failed = failure(gpt2, request(text, max_new_tokens=room + 1))
    assert failed.kind == "PromptTooLong"
    assert f"{128 - room} tokens" in failed.error
    assert f"{room + 1}, together 129; Tiny gpt2 holds 128" in failed.error


@pytest.mark.parametrize("text", ["\x00", "\ud800 half", "\u202e", "\r\n\u2028", "<|endoftext|>", "{x} %s", " " * 50])
def test_odd_prompts_are_answered(gpt2: LocalText, text: str) -> None:
    assert answer(gpt2, request(text)).finish in {"length", "stop"}


def test_an_empty_prompt_begins_from_the_token_that_begins_texts(gpt2: LocalText) -> None:
    assert answer(gpt2, request("")).prompt_tokens == 1


def test_an_end_at_once_is_an_empty_answer(gpt2: LocalText) -> None:
    likeliest = torch.zeros(gpt2._model.config.vocab_size)
    likeliest[0] = 50.0
    with patched(gpt2, lambda logits: logits + likeliest):
        output = answer(gpt2, request(stop=("x",)))
    assert (output.text, output.finish, output.output_tokens, output.tokens) == ("", "stop", 0, ())


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_numbers_that_are_not_finite_fail_their_row_alone(gpt2: LocalText, value: float) -> None:
    calm = answer(gpt2, request(seed=5)).text

    def broken(logits: torch.Tensor) -> torch.Tensor:
        if logits.shape[0] > 1:  # not while a prompt is read
            logits = logits.clone()
            logits[0] = value
        return logits

    with patched(gpt2, broken):
        events = list(gpt2.generate([request(), request(seed=5)], never))
    (failed,) = (event for event in events if isinstance(event, Failed))
    assert failed.index == 0
    assert "not finite" in failed.error
    assert outputs(events)[1].text[:1] == calm[:1]


def test_a_model_that_fails_ends_every_row(gpt2: LocalText) -> None:
    def fails(logits: torch.Tensor) -> torch.Tensor:
        if logits.shape[0] > 1:
            raise RuntimeError("not enough memory for secret")
        return logits

    with patched(gpt2, fails):
        events = list(gpt2.generate([request(), request()], never))
    errors = [event for event in events if isinstance(event, Failed)]
    assert [event.index for event in errors] == [0, 1]
    assert all("RuntimeError" in event.error and "secret" not in event.error for event in errors)
    assert answer(gpt2, request()).finish == "length", "and the model still works"


class patched:  # noqa: N801
    """The model's logits go through `change` for the length of a with block."""

    def __init__(self, model: LocalText, change: Callable[[torch.Tensor], torch.Tensor]) -> None:
        self.head, self.change = model._model.lm_head, change

    def __enter__(self) -> None:
        self.hook = self.head.register_forward_hook(lambda module, given, logits: self.change(logits))

    def __exit__(self, *error: object) -> None:
        self.hook.remove()


# Prompts


def talk(*turns: tuple[Role, str], chat: bool = True) -> Request:
    return Request(messages=tuple(Message(*turn) for turn in turns), parameters={}, seed=0, chat=chat)


@pytest.mark.parametrize(
    ("turns", "text"),
    [
        ((("user", "Hi"),), "Hi"),
        ((("system", "Be brief."), ("user", "Hi")), "Be brief.\n\nHi"),
        ((("user", "Once"), ("assistant", " upon")), "Once upon"),
        ((("user", "A"), ("assistant", "B"), ("user", "C")), "A\n\nB\n\nC"),
        ((("system", ""), ("user", "Hi")), "Hi"),
        ((("assistant", "alone"),), "alone"),
        ((("user", ""),), ""),
    ],
)
def test_raw_prompts(gpt2: LocalText, turns: tuple[tuple[Role, str], ...], text: str) -> None:
    assert prompting.rendered(gpt2._tokenizer, talk(*turns)) == text, "no template: raw even with chat"
    assert prompting.rendered(gpt2._tokenizer, talk(*turns, chat=False)) == text


def test_a_template_frames_a_chat(models: dict[str, LocalText]) -> None:
    tokenizer = models["qwen2"]._tokenizer
    framed = prompting.rendered(tokenizer, talk(("system", "Be brief."), ("user", "Hi")))
    assert framed == "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"
    going_on = prompting.rendered(tokenizer, talk(("user", "Hi"), ("assistant", "Well, ")))
    assert going_on.rstrip() == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nWell,"
    assert prompting.rendered(tokenizer, talk(("user", "Hi"), chat=False)) == "Hi"
    assert answer(models["qwen2"], request("Hi", chat=True)).provenance["rendered_prompt"] == prompting.rendered(
        tokenizer, talk(("user", "Hi"))
    )


def test_a_template_without_a_system_role_gets_it_in_the_first_message(tmp_path: Path) -> None:
    tiny_models.tokenizer(tmp_path, tiny_models.NO_SYSTEM)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    text = prompting.rendered(tokenizer, talk(("system", "Be brief."), ("user", "Hi")))
    assert text == "[user]Be brief.\n\nHi\n[model]"


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{% for m in messages if m.role != 'assistant' %}{{ m.content }}{% endfor %}", "cuts or drops"),
        ("{% for m in messages %}{{ m.content[-3:] }}{% endfor %}", "cuts or drops"),
        ("{{ raise_exception('never') }}", "cannot frame these messages"),
        ("{{ messages[0].content + 1 }}", "cannot frame these messages"),
    ],
)
def test_a_template_that_fails_on_one_request_leaves_its_neighbours_alone(
    models: dict[str, LocalText], monkeypatch: pytest.MonkeyPatch, template: str, sentence: str
) -> None:
    model = models["qwen2"]
    neighbours = [request(seed=3, chat=False), request("Hi", seed=4, chat=False)]
    alone = [essence(answer(model, one)) for one in neighbours]
    broken = replace(request(chat=True), messages=(Message("user", "Hi"), Message("assistant", "my secret")))
    with monkeypatch.context() as patch:
        patch.setattr(model._tokenizer, "chat_template", template)
        events = list(model.generate([neighbours[0], broken, neighbours[1]], never))
    (failed,) = (event for event in events if isinstance(event, Failed))
    assert (failed.index, failed.kind) == (1, "InvalidInput")
    assert sentence in failed.error
    assert "secret" not in failed.error
    together = outputs(events)
    assert [essence(together[0]), essence(together[2])] == alone


SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")


@pytest.mark.parametrize("special", SPECIALS)
def test_a_special_token_that_a_person_types_stays_text(models: dict[str, LocalText], special: str) -> None:
    model = models["qwen2"]
    own = {model._tokenizer.convert_tokens_to_ids(token) for token in SPECIALS}
    typed = f"Say {special} twice{special}"
    raw = model._encoder.encode(request(typed))
    assert not own & set(raw.ids)
    assert raw.ids == model._tokenizer(typed, split_special_tokens=True)["input_ids"]
    framed = model._encoder.encode(talk(("system", special), ("user", typed), ("assistant", special)))
    marks = [token for token in framed.ids if token in own]
    assert model._tokenizer.convert_ids_to_tokens(marks) == [*SPECIALS[1:], *SPECIALS[1:], SPECIALS[1]]
    assert (
        model._tokenizer.decode(framed.ids)
        == framed.text
        == (
            f"<|im_start|>system\n{special}<|im_end|>\n<|im_start|>user\n{typed}<|im_end|>\n"
            f"<|im_start|>assistant\n{special}"
        )
    )
    output = answer(model, replace(request(typed, chat=True), seed=1))
    assert output.provenance["rendered_prompt"] == prompting.rendered(model._tokenizer, talk(("user", typed)))


def test_a_prompt_without_special_tokens_is_encoded_as_it_always_was(models: dict[str, LocalText]) -> None:
    for model in models.values():
        for chat in (True, False):
            for text in PROMPTS:
                prompt = model._encoder.encode(request(text, chat=chat))
                framed = chat and bool(model._tokenizer.chat_template)
                assert prompt.ids == model._tokenizer(prompt.text, add_special_tokens=not framed)["input_ids"]


def test_tokens_of_the_gap_that_a_person_types_stay_text(
    models: dict[str, LocalText], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = coding(models, "gpt_bigcode", monkeypatch)
    own = [model._tokenizer.convert_tokens_to_ids(token) for token in tiny_models.FILLING]
    prompt = model._encoder.encode(request("# <fim_middle>" + FILLED))
    assert [token for token in prompt.ids if token in own] == own
    assert prompt.text.startswith("<fim_prefix># <fim_middle>def f(a):")


@pytest.mark.parametrize("seed", [2**53, 2**53 + 1, 2**63 - 1])
def test_seeds_that_no_float_can_tell_apart_give_answers_of_their_own(gpt2: LocalText, seed: int) -> None:
    assert answer(gpt2, request(seed=seed)).text == answer(gpt2, request(seed=seed)).text
    assert answer(gpt2, request(seed=seed)).text != answer(gpt2, request(seed=seed - 1)).text


# Opening and closing


def test_half_precision_on_disk_is_computed_in_float32(settings: Settings) -> None:
    tiny = tiny_models.build("gpt2", settings.models / "half", half=True)
    model = local_text.open_model(tiny, settings)
    assert model._model.dtype == torch.float32
    assert answer(model, request()).provenance["dtype"] == "float32"
    model.close()
    assert model._model is None


def test_the_recipe_names_what_a_replay_needs(gpt2: LocalText) -> None:
    events = list(gpt2.generate([request(), request()], never))
    recipe = outputs(events)[1].provenance
    assert recipe["rendered_prompt"] == "Once upon a time"
    assert (recipe["source"], recipe["revision"]) == ("gpt2", "main")
    assert (recipe["batch_size"], recipe["device"], recipe["dtype"], recipe["threads"]) == (2, "cpu", "float32", 1)
    assert recipe["versions"]["torch"] == torch.__version__  # type: ignore[index]
    assert set(recipe["versions"]) >= {"python", "torch", "transformers", "tokenizers"}  # type: ignore[call-overload]
    json.dumps(recipe)


@pytest.mark.parametrize("harm", ["truncated", "huge header", "code", "pickle"])
def test_broken_or_dangerous_files_are_refused(settings: Settings, harm: str) -> None:
    folder = settings.models / harm.replace(" ", "-")
    tiny = tiny_models.build("gpt2", folder)
    weights = folder / "model.safetensors"
    if harm == "truncated":
        weights.write_bytes(weights.read_bytes()[:5000])
    elif harm == "huge header":
        weights.write_bytes((1 << 60).to_bytes(8, "little") + weights.read_bytes()[8:])
    elif harm == "code":
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModelForCausalLM": "evil.Model"}}))
    else:
        weights.rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelRefused) as caught:
        local_text.open_model(tiny, settings)
    assert "Tiny" in str(caught.value)


def test_a_small_model_runs_on_one_thread_unless_told_otherwise(settings: Settings) -> None:
    tiny = tiny_models.build("gpt2", settings.models / "threads")
    free = local_text.open_model(tiny, replace(settings, threads=0))
    assert answer(free, request()).provenance["threads"] == torch.get_num_threads() == 1
    told = local_text.open_model(tiny, replace(settings, threads=2))
    assert answer(told, request(max_new_tokens=1)).provenance["threads"] == torch.get_num_threads() == 2
    torch.set_num_threads(1)


def test_opening_says_what_it_is_doing(settings: Settings) -> None:
    notes: list[str] = []
    local_text.open_model(
        tiny_models.build("gpt2", settings.models / "said"), settings, lambda progress: notes.append(progress.note)
    )
    assert notes == ["reading Tiny said"] * 2


# Code


FILLED = "def f(a):\n    <FILL_HERE>\n    return b\n"


def coding(models: dict[str, LocalText], kind: str, monkeypatch: pytest.MonkeyPatch) -> LocalText:
    monkeypatch.setattr(models[kind], "spec", replace(models[kind].spec, modality=Modality.CODE))
    return models[kind]


def test_a_gap_is_asked_for_with_the_tokens_of_the_model(
    models: dict[str, LocalText], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = coding(models, "gpt_bigcode", monkeypatch)
    asked = answer(model, request(FILLED)).provenance["rendered_prompt"]
    assert asked == "<fim_prefix>def f(a):\n    <fim_suffix>\n    return b\n<fim_middle>"
    ids = model._encoder.encode(request(FILLED)).ids
    own = [model._tokenizer.convert_tokens_to_ids(token) for token in tiny_models.FILLING]
    assert [token for token in ids if token in own] == own
    assert ids[0] == own[0]
    assert ids[-1] == own[2]


def test_a_prompt_without_a_gap_is_continued(models: dict[str, LocalText], monkeypatch: pytest.MonkeyPatch) -> None:
    model = coding(models, "gpt_bigcode", monkeypatch)
    assert answer(model, request("def f(a):")).provenance["rendered_prompt"] == "def f(a):"


def test_a_model_that_cannot_fill_a_gap_says_which_can(
    models: dict[str, LocalText], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = failure(coding(models, "codegen", monkeypatch), request(FILLED))
    assert failed.error == (
        "codegen continues code and cannot fill a gap; remove <FILL_HERE> or choose bigcode/tiny_starcoder_py."
    )
    assert failed.kind == "InvalidInput"


def test_to_a_model_of_text_the_marker_is_text(models: dict[str, LocalText]) -> None:
    assert answer(models["gpt_bigcode"], request(FILLED)).provenance["rendered_prompt"] == FILLED


# The one pickle


@pytest.fixture
def pickled(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ModelSpec, Path]:
    """CodeGen as its makers ship it: half precision, in a pickle, in the hub's cache at the listed revision."""
    ((source, revision), name), *others = repository.PICKLED.items()
    assert not others
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / f"models--{source.replace('/', '--')}" / "snapshots" / revision
    tiny_models.build("codegen", folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    torch.save({name: tensor.half() for name, tensor in model.state_dict().items()}, folder / name)
    (folder / "model.safetensors").unlink()
    row = replace(spec("codegen-350m-mono"), name="CodeGen", memory_bytes=10_000_000)
    assert (row.source, row.revision) == (source, revision)
    return row, folder


def test_the_listed_pickle_is_read_in_float32_and_nobody_is_asked_to_convert_it(
    pickled: tuple[ModelSpec, Path], models: dict[str, LocalText], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    begin = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda self: (started.append(self.name), begin(self))[1])
    model = local_text.open_model(pickled[0], settings)
    assert {p.dtype for p in model._model.parameters()} == {torch.float32}
    assert not [name for name in started if "conversion" in name]
    half = {name: tensor.half() for name, tensor in models["codegen"]._model.state_dict().items()}
    assert all(torch.equal(tensor.half(), half[name]) for name, tensor in model._model.state_dict().items())
    assert answer(model, request("def f(a):")).output_tokens == 12


class Evil:
    """What a malicious pickle brings along: something to be called while it is read."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        return open, (str(self.place), "w")


@pytest.mark.parametrize("legacy", [False, True], ids=["archive", "bare"])
def test_a_pickle_that_would_run_code_is_refused_and_touches_nothing(
    pickled: tuple[ModelSpec, Path], settings: Settings, tmp_path: Path, legacy: bool
) -> None:
    row, folder = pickled
    touched = tmp_path / "touched"
    torch.save({"x": Evil(touched)}, folder / "pytorch_model.bin", _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ModelRefused, match=r"The files of CodeGen cannot be read \(UnpicklingError\)"):
        local_text.open_model(row, settings)
    assert not touched.exists()
    torch.load(folder / "pytorch_model.bin", weights_only=False)["x"].close()
    assert touched.exists(), "read without care it would have"


def test_a_pickle_that_lacks_tensors_is_refused(pickled: tuple[ModelSpec, Path], settings: Settings) -> None:
    row, folder = pickled
    torch.save({"lm_head.bias": torch.zeros(3)}, folder / "pytorch_model.bin")
    with pytest.raises(ModelRefused, match="The files of CodeGen cannot be read"):
        local_text.open_model(row, settings)


@pytest.mark.parametrize(
    "changes", [{"source": "Salesforce/codegen-2B-mono"}, {"revision": "0" * 40}, {"bundled": True}]
)
def test_no_other_pickle_is_ever_read(
    pickled: tuple[ModelSpec, Path], settings: Settings, tmp_path: Path, changes: dict[str, object]
) -> None:
    row, folder = pickled
    other = replace(row, **changes)  # type: ignore[arg-type]
    place = tmp_path / f"models--{other.source.replace('/', '--')}" / "snapshots" / other.revision
    if place != folder:
        shutil.copytree(folder, place)
    assert repository.pickled(other) == ""
    assert not repository.present(other, settings)
    with pytest.raises(OSError, match=r"model\.safetensors"):
        weights._from_safetensors(folder)
