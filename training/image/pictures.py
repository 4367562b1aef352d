"""Drawn scenes as arrays, the same ones for the same seed. Knows no model."""

import random
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from training.image import drawing
from training.image.scene import Scene, for_training

Pixels = npt.NDArray[np.uint8]
"""Height x width x 3."""


def scenes(
    seed: str, number: int, split: Callable[[random.Random], Scene] = for_training
) -> Iterator[tuple[Scene, random.Random]]:
    """``number`` scenes of a side of the split, each with the generator that draws it."""
    for index in range(number):
        rng = random.Random(f"{seed} {index}")
        yield split(rng), rng


def drawn(
    seed: str, number: int, split: Callable[[random.Random], Scene] = for_training
) -> Iterator[tuple[Scene, Pixels]]:
    """The same scenes, each with its picture: SIDE x SIDE x 3, uint8."""
    for scene, rng in scenes(seed, number, split):
        yield scene, np.asarray(drawing.draw(scene, rng))


def stacked(pictures: list[Pixels]) -> npt.NDArray[np.float32]:
    """The models' input: number x 3 x height x width, float32, from -1 to 1."""
    return np.stack(pictures).transpose(0, 3, 1, 2).astype(np.float32) / 127.5 - 1
