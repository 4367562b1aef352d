"""A request's messages into the one text that a language model continues, and into its tokens.

Knows nothing of models, only of a transformers tokenizer and its chat template.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2 import TemplateError

from core import code_completion
from core.errors import InvalidInput
from core.types import Message, Request


def rendered(tokenizer: Any, request: Request) -> str:
    """The prompt as the model reads it.

    With `request.chat` and a tokenizer that has a chat template, the template frames the messages; a last message from
    the assistant is left open to be continued. Else the texts are joined by blank lines, and a last message from the
    assistant follows directly what it continues. Messages without text say nothing and are left out.

    Raises:
        InvalidInput: the chat template cannot frame these messages.
    """
    messages = tuple(Message(m.role, _clean(m.text)) for m in request.messages if m.text)
    if not messages:
        messages = (Message("user", ""),)
    if request.chat and getattr(tokenizer, "chat_template", None):
        return _framed(tokenizer, messages)
    return _raw(messages)


def filling(tokenizer: Any, text: str, model: str, others: Sequence[str]) -> str:
    """A raw prompt with a gap as StarCoder reads one: what stands before it, what stands after it, then the middle
    (Bavarian et al. 2022, "Efficient training of language models to fill in the middle", prefix-suffix-middle order).
    A prompt without a gap stays as it is.

    Args:
        model, others: for the refusal, the name of the model and of those that can fill.

    Raises:
        InvalidInput: there is a gap, and the tokenizer has no tokens to say so.
    """
    around = code_completion.gap(text)
    if around is None:
        return text
    if not set(_FILLING) <= set(tokenizer.get_vocab()):
        raise InvalidInput(code_completion.cannot_fill(model, others))
    before, after, middle = _FILLING
    return f"{before}{around[0]}{after}{around[1]}{middle}"


_FILLING = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")


def tokens(tokenizer: Any, request: Request, text: str) -> list[int]:
    """Token ids of a rendered prompt; an empty one is the token that begins (or ends) a text.

    Raises:
        InvalidInput: the prompt is empty and this tokenizer has no such token.
    """
    framed = request.chat and bool(getattr(tokenizer, "chat_template", None))
    ids: list[int] = tokenizer(text, add_special_tokens=not framed)["input_ids"]
    if ids:
        return ids
    for first in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if first is not None:
            return [first]
    raise InvalidInput("The prompt is empty, and this model cannot begin without one. Write a word or two.")


def _clean(text: str) -> str:
    # A lone surrogate (half an emoji, from a broken paste) cannot be tokenized.
    return text.encode("utf-8", "replace").decode("utf-8")


def _raw(messages: Sequence[Message]) -> str:
    if len(messages) > 1 and messages[-1].role == "assistant":
        return "\n\n".join(m.text for m in messages[:-1]) + messages[-1].text
    return "\n\n".join(m.text for m in messages)


def _framed(tokenizer: Any, messages: Sequence[Message]) -> str:
    try:
        return _templated(tokenizer, messages)
    except TemplateError:
        pass
    try:
        return _templated(tokenizer, _folded(messages))
    except TemplateError:
        raise InvalidInput(
            "This model's chat template cannot frame these messages. "
            "Let user and assistant take turns, beginning with the user."
        ) from None


def _templated(tokenizer: Any, messages: Sequence[Message]) -> str:
    going_on = messages[-1].role == "assistant"
    text: str = tokenizer.apply_chat_template(
        [{"role": m.role, "content": m.text} for m in messages],
        tokenize=False,
        add_generation_prompt=not going_on,
        continue_final_message=going_on,
    )
    return text


def _folded(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages with the system's text before the first user's, for templates that know no system role."""
    system = [m.text for m in messages if m.role == "system"]
    others = [m for m in messages if m.role != "system"]
    first = next((i for i, m in enumerate(others) if m.role == "user"), None)
    if first is None:
        return (Message("user", "\n\n".join(system)), *others)
    others[first] = Message("user", "\n\n".join([*system, others[first].text]))
    return tuple(others)
