"""Keys on their way from a visitor or the deployment to a server, and out of everything else.

A key is never kept, logged or quoted here. `hidden` takes out of a text the keys that were used and whatever looks
like one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from core.catalog.servers import Server
from core.errors import InvalidInput, KeyRefused
from core.settings import Secret, Secrets

MAX_KEY = 512

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


def hidden(text: str, keys: Iterable[Secret | None]) -> str:
    """The text without any of these keys, nor anything else that looks like one."""
    # The longest first: a key may begin with another one, whose removal would leave its end in sight.
    for key in sorted((key.reveal() for key in keys if key), key=len, reverse=True):
        if len(key) >= 4:
            text = text.replace(key, "[key]")
    return _LOOKS_LIKE_A_KEY.sub("[key]", text)


def _sendable(key: str) -> bool:
    return len(key) <= MAX_KEY and key.isascii() and key.isprintable() and " " not in key
