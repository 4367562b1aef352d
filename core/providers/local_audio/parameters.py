"""What a request asks of a sound: its parameters, checked, and the text of its prompt.

Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from core.catalog import MUSIC_PARAMETERS, SPEECH_PARAMETERS, chosen
from core.errors import InvalidInput
from core.types import Parameter, Request, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicParameters:
    """The parameters of a piece of music, checked. `duration` is in seconds; temperature 0 takes the likeliest code."""

    duration: float = 8.0
    guidance_scale: float = 3.0
    temperature: float = 1.0
    top_k: int = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechParameters:
    """The parameters of a text that is spoken, checked."""

    speaking_rate: float = 1.0
    noise_scale: float = 0.667


AudioParameters = TypeVar("AudioParameters", MusicParameters, SpeechParameters)


def read(
    kind: type[AudioParameters], parameters: Mapping[str, Value], controls: Sequence[Parameter]
) -> AudioParameters:
    """Check a request's parameters against the controls in `controls`; what is missing or None takes its default there.

    Names that this kind of sound has not are left alone: a grid may carry another model's parameters.

    Raises:
        InvalidInput: a value has the wrong type, is not finite or is out of bounds; the message says so.
    """
    values = chosen(kind, parameters, (*MUSIC_PARAMETERS, *SPEECH_PARAMETERS, *controls))
    return kind(**values)  # type: ignore[arg-type]


def prompt(request: Request) -> str:
    """The messages' texts, joined by blank lines.

    Raises:
        InvalidInput: there are no words.
    """
    text = "\n\n".join(message.text for message in request.messages if message.text.strip())
    if not text:
        raise InvalidInput("The prompt is empty. Write what is to be heard.")
    return text
