"""The page's token count agrees with the model's own tokenizer, without torch."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import pre_tokenizers
from transformers import AutoTokenizer, CLIPTokenizer

from core import context, repository
from core.catalog import spec
from core.providers.local_text.prompting import PromptEncoder
from core.settings import settings
from core.types import Message, Request, Role
from tests.support import tiny_models

TINY = spec("tiny-text")
MESSAGES = (Message("system", "You are a pirate."), Message("user", "What is 23 + 48? Émile asks 🙂"))


def test_counts_what_the_model_will_see() -> None:
    tokenizer = AutoTokenizer.from_pretrained(settings().models / TINY.source)
    turns = [{"role": message.role, "content": message.text} for message in MESSAGES]
    framed = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    expected = len(tokenizer(framed, add_special_tokens=False).input_ids)
    assert context.count(TINY, settings(), MESSAGES, chat=True) == expected


def test_a_raw_prompt_is_counted_without_the_template() -> None:
    framed = context.count(TINY, settings(), MESSAGES[1:], chat=True)
    raw = context.count(TINY, settings(), MESSAGES[1:], chat=False)
    assert framed is not None
    assert raw is not None
    assert 0 < raw < framed


@pytest.mark.parametrize("special", ["<|endoftext|>", "<|user|>", "<|assistant|>"])
@pytest.mark.parametrize("chat", [True, False])
@pytest.mark.parametrize("roles", [("user",), ("system", "user"), ("user", "assistant"), ("user", "assistant", "user")])
def test_what_is_counted_is_what_the_model_is_given(special: str, chat: bool, roles: tuple[Role, ...]) -> None:
    """Special tokens that a person typed are text to both, and so is an answer that is to be continued."""
    tokenizer = AutoTokenizer.from_pretrained(settings().models / TINY.source)
    for text in ("What is 23 + 48?", f"Say {special} to {special}{special}"):
        messages = tuple(Message(role, f"{text} {role}") for role in roles)
        prompt = PromptEncoder(tokenizer).encode(Request(messages=messages, parameters={}, seed=0, chat=chat))
        assert context.count(TINY, settings(), messages, chat=chat) == len(prompt.ids)


TEMPLATES = {
    "no system role": tiny_models.NO_SYSTEM,
    "begins a text": "{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}",
    "tags of its own": "{% generation %}{% for m in messages %}{{ m.content | tojson }}{% endfor %}{% endgeneration %}",
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_of_the_hub_are_counted_as_transformers_renders_them(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_models.tokenizer(tmp_path, TEMPLATES[name])
    monkeypatch.setattr(repository, "present", lambda row, chosen: True)
    monkeypatch.setattr(repository, "folder", lambda row, chosen: tmp_path)
    encoder = PromptEncoder(AutoTokenizer.from_pretrained(tmp_path))
    prompt = encoder.encode(Request(messages=MESSAGES, parameters={}, seed=0, chat=True))
    assert context.count(TINY, settings(), MESSAGES, chat=True) == len(prompt.ids)


def test_a_template_that_fails_leaves_the_texts_to_be_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_models.tokenizer(tmp_path, "{{ raise_exception('never') }}")
    monkeypatch.setattr(repository, "present", lambda row, chosen: True)
    monkeypatch.setattr(repository, "folder", lambda row, chosen: tmp_path)
    raw = context.count(TINY, settings(), MESSAGES, chat=False)
    assert context.count(TINY, settings(), MESSAGES, chat=True) == raw


def test_a_model_that_is_not_here_is_not_counted(tmp_path: Path) -> None:
    absent = replace(settings(), models=tmp_path)
    assert context.count(TINY, absent, MESSAGES, chat=True) is None


def clip(folder: Path, *, old: bool) -> CLIPTokenizer:
    """A tokenizer like Stable Diffusion's in the `tokenizer` folder of a pipeline: one file, or `old`, two."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [("r", "e"), ("re", "d</w>"), ("c", "a"), ("ca", "t</w>")]
    tokens = [*letters, *(f"{letter}</w>" for letter in letters), *("".join(pair) for pair in merges)]
    vocabulary = {token: n for n, token in enumerate([*tokens, "<|startoftext|>", "<|endoftext|>"])}
    (folder / "tokenizer").mkdir(parents=True)
    made = CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=77)
    if old:
        (folder / "tokenizer" / "vocab.json").write_text(json.dumps(vocabulary))
        lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
        (folder / "tokenizer" / "merges.txt").write_text("\n".join(lines))
    else:
        made("x", truncation=True, padding="max_length", max_length=77)  # which the file then remembers
        made.save_pretrained(folder / "tokenizer")
    return made


@pytest.mark.parametrize("old", [False, True])
def test_an_image_prompt_is_counted_with_its_marks_and_the_cut_is_shown(
    old: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = clip(tmp_path / "tiny-image", old=old)
    monkeypatch.setattr(repository, "present", lambda row, chosen: True)
    monkeypatch.setattr(repository, "folder", lambda row, chosen: tmp_path / row.source)
    here, row = replace(settings(), models=tmp_path), spec("tiny-image")
    for text in ("", "a  Red\ncat's", "Émile, 東京 and 🦊!", "42 cats"):
        assert context.use(row, here, text) == context.ContextUse(len(tokenizer(text).input_ids), 77)
    for special in ("<|startoftext|>", "<|endoftext|>"):
        typed = tokenizer(f"red {special} cat", split_special_tokens=True).input_ids
        assert context.use(row, here, f"red {special} cat") == context.ContextUse(len(typed), 77)
    assert context.use(row, here, "red " * 75) == context.ContextUse(77, 77)
    assert context.use(row, here, "red " * 75 + "Cat, red") == context.ContextUse(80, 77, "Cat, red")


def test_a_pipeline_that_is_not_here_is_not_counted(tmp_path: Path) -> None:
    assert context.use(spec("tiny-image"), replace(settings(), models=tmp_path), "a cat") is None
