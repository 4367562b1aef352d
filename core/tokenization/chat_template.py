"""Messages into the one text that a language model continues: framed by the model's chat template, or joined.

A template is a program that came with a model. It runs in jinja2's sandbox, and whatever it raises is one request's
InvalidInput. Knows nothing of tokens.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core.errors import InvalidInput
from core.types import Message

Turns = list[dict[str, str]]
Render = Callable[[Turns, bool], str]
"""Turns with `role` and `content`, and whether the header of the answer follows them, into the framed text."""


def cleaned(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages that say something; an empty user's message where none does.

    A lone surrogate (half an emoji, from a broken paste) becomes '?', for it cannot be tokenized.
    """
    kept = tuple(Message(m.role, m.text.encode("utf-8", "replace").decode("utf-8")) for m in messages if m.text)
    return kept or (Message("user", ""),)


def joined(messages: Sequence[Message]) -> str:
    """The raw prompt: texts joined by blank lines; a last assistant's message follows directly what it continues."""
    if len(messages) > 1 and messages[-1].role == "assistant":
        return "\n\n".join(m.text for m in messages[:-1]) + messages[-1].text
    return "\n\n".join(m.text for m in messages)


def framed(messages: Sequence[Message], render: Render) -> str:
    """The messages as a chat template frames them; a last assistant's message is left open to be continued.

    Where the template does not take a system message, its text goes before the first user's.

    Raises:
        InvalidInput: the template cannot frame these messages, or does not keep the one that is to be continued.
    """
    try:
        return _rendered(messages, render)
    except InvalidInput:
        raise
    except Exception:  # whatever a foreign program raises; there is one more way to ask
        pass
    try:
        return _rendered(_system_folded(messages), render)
    except InvalidInput:
        raise
    except Exception:
        raise InvalidInput(
            "This model's chat template cannot frame these messages. "
            "Let user and assistant take turns, beginning with the user."
        ) from None


def compiled(source: str, special_tokens: Mapping[str, str]) -> Render:
    """A chat template with the names and filters that templates on the hub expect.

    Args:
        special_tokens: texts of `bos_token`, `eos_token` and their like, which a template may write.
    """
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _GenerationTag]
    )
    environment.filters["tojson"] = _tojson
    environment.globals["raise_exception"] = _raise_exception
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    names = {"bos_token": "", "eos_token": "", **special_tokens}

    def render(turns: Turns, add_generation_prompt: bool) -> str:
        template = environment.from_string(source)
        return template.render(messages=turns, add_generation_prompt=add_generation_prompt, **names)

    return render


def _rendered(messages: Sequence[Message], render: Render) -> str:
    turns = [{"role": m.role, "content": m.text} for m in messages]
    if messages[-1].role != "assistant":
        return render(turns, True)
    # A mark after the message shows where the template would close it. Its blank shows whether it trims messages.
    mark = _unused_mark(messages)
    turns[-1]["content"] += f"{mark} "
    text, closed, after = render(turns, False).rpartition(mark)
    if not after.startswith(" "):
        text = text.rstrip()
    if not closed or not text.rstrip().endswith(messages[-1].text.strip()):
        raise InvalidInput(
            "This model's chat template cuts or drops the assistant's last message, so it cannot be continued. "
            "Ask anew, or choose another model."
        )
    return text


def _unused_mark(messages: Sequence[Message]) -> str:
    number = 0
    while any(f"ContinueHere{number}" in m.text for m in messages):
        number += 1
    return f"ContinueHere{number}"


def _system_folded(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The messages with the system's text before the first user's."""
    system = [m.text for m in messages if m.role == "system"]
    others = [m for m in messages if m.role != "system"]
    first = next((i for i, m in enumerate(others) if m.role == "user"), None)
    if first is None:
        return (Message("user", "\n\n".join(system)), *others)
    others[first] = Message("user", "\n\n".join([*system, others[first].text]))
    return tuple(others)


class _GenerationTag(Extension):
    """`{% generation %}` marks an assistant's turn for training; here its body is written and nothing else."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _tojson(value: Any, ensure_ascii: bool = False, indent: int | None = None, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **options)


def _raise_exception(message: str) -> NoReturn:
    raise TemplateError(message)
