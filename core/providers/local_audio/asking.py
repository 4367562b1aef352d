"""What a request asks of a sound: its parameters, checked, its seed, and the words of its prompt.

Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

from core.catalog import MUSIC_PARAMETERS, SPEECH_PARAMETERS, checked
from core.errors import InvalidInput
from core.types import Parameter, Request, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Music:
    """The parameters of a piece of music, checked. `duration` is in seconds; temperature 0 takes the likeliest code."""

    duration: float = 8.0
    guidance_scale: float = 3.0
    temperature: float = 1.0
    top_k: int = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """The parameters of a text that is spoken, checked."""

    speaking_rate: float = 1.0
    noise_scale: float = 0.667


Wanted = TypeVar("Wanted", Music, Speech)


def read(kind: type[Wanted], parameters: Mapping[str, Value], known: Sequence[Parameter]) -> Wanted:
    """Check a request's parameters against the controls in `known`; what is missing or None takes its default there.

    Names that this kind of sound has not are left alone: a grid may carry another model's parameters.

    Raises:
        InvalidInput: a value has the wrong type, is not finite or is out of bounds; the message says so.
    """
    rows = _PLAIN | {row.name: row for row in known}
    chosen: dict[str, Value] = {}
    for name in (field.name for field in fields(kind)):
        value = parameters.get(name)
        chosen[name] = checked(rows[name], rows[name].default if value is None else value)
    return kind(**chosen)  # type: ignore[arg-type]


def seed(request: Request) -> int:
    """The seed of a request.

    Raises:
        InvalidInput: it is not one.
    """
    number = request.seed
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < 2**63:
        raise InvalidInput("The seed must be a whole number from 0 to 9223372036854775807.")
    return number


def prompt(request: Request) -> str:
    """The messages' texts, joined by blank lines.

    Raises:
        InvalidInput: there are no words.
    """
    text = "\n\n".join(message.text for message in request.messages if message.text.strip())
    if not text:
        raise InvalidInput("The prompt is empty. Write what is to be heard.")
    return text


_PLAIN = {row.name: row for row in (*MUSIC_PARAMETERS, *SPEECH_PARAMETERS)}
