"""The page's token count agrees with the model's own tokenizer, without torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core import context
from core.catalog import spec
from core.settings import settings
from core.types import Message

TINY = spec("tiny-text")
MESSAGES = (Message("system", "You are a pirate."), Message("user", "What is 23 + 48? Émile asks 🙂"))


def test_counts_what_the_model_will_see() -> None:
    from transformers import AutoTokenizer

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


def test_a_model_that_is_not_here_is_not_counted(tmp_path: Path) -> None:
    absent = replace(settings(), models=tmp_path)
    assert context.count(TINY, absent, MESSAGES, chat=True) is None
