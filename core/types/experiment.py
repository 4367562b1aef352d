"""An experiment as a value: variants x models x inputs x samples, with parameters, seed and checks.

Everything that a page can ask for is here. Nothing here knows how a template is rendered, how a check is applied or
what a model accepts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from core.types.model import Value

MAX_SAMPLES = 50
MAX_SEED = 2**63 - 1
MAX_TITLE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way of asking: `user` and `system` are {{variable}} templates; a blank system part is left out."""

    name: str
    user: str
    system: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One row: a value for each variable, and the lines (see core.checks) that an answer to it must satisfy."""

    values: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An earlier message of a talk, as it was said: no template. `images` are references (core.pictures)."""

    role: Literal["user", "assistant"]
    text: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """What is compared: variants x models x inputs x samples.

    `answer_prefix` is the beginning of every answer, which the model continues. `chat` frames the prompt by the
    model's chat template, where it has one. `talk` stands between the system part and the user part of every prompt;
    `images` go with the user part. With `seeds`, of which there are as many as samples, sample k has the k-th; without
    them it has `seed` + k.
    """

    page: str
    variants: tuple[Variant, ...]
    models: tuple[str, ...]
    inputs: tuple[Input, ...] = (Input(),)
    samples: int = 1
    parameters: Mapping[str, Value] = field(default_factory=dict)
    seed: int = 0
    chat: bool = True
    title: str = ""
    answer_prefix: str = ""
    talk: tuple[Turn, ...] = ()
    images: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
