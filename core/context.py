"""How many tokens a prompt takes, counted in the server without loading the model.

Uses the `tokenizers` library and the model's own chat template; knows nothing of torch or of generation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core import repository
from core.settings import Settings
from core.types import Message, ModelSpec

# A fast tokenizer is not made for several threads at once ("Already borrowed").
_LOCK = Lock()


def count(spec: ModelSpec, settings: Settings, messages: Sequence[Message], chat: bool) -> int | None:
    """Tokens of the prompt as the model will see it; None while its tokenizer is not on this machine."""
    if not repository.present(spec, settings):
        return None
    folder = repository.folder(spec, settings)
    if not (folder / "tokenizer.json").is_file():
        return None
    tokenizer, template = _loaded(folder)
    framed = template if chat else ""
    text = _frame(framed, messages) if framed else "\n\n".join(message.text for message in messages)
    with _LOCK:
        return len(tokenizer.encode(text, add_special_tokens=not framed).ids)


@lru_cache(maxsize=8)
def _loaded(folder: Path) -> tuple[Any, str]:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json")), _template(folder)


def _template(folder: Path) -> str:
    beside = folder / "chat_template.jinja"
    if beside.is_file():
        return beside.read_text("utf-8")
    config = folder / "tokenizer_config.json"
    found = json.loads(config.read_text("utf-8")).get("chat_template", "") if config.is_file() else ""
    return found if isinstance(found, str) else ""


def _frame(template: str, messages: Sequence[Message]) -> str:
    turns = [{"role": message.role, "content": message.text} for message in messages]
    try:
        made = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(template)
        return made.render(messages=turns, add_generation_prompt=True, bos_token="", eos_token="")
    except TemplateError:
        return "\n".join(message.text for message in messages)
