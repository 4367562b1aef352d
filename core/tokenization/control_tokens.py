"""Special tokens, kept apart from the same characters typed by a person.

A chat template writes `<|im_end|>` and means the token; a person who types it means ten characters. A tokenizer that is
given the finished text cannot tell them apart. So what was typed is masked before a template sees it, and such a prompt
is encoded by a copy of the tokenizer in which the special tokens go by names that nobody can type.

Knows the `tokenizers` library; nothing of templates or models.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer

from core.errors import InvalidInput


class ControlTokens:
    """The special tokens of one tokenizer. Not for several threads at once, as no fast tokenizer is."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        tokenizer.no_truncation()
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        added = tokenizer.get_added_tokens_decoder()
        # The longest first, as the tokenizer itself prefers it.
        specials = sorted((token.content for token in added.values() if token.special), key=len, reverse=True)
        nonce = secrets.token_hex(8)
        self._masks = {content: f"{nonce}m{number}." for number, content in enumerate(specials)}
        self._names = {content: f"{nonce}c{number}." for number, content in enumerate(specials)}
        self._contents = {mask: content for content, mask in self._masks.items()}
        self._special, self._masked = _any_of(self._masks), _any_of(self._contents)
        self._masked_or_special = _any_of([*self._contents, *self._names])
        self._renamed: Tokenizer | None = None

    def mask(self, text: str) -> str:
        """Typed text with every special token in it replaced by a word that nobody can type."""
        return self._special.sub(lambda match: self._masks[match[0]], text)

    def unmask(self, text: str) -> str:
        """The text as it was typed."""
        return self._masked.sub(lambda match: self._contents[match[0]], text)

    def encode(self, text: str, add_special_tokens: bool) -> list[int]:
        """Token ids of a text: its special tokens are control tokens, but masked ones are encoded as plain text.

        Raises:
            InvalidInput: there is a masked one, and this tokenizer cannot be copied under other names.
        """
        if not self._masked.search(text):
            self._tokenizer.encode_special_tokens = False  # a call of transformers may have left it on
            return list(self._tokenizer.encode(text, add_special_tokens=add_special_tokens).ids)
        if self._renamed is None:
            self._renamed = _renamed(self._tokenizer, self._names)
        other = {**self._contents, **self._names}
        text = self._masked_or_special.sub(lambda match: other[match[0]], text)
        return list(self._renamed.encode(text, add_special_tokens=add_special_tokens).ids)

    def encode_typed(self, text: str, add_special_tokens: bool) -> list[int]:
        """Token ids of a text all of which was typed; raises as `encode`."""
        return self.encode(self.mask(text), add_special_tokens)


def _any_of(contents: Iterable[str]) -> re.Pattern[str]:
    """One of the texts, the first that fits; a pattern that never fits where there are none."""
    return re.compile("|".join(map(re.escape, contents)) or r"(?!)")


def _renamed(tokenizer: Tokenizer, names: dict[str, str]) -> Tokenizer:
    """A copy with the same ids, in which only these names stand for the special tokens."""
    table = json.loads(tokenizer.to_str())
    table["truncation"] = table["padding"] = None
    for token in table["added_tokens"]:
        token["content"] = names.get(token["content"], token["content"])
    model: dict[str, Any] = table["model"]
    vocabulary = model.get("vocab")
    if isinstance(vocabulary, dict):
        model["vocab"] = {names.get(piece, piece): token for piece, token in vocabulary.items()}
    elif isinstance(vocabulary, list):
        model["vocab"] = [[names.get(piece, piece), score] for piece, score in vocabulary]
    if model.get("unk_token") in names:
        model["unk_token"] = names[model["unk_token"]]
    try:
        copy = Tokenizer.from_str(json.dumps(table))
    except Exception:  # tokenizers raises bare exceptions
        copy = None
    if copy is None or any(copy.token_to_id(name) != tokenizer.token_to_id(old) for old, name in names.items()):
        raise InvalidInput(
            "The prompt holds text that this model's tokenizer takes for a control token. Write it differently."
        )
    return copy
