"""An experiment as a value, and the same value as plain JSON.

Everything that a page can ask for is here: variants x models x inputs x samples, with parameters, seed and checks.
`reading` has the way back. Nothing here knows how a template is rendered, how a check is
applied or what a model accepts; `plan` finds that out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from core.types import Value

VERSION = 1
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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cell stands; `model` is its id, the others count from 0."""

    index: int
    model: str
    sample: int
    input: int
    variant: int


def effective_samples(experiment: Experiment) -> int:
    """How many samples are worth running: one at temperature 0, where greedy decoding only makes copies."""
    return 1 if experiment.parameters.get("temperature") == 0 else experiment.samples


def seed_of(experiment: Experiment, sample: int) -> int:
    """The seed of the sample in every cell: the one listed for it, else the experiment's, counted up, and from 0 again
    past the largest."""
    if sample < len(experiment.seeds):
        return experiment.seeds[sample]
    return (experiment.seed + sample) % (MAX_SEED + 1)


def places(experiment: Experiment) -> Iterator[Place]:
    """The grid in the order it is filled: a model's cells together, and every row once before any is sampled again."""
    index = 0
    for model in experiment.models:
        for sample in range(effective_samples(experiment)):
            for row in range(len(experiment.inputs)):
                for variant in range(len(experiment.variants)):
                    yield Place(index, model, sample, row, variant)
                    index += 1


def to_dict(experiment: Experiment) -> dict[str, Any]:
    """The experiment as plain JSON values, with its format's version."""
    plain: dict[str, Any] = {"version": VERSION}
    plain |= {entry.name: getattr(experiment, entry.name) for entry in fields(Experiment)}
    plain["variants"] = [{"name": v.name, "user": v.user, "system": v.system} for v in experiment.variants]
    plain["models"] = list(experiment.models)
    plain["inputs"] = [{"values": dict(row.values), "checks": list(row.checks)} for row in experiment.inputs]
    plain["parameters"] = {
        name: list(value) if isinstance(value, tuple) else value for name, value in experiment.parameters.items()
    }
    plain["talk"] = [{"role": turn.role, "text": turn.text, "images": list(turn.images)} for turn in experiment.talk]
    plain["images"] = list(experiment.images)
    plain["seeds"] = list(experiment.seeds)
    return plain


def short(name: str, limit: int = 40) -> str:
    """A name that fits into a sentence: at most `limit` characters, the last an ellipsis where it was cut."""
    return name if len(name) <= limit else name[: limit - 1] + "…"
