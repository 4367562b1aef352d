"""The content of a picture, as a value, and its random generation. Knows neither pixels nor words.

The split is by content, as everywhere in training/: a stable hash of what is combined (shape, colour and background;
all features of a landscape) decides the side, whatever the wording and the positions.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from training.text.example import held_out
from training.text.phrasing import chance, weighted

SHAPES = ("circle", "square", "triangle", "star", "heart", "ring")
COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")
BACKGROUNDS = ("white", "black", "grey", "pink", "yellow", "green", "blue")
SIZES = {"small": 1, "medium": 2, "large": 1}
NUMBERS = {1: 5, 2: 3, 3: 3}
POSITIONS = ("left", "right", "top", "bottom", "middle")
RELATIONS = ("left of", "above")
TIMES = ("day", "sunset", "night")
LANDSCAPE, PAIR = 0.25, 0.2
FEATURES = ("sun", "moon", "clouds", "stars", "mountains", "sea", "boats", "trees", "houses", "snow")


@dataclass(frozen=True)
class Group:
    """Equal shapes. A single one stands at ``position`` ("" where two groups share the picture, or for several)."""

    shape: str
    color: str
    number: int = 1
    size: str = "medium"
    position: str = ""


@dataclass(frozen=True)
class Shapes:
    """One group, or two single shapes of which the first is ``relation`` the second, on one colour."""

    groups: tuple[Group, ...]
    background: str
    relation: str = ""

    @property
    def key(self) -> str:
        return " ".join(f"{group.color} {group.shape}" for group in self.groups) + f" on {self.background}"


@dataclass(frozen=True)
class Landscape:
    """A time of day and the features that are there, each one of FEATURES."""

    time: str
    features: frozenset[str]

    @property
    def key(self) -> str:
        return " ".join([self.time, *sorted(self.features)])


Scene = Shapes | Landscape


def scene(rng: random.Random) -> Scene:
    """A random scene of either side of the split."""
    return landscape(rng) if chance(rng, LANDSCAPE) else shapes(rng)


def shapes(rng: random.Random) -> Shapes:
    background = rng.choice(BACKGROUNDS)
    colors = [color for color in COLORS if color != background]
    if chance(rng, PAIR):
        first, second = rng.sample([(color, shape) for color in colors for shape in SHAPES], 2)
        pair = tuple(Group(shape, color) for color, shape in (first, second))
        return Shapes(pair, background, rng.choice(RELATIONS))
    number = weighted(rng, NUMBERS)
    position = rng.choice(POSITIONS) if number == 1 else ""
    group = Group(rng.choice(SHAPES), rng.choice(colors), number, weighted(rng, SIZES), position)
    return Shapes((group,), background)


def landscape(rng: random.Random) -> Landscape:
    time = rng.choice(TIMES)
    odds = {"clouds": 0.35, "mountains": 0.45, "sea": 0.4, "trees": 0.45, "houses": 0.35, "snow": 0.25}
    odds |= {"moon": 0.55, "stars": 0.5, "clouds": 0.25} if time == "night" else {"sun": 0.6}
    features = {feature for feature, odd in odds.items() if chance(rng, odd)}
    if "sea" in features and chance(rng, 0.55):
        features.add("boats")
    return Landscape(time, frozenset(features)) if features else landscape(rng)


def for_training(rng: random.Random, make: Callable[[random.Random], Scene] = scene) -> Scene:
    """Draw until the scene is not held out."""
    while True:
        candidate = make(rng)
        if not held_out(candidate.key):
            return candidate


def for_evaluation(rng: random.Random, make: Callable[[random.Random], Scene] = scene) -> Scene:
    """Draw until the scene is held out."""
    while True:
        candidate = make(rng)
        if held_out(candidate.key):
            return candidate
