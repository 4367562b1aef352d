"""Keys on their way from a visitor or the deployment to a server, and out of everything else.

A key is never kept, logged or quoted here. `redacted` takes the keys that were used, and whatever looks like one, out
of a message; `KeyRedactor` takes the keys that were used out of a text that comes in parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.catalog.servers import Server
from core.errors import InvalidInput, KeyRefused
from core.settings import Secret, Secrets

MAX_KEY = 512
REDACTED = "[key]"
MIN_REDACTED = 4
"""A shorter key is not looked for: it would be found in ordinary words."""
MIN_CUT_KEY = 8
"""So much of a key at the very end of a text is taken for a key that was cut off."""

_LOOKS_LIKE_A_KEY = re.compile(
    r"""(?<![A-Za-z])(?:sk-[\w-]{6,}|hf_\w{6,}|gsk_\w{6,}|AIza[\w-]{6,}|AQ\.[\w-]{6,})|(?i:Bearer\s+)\S+|"""
    r"""(?<=key=)[^&\s"']+""",
    re.ASCII,
)


def key_from(text: str) -> Secret:
    """What a visitor typed as a key.

    Raises:
        InvalidInput: empty, too long, not ASCII, or with blanks or line breaks inside. The message never quotes it.
    """
    key = text.strip()
    if not key:
        raise InvalidInput("The key is empty. Paste the key that the provider gave you.")
    if not _sendable(key):
        raise InvalidInput(f"This is not a key: keys are plain letters, digits and signs, at most {MAX_KEY} of them.")
    return Secret(key)


def key_for(server: Server, secrets: Secrets) -> Secret | None:
    """The key that a call to this server carries; None for a server on this machine that was given none.

    It must be handed over under the server's own id: a key of another server, or of the environment, is never used.

    Raises:
        KeyRefused: the server needs a key and there is none, or it is none that a header can hold.
    """
    key = secrets.get(server.id)
    if key and key.reveal().strip():
        if not _sendable(key.reveal()):
            raise KeyRefused(
                f"The key for {server.name} cannot be sent: it has blanks, line breaks or foreign characters, or over "
                f"{MAX_KEY} characters. Enter it again."
            )
        return key
    if server.needs_key:
        raise KeyRefused(
            f"There is no key for {server.name}. Add yours under 'Remote models', or choose another model."
        )
    return None


def redacted(text: str, keys: Iterable[Secret | None]) -> str:
    """The text without any of these keys, nor anything else that looks like one."""
    # The longest first: a key may begin with another one, whose removal would leave its end in sight.
    for key in sorted((key.reveal() for key in keys if key), key=len, reverse=True):
        if len(key) >= MIN_REDACTED:
            text = text.replace(key, REDACTED)
    return _LOOKS_LIKE_A_KEY.sub(REDACTED, text)


class KeyRedactor:
    """Takes keys out of a text that comes in parts, also where a key is split over several of them.

    What may be the beginning of a key is held back until more of the text is there: the parts of `feed` and `flush`
    together are the text, in its order, with REDACTED for each key. Only the very keys that were sent are taken out:
    an example in an answer that looks like a key is the answer's own.
    """

    def __init__(self, keys: Iterable[Secret | None]) -> None:
        texts = {key.reveal() for key in keys if key}
        self._keys = sorted((text for text in texts if len(text) >= MIN_REDACTED), key=len, reverse=True)
        self._held = ""
        self.has_redacted = False

    def feed(self, text: str) -> str:
        """More of the text; returns what of it can be shown now."""
        text = self._without_keys(self._held + text)
        held = max((_overlap(text, key) for key in self._keys), default=0)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def flush(self) -> str:
        """The rest, once nothing more comes. A key that was cut off is taken out as far as it came."""
        rest, self._held = self._held, ""
        if len(rest) < MIN_CUT_KEY:
            return rest
        self.has_redacted = True
        return REDACTED

    def _without_keys(self, text: str) -> str:
        for key in self._keys:
            if key in text:
                self.has_redacted, text = True, text.replace(key, REDACTED)
        return text


def _overlap(text: str, key: str) -> int:
    """How many characters at the text's end are the beginning of the key."""
    return next((n for n in range(min(len(key) - 1, len(text)), 0, -1) if text.endswith(key[:n])), 0)


def _sendable(key: str) -> bool:
    return len(key) <= MAX_KEY and key.isascii() and key.isprintable() and " " not in key
