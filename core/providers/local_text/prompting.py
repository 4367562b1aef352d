"""A request's messages into the one text that a language model continues, and into its tokens.

Knows nothing of models, only of a transformers tokenizer with its chat template.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core import code_completion
from core.errors import InvalidInput
from core.tokenization import chat_template
from core.tokenization.control_tokens import ControlTokens
from core.types import Message, Request


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as the model reads it, and its token ids."""

    text: str
    ids: list[int]


class PromptEncoder:
    """Makes prompts for one tokenizer.

    Args:
        fill: applied to a raw prompt before it is encoded; `fill_in_the_middle` for models of code.
    """

    def __init__(self, tokenizer: Any, fill: Callable[[str], str] = lambda text: text) -> None:
        self._tokenizer, self._fill = tokenizer, fill
        self._control_tokens = ControlTokens(tokenizer.backend_tokenizer)

    def encode(self, request: Request) -> Prompt:
        """The request's prompt. What a person typed never becomes a control token; the template's own do.

        Raises:
            InvalidInput: the chat template cannot frame these messages, the prompt has a gap that the model cannot
                fill, or is empty and the tokenizer has no token that begins a text.
        """
        control = self._control_tokens
        masked = replace(request, messages=tuple(Message(m.role, control.mask(m.text)) for m in request.messages))
        text = rendered(self._tokenizer, masked)
        if not request.chat:
            text = self._fill(text)
        ids = control.encode(text, add_special_tokens=not _is_framed(self._tokenizer, request))
        return Prompt(control.unmask(text), ids or [self._first_token()])

    def _first_token(self) -> int:
        for token in (self._tokenizer.bos_token_id, self._tokenizer.eos_token_id):
            if token is not None:
                return int(token)
        raise InvalidInput("The prompt is empty, and this model cannot begin without one. Write a word or two.")


def rendered(tokenizer: Any, request: Request) -> str:
    """The prompt as the model reads it.

    With `request.chat` and a tokenizer that has a chat template, the template frames the messages; a last message from
    the assistant is left open to be continued. Else the texts are joined by blank lines, and a last message from the
    assistant follows directly what it continues. Messages without text say nothing and are left out.

    Raises:
        InvalidInput: the chat template cannot frame these messages, or drops the one that is to be continued.
    """
    messages = chat_template.cleaned(request.messages)
    if not _is_framed(tokenizer, request):
        return chat_template.joined(messages)

    def render(turns: chat_template.Turns, add_generation_prompt: bool) -> str:
        text: str = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=add_generation_prompt)
        return text

    return chat_template.framed(messages, render)


def fill_in_the_middle(tokenizer: Any, text: str, model: str, others: Sequence[str]) -> str:
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
    prefix, suffix, middle = _FILLING
    return f"{prefix}{around[0]}{suffix}{around[1]}{middle}"


_FILLING = ("<fim_prefix>", "<fim_suffix>", "<fim_middle>")


def _is_framed(tokenizer: Any, request: Request) -> bool:
    return request.chat and bool(getattr(tokenizer, "chat_template", None))
