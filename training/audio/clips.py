"""Synthesised sounds as arrays, the same ones for the same seed. Knows no model."""

import random
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from training.audio import synthesis
from training.audio.sound import Sound, for_training

Split = Callable[[random.Random], Sound]


def sounds(seed: str, number: int, split: Split = for_training) -> Iterator[tuple[Sound, random.Random]]:
    """``number`` sounds of a side of the split, each with the generator that renders it."""
    for index in range(number):
        rng = random.Random(f"{seed} {index}")
        yield split(rng), rng


def rendered(seed: str, number: int, split: Split = for_training) -> Iterator[tuple[Sound, npt.NDArray[np.float32]]]:
    """The same sounds, each with its samples: (synthesis.LENGTH,), float32."""
    for sound, rng in sounds(seed, number, split):
        yield sound, synthesis.render(sound, rng)
