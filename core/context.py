"""How many tokens a prompt takes, and what of it is cut off, counted in the server without loading the model.

Uses the `tokenizers` library and the model's own chat template; knows nothing of torch or of generation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from core import repository
from core.settings import Settings
from core.types import Message, ModelSpec

IMAGE_TOKENS = 77
"""How many tokens CLIP reads, the two that frame a prompt among them (A. Radford et al., 2021, arXiv:2103.00020)."""


@dataclass(frozen=True, slots=True)
class Fill:
    """How much of an image model's prompt is taken: `used` of `limit` tokens, and the end of the text that is not
    read because it is beyond them."""

    used: int
    limit: int
    cut: str = ""


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


def fill(spec: ModelSpec, settings: Settings, prompt: str) -> Fill | None:
    """How much of an image model's context a prompt takes; None while its tokenizer is not on this machine."""
    folder = repository.folder(spec, settings) / "tokenizer" if repository.present(spec, settings) else None
    if folder is None or not any((folder / name).is_file() for name in ("tokenizer.json", "vocab.json")):
        return None
    tokenizer = _clip(folder)
    with _LOCK:
        found = tokenizer.encode(prompt)
    limit = min(spec.context, IMAGE_TOKENS)
    read = limit - 1  # the last place is the end mark's
    cut = prompt[found.offsets[read][0] :].strip() if len(found.ids) > limit else ""
    return Fill(used=len(found.ids), limit=limit, cut=cut)


@lru_cache(maxsize=8)
def _loaded(folder: Path) -> tuple[Any, str]:
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json")), _template(folder)


@lru_cache(maxsize=8)
def _clip(folder: Path) -> Any:
    """CLIP's tokenizer, from one file, or from the vocabulary and merges of older repositories.

    Source: transformers, models/clip/tokenization_clip.py.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    if (folder / "tokenizer.json").is_file():
        made = Tokenizer.from_file(str(folder / "tokenizer.json"))
        made.no_truncation()
        made.no_padding()
        return made
    start, end = "<|startoftext|>", "<|endoftext|>"
    files = (str(folder / "vocab.json"), str(folder / "merges.txt"))
    made = Tokenizer(models.BPE.from_file(*files, unk_token=end, end_of_word_suffix="</w>"))
    spaces = normalizers.Replace(Regex(r"\s+"), " ")
    made.normalizer = normalizers.Sequence([normalizers.NFC(), spaces, normalizers.Lowercase()])
    words = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    split = pre_tokenizers.Split(words, behavior="removed", invert=True)
    made.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    last: Any = (end, made.token_to_id(end))
    first: Any = (start, made.token_to_id(start))
    made.post_processor = processors.RobertaProcessing(last, first, trim_offsets=False, add_prefix_space=False)
    return made


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
