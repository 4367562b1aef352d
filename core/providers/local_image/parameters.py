"""What a request asks of an image: its parameters, checked, and the text of its prompt.

Knows nothing of models.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.catalog import IMAGE_PARAMETERS, chosen
from core.errors import InvalidInput
from core.types import Parameter, Request, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageParameters:
    """The parameters of one image, checked. `size` is width x height in pixels, such as 512x512."""

    negative_prompt: str = ""
    steps: int = 20
    guidance_scale: float = 7.5
    size: str = "512x512"
    scheduler: str = "DPM++ 2M Karras"

    @property
    def pixels(self) -> tuple[int, int]:
        """(width, height)."""
        width, height = self.size.split("x")
        return int(width), int(height)


def read(parameters: Mapping[str, Value], controls: Sequence[Parameter]) -> ImageParameters:
    """Check a request's parameters against the controls in `controls`; what is missing or None takes its default there.

    Names that no image model has are left alone: a grid may carry another model's parameters.

    Raises:
        InvalidInput: a value has the wrong type, is out of bounds or none of the choices; the message says so.
    """
    values = chosen(ImageParameters, parameters, (*IMAGE_PARAMETERS, *controls))
    if not re.fullmatch(r"[1-9]\d{1,3}x[1-9]\d{1,3}", str(values["size"])):
        raise InvalidInput("Size must be width x height in pixels, such as 512x512.")
    return ImageParameters(**values)  # type: ignore[arg-type]


def prompt(request: Request) -> str:
    """The messages' texts, joined by blank lines."""
    return "\n\n".join(message.text for message in request.messages if message.text)
