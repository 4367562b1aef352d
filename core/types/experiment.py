"""An experiment as a value: variants x models x parameter values x inputs x samples, with seed and checks.

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
DEFAULT_MARGIN = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way of asking: `user` and `system` are {{variable}} templates; a blank system part is left out.

    With `literal` neither is a template: braces are text, and no variable is filled in.
    """

    name: str
    user: str
    system: str = ""
    literal: bool = False


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that an answer must show: a line in the dialect of core.checks.

    `weight` is its share in the score of an answer (0: reported, but not counted), `metric` a name under which scores
    are added up, `threshold` the score of its own from which it passes, for checks that give more than yes or no.
    """

    line: str
    weight: float = 1.0
    metric: str = ""
    threshold: float | None = None

    @classmethod
    def of(cls, *lines: str) -> tuple[Check, ...]:
        """Checks that all weigh the same, from their lines."""
        return tuple(cls(line) for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One row: a value for each variable, and the checks that an answer to it must satisfy.

    `id` stays with the row when others come and go ("" where nobody gave it one). Rows of one `group` are one unit of
    evidence ("": the row is a unit of its own). An answer passes when its weighted score reaches `threshold`; None
    takes the experiment's.
    """

    id: str = ""
    values: Mapping[str, str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    group: str = ""
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierMessage:
    """A message of a conversation before the prompt, as it was sent: no template. `images` are references
    (core.pictures)."""

    role: Literal["user", "assistant"]
    text: str
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """What is compared: columns (variants x models x parameter values) over inputs x samples.

    `parameters` hold one value each; `axes` hold several values of a parameter, which are tried in every combination
    and come before the one in `parameters`. `checks` apply to every input, beside its own; `threshold` is the weighted
    score from which an answer passes (None: every check must pass). `margin` is the difference in score, 0 to 1, below
    which two columns count as equivalent.

    `answer_prefix` is the beginning of every answer, which the model continues. `chat` frames the prompt by the
    model's chat template, where it has one. `earlier` stands between the system part and the user part of every
    prompt; `images` go with the user part. With `seeds`, of which there are as many as samples, sample k has the k-th;
    without them it has `seed` + k.

    `aa_test` marks a comparison of a variant with itself: its variants ask the same, so each has seeds of its own.
    """

    page: str
    variants: tuple[Variant, ...]
    models: tuple[str, ...]
    inputs: tuple[Input, ...] = (Input(),)
    samples: int = 1
    parameters: Mapping[str, Value] = field(default_factory=dict)
    axes: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    seed: int = 0
    chat: bool = True
    title: str = ""
    answer_prefix: str = ""
    earlier: tuple[EarlierMessage, ...] = ()
    images: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    checks: tuple[Check, ...] = ()
    threshold: float | None = None
    margin: float = DEFAULT_MARGIN
    aa_test: bool = False
