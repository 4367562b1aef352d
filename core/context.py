"""How many tokens a prompt takes, and what of it is cut off, counted in the server without loading the model.

Uses the model's own tokenizer and chat template, as its provider does; knows nothing of torch or of generation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from core import repository
from core.errors import InvalidInput
from core.settings import Settings
from core.tokenization import chat_template
from core.tokenization.control_tokens import ControlTokens
from core.types import Message, ModelSpec

IMAGE_TOKENS = 77
"""How many tokens CLIP reads, the two that frame a prompt among them (A. Radford et al., 2021, arXiv:2103.00020)."""


@dataclass(frozen=True, slots=True)
class ContextUse:
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
    control, render = _loaded(folder)
    with _LOCK:
        masked = chat_template.cleaned([Message(m.role, control.mask(m.text)) for m in messages])
        text, is_framed = _framed(masked, render if chat else None)
        return len(control.encode(text, add_special_tokens=not is_framed))


def use(spec: ModelSpec, settings: Settings, prompt: str) -> ContextUse | None:
    """How much of an image model's context a prompt takes; None while its tokenizer is not on this machine."""
    folder = repository.folder(spec, settings) / "tokenizer" if repository.present(spec, settings) else None
    if folder is None or not any((folder / name).is_file() for name in ("tokenizer.json", "vocab.json")):
        return None
    tokenizer = _clip(folder)
    with _LOCK:
        encoding = tokenizer.encode(prompt)
    limit = min(spec.context, IMAGE_TOKENS)
    read = limit - 1  # the last place is the end mark's
    cut = prompt[encoding.offsets[read][0] :].strip() if len(encoding.ids) > limit else ""
    return ContextUse(used=len(encoding.ids), limit=limit, cut=cut)


def _framed(messages: Sequence[Message], render: chat_template.Render | None) -> tuple[str, bool]:
    """The prompt, and whether a template framed it. That it cannot is for the model to report."""
    if render is not None:
        with suppress(InvalidInput):
            return chat_template.framed(messages, render), True
    return chat_template.joined(messages), False


@lru_cache(maxsize=8)
def _loaded(folder: Path) -> tuple[ControlTokens, chat_template.Render | None]:
    from tokenizers import Tokenizer

    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    source = _template(folder, config)
    render = chat_template.compiled(source, _special_tokens(config)) if source else None
    return ControlTokens(Tokenizer.from_file(str(folder / "tokenizer.json"))), render


@lru_cache(maxsize=8)
def _clip(folder: Path) -> Any:
    """CLIP's tokenizer, from one file, or from the vocabulary and merges of older repositories.

    Source: transformers, models/clip/tokenization_clip.py.
    """
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    if (folder / "tokenizer.json").is_file():
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        tokenizer.encode_special_tokens = True  # a typed one is text
        return tokenizer
    start, end = "<|startoftext|>", "<|endoftext|>"
    files = (str(folder / "vocab.json"), str(folder / "merges.txt"))
    tokenizer = Tokenizer(models.BPE.from_file(*files, unk_token=end, end_of_word_suffix="</w>"))
    spaces = normalizers.Replace(Regex(r"\s+"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), spaces, normalizers.Lowercase()])
    words = Regex(r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    split = pre_tokenizers.Split(words, behavior="removed", invert=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False)])
    last: Any = (end, tokenizer.token_to_id(end))
    first: Any = (start, tokenizer.token_to_id(start))
    tokenizer.post_processor = processors.RobertaProcessing(last, first, trim_offsets=False, add_prefix_space=False)
    return tokenizer


def _template(folder: Path, config: Mapping[str, Any]) -> str:
    beside = folder / "chat_template.jinja"
    if beside.is_file():
        return beside.read_text("utf-8")
    template = config.get("chat_template") or ""
    if isinstance(template, list):  # several by name
        template = {entry["name"]: entry["template"] for entry in template}.get("default", "")
    return str(template)


def _special_tokens(config: Mapping[str, Any]) -> dict[str, str]:
    """Texts of bos_token, eos_token and their like, each of which is written as a text or as a table."""
    tokens = {name: value for name, value in config.items() if name.endswith("_token") and value}
    texts = {name: value["content"] if isinstance(value, dict) else value for name, value in tokens.items()}
    return {name: text for name, text in texts.items() if isinstance(text, str)}
