"""What one image was made of, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_SEED = 2**63 - 1
MAX_PROMPT = 20_000
NUMBERS = ("steps", "guidance_scale")
WORDS = ("size", "scheduler")
"""The names of an image's parameters, besides the negative prompt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageSettings:
    """One image's prompt and settings. `model` is an id of the catalog, or what another tool calls its model.

    `parameters` are named as in the catalog (NUMBERS and WORDS). `prompt` is empty, `negative_prompt` and `seed` are
    None where the file does not have them, or none that can be used here. `notes` are sentences about what of a file
    was not understood.
    """

    prompt: str = ""
    negative_prompt: str | None = None
    parameters: Mapping[str, str | int | float] = field(default_factory=dict)
    seed: int | None = None
    model: str = ""
    source: str = ""
    revision: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
