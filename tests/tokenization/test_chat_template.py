"""Messages into one text: framed, continued, or refused in a sentence that concerns one request."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.utils.chat_template_utils import render_jinja_template

from core.errors import InvalidInput
from core.tokenization import chat_template
from core.types import Message, Role
from tests.support.tiny_models import CHATML, NO_SYSTEM

TRIMMED = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content | trim }}</>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
CUTS = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content.split('</think>')[-1] }}</>{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
SHORTENS = "{% for m in messages %}<{{ m.role }}>{{ m.content[:5] }}</>{% endfor %}"
DROPS = "{% for m in messages if m.role != 'assistant' %}<{{ m.role }}>{{ m.content }}</>{% endfor %}<assistant>"
SHOUTS = "{% for m in messages %}<{{ m.role }}>{{ m.content | upper }}</>{% endfor %}"


def said(*turns: tuple[Role, str]) -> tuple[Message, ...]:
    return tuple(Message(*turn) for turn in turns)


def framed(source: str, *turns: tuple[Role, str], **tokens: str) -> str:
    return chat_template.framed(said(*turns), chat_template.compiled(source, tokens))


def test_messages_are_framed_and_the_answers_header_follows() -> None:
    assert framed(CHATML, ("user", "Hi")) == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


@pytest.mark.parametrize("answer", ["Well, ", "Well,", "Hi", "ContinueHere0 and more", "a\n", " b"])
def test_a_last_message_of_the_assistant_is_left_open(answer: str) -> None:
    text = framed(CHATML, ("user", "Hi"), ("assistant", answer))
    assert text == f"<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n{answer}"


def test_a_template_that_trims_messages_trims_the_open_one_too() -> None:
    assert framed(TRIMMED, ("user", " Hi "), ("assistant", " Well, ")) == "<user>Hi</><assistant>Well,"


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        (CUTS, "<think>So.</think>Yes"),
        (CUTS, "<think>So.</think>"),
        (SHORTENS, "A long beginning"),
        (DROPS, "Well"),
        (DROPS, "Hi"),  # which the user's message says too
        (SHOUTS, "Well"),
    ],
)
def test_a_message_that_the_template_does_not_keep_is_not_continued(source: str, answer: str) -> None:
    with pytest.raises(InvalidInput, match="cuts or drops the assistant's last message") as caught:
        framed(source, ("user", "Hi"), ("assistant", answer))
    assert answer not in str(caught.value)
    assert framed(source, ("user", "Hi"))


@pytest.mark.parametrize(
    "source",
    [
        "{{ raise_exception('never') }}",
        "{{ messages[7].content }}",
        "{{ messages[0]['content'] + 1 }}",
        "{{ 1 // 0 }}",
        "{{ messages.nothing() }}",
        "{% for m in messages %}",
        "{{ ''.__class__.__mro__ }}",
        "{% set x = namespace(n=0) %}{{ messages[0].role.pop() }}",
    ],
)
@pytest.mark.parametrize("last", ["user", "assistant"])
def test_whatever_a_template_raises_is_invalid_input(source: str, last: Role) -> None:
    with pytest.raises(InvalidInput, match="chat template"):
        framed(source, ("user", "Hi"), (last, "secret"))


def test_a_template_without_a_system_role_gets_it_in_the_first_message() -> None:
    assert framed(NO_SYSTEM, ("system", "Be brief."), ("user", "Hi")) == "[user]Be brief.\n\nHi\n[model]"
    assert framed(NO_SYSTEM, ("system", "Only this.")) == "[user]Only this.\n[model]"


def test_names_and_filters_of_the_hub_are_there() -> None:
    source = (
        "{{ bos_token }}{% for m in messages %}{% if m.role == 'system' %}{% continue %}{% endif %}"
        "{% generation %}{{ m | tojson }}{% endgeneration %}{% endfor %}{{ eos_token }}{{ strftime_now('%Y')[:2] }}"
    )
    text = framed(source, ("system", "no"), ("user", "é<"), bos_token="<s>")
    assert text == '<s>{"role": "user", "content": "é<"}20'


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text(max_size=20)), max_size=4))
def test_any_messages_are_framed_as_transformers_frames_them(turns: list[tuple[Role, str]]) -> None:
    messages = chat_template.cleaned(said(*turns))
    going_on = messages[-1].role == "assistant"
    ((expected,), _) = render_jinja_template(
        conversations=[[{"role": m.role, "content": m.text} for m in messages]],
        chat_template=CHATML,
        add_generation_prompt=not going_on,
        continue_final_message=going_on,
    )
    assert chat_template.framed(messages, chat_template.compiled(CHATML, {})) == expected
