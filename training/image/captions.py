"""A scene in words, as people would type it. Knows no pixels.

What a caption leaves out is random in its picture, so that a prompt fixes what it names and nothing else. A Caption
also lists what it mentions, by which a generated picture is judged.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass

from training.image.scene import Group, Landscape, Scene, Shapes
from training.text.phrasing import chance, listed, weighted

NUMBERS = {2: ("two", "two", "2", "a pair of"), 3: ("three", "three", "3")}
SIZES = {"small": ("small", "little", "tiny"), "medium": ("medium", "medium-sized"), "large": ("large", "big", "huge")}
POSITIONS = {
    "left": ("on the left", "on the left side", "at the left", "left"),
    "right": ("on the right", "on the right side", "at the right", "right"),
    "top": ("at the top", "on top", "top"),
    "bottom": ("at the bottom", "bottom"),
    "middle": ("in the middle", "in the center", "in the centre", "centered"),
}
SHAPES = {"circle": ("circle", "circle", "disc", "dot"), "ring": ("ring", "ring", "donut")}
GREY = ("grey", "gray")
OPENINGS = {"": 60, "a picture of ": 6, "an image of ": 5, "a drawing of ": 6, "an illustration of ": 3, "draw ": 4}
BACKGROUNDS = {" on a {} background": 6, ", {} background": 3, " on {}": 2, " in front of a {} background": 1}
RELATIONS = {
    "left of": (" to the left of ", " left of ", " on the left and ", " next to "),
    "above": (" above ", " over ", " on top of ", " at the top and "),
}
TIMES = {
    "day": ("by day", "in daylight", "at noon", "on a bright day", "during the day", "on a summer day"),
    "sunset": ("at sunset", "at dusk", "in the evening", "at sundown", "in the evening light"),
    "night": ("at night", "by night", "at midnight", "in the night", "in the dark"),
}
TIME_WORDS = {"day": ("daytime", "bright"), "sunset": ("sunset", "evening"), "night": ("night", "dark")}
FEATURES = {
    "sun": ("the sun", "a sun", "sun", "sunshine"),
    "moon": ("the moon", "a moon", "a full moon", "moon"),
    "clouds": ("clouds", "some clouds", "white clouds", "a cloudy sky"),
    "stars": ("stars", "a starry sky", "stars in the sky"),
    "mountains": ("mountains", "a mountain range", "high mountains", "hills"),
    "sea": ("the sea", "a lake", "the ocean", "water", "a blue sea"),
    "boats": ("a boat", "boats", "a sailing boat", "a ship"),
    "trees": ("trees", "some trees", "a forest", "pine trees", "fir trees"),
    "houses": ("a house", "houses", "a village", "some houses", "a cottage"),
    "snow": ("snow", "snow on the ground"),
}
SNOWY = ("snowy", "winter", "snow-covered")
NOUNS = ("landscape", "scene", "view", "scenery")
MENTIONED = 0.8
ORDINALS = ("first", "second")
EXTRAS = (", simple", ", flat colors", ", highly detailed", ", minimalist", ", beautiful", ", clean", ", vector art")


@dataclass(frozen=True)
class Caption:
    """The words, and what they mention: attribute -> value ("color": "red", "sea": "yes"; of a pair, "first color")."""

    text: str
    mentions: Mapping[str, str]


def caption(scene: Scene, rng: random.Random) -> Caption:
    described = _landscape(scene, rng) if isinstance(scene, Landscape) else _shapes(scene, rng)
    text = weighted(rng, OPENINGS) + described.text
    text += rng.choice(EXTRAS) if chance(rng, 0.06) else ""
    text += "." if chance(rng, 0.1) else ""
    return Caption(text, described.mentions)


def _shapes(scene: Shapes, rng: random.Random) -> Caption:
    mentions: dict[str, str] = {}
    if scene.relation:
        group_mentions: tuple[dict[str, str], dict[str, str]] = ({}, {})
        first, second = (
            _group(group, rng, said_of_group) for group, said_of_group in zip(scene.groups, group_mentions, strict=True)
        )
        mentions = {
            f"{ordinal} {name}": said_of_group[name]
            for ordinal, said_of_group in zip(ORDINALS, group_mentions, strict=True)
            for name in said_of_group
        }
        text = first + rng.choice(RELATIONS[scene.relation]) + second if chance(rng, 0.7) else f"{first} and {second}"
    else:
        text = _group(scene.groups[0], rng, mentions)
    if chance(rng, MENTIONED):
        mentions["background"] = scene.background
        text += weighted(rng, BACKGROUNDS).format(_color(scene.background, rng))
    return Caption(text, mentions)


def _group(group: Group, rng: random.Random, mentions: dict[str, str]) -> str:
    """One group as a noun phrase; adds what it says to `mentions`."""
    words = [rng.choice(NUMBERS[group.number])] if group.number > 1 else []
    mentions |= {"shape": group.shape, "number": str(group.number)}
    if chance(rng, 0.15 if group.size == "medium" else MENTIONED) and not (group.number == 1 and not group.position):
        mentions["size"] = group.size
        words.append(rng.choice(SIZES[group.size]))
    if chance(rng, 0.95):
        mentions["color"] = group.color
        words.append(_color(group.color, rng))
    noun = rng.choice(SHAPES.get(group.shape, (group.shape,)))
    words.append(noun + ("s" if group.number > 1 else ""))
    text = " ".join(words)
    if group.number == 1 and chance(rng, 0.85):
        text = ("an " if text[0] in "aeiou" else "a ") + text if chance(rng, 0.93) else "one " + text
    if group.position and chance(rng, 0.65):
        mentions["position"] = group.position
        text += " " + rng.choice(POSITIONS[group.position])
    return text


def _color(color: str, rng: random.Random) -> str:
    return rng.choice(GREY) if color == "grey" else color


def _landscape(scene: Landscape, rng: random.Random) -> Caption:
    named = [feature for feature in sorted(scene.features) if chance(rng, MENTIONED)] or [min(scene.features)]
    mentions = dict.fromkeys(named, "yes")
    rng.shuffle(named)
    timed = chance(rng, 0.85)
    if timed:
        mentions["time"] = scene.time
    snowy = "snow" in named and (len(named) == 1 or chance(rng, 0.6))
    things = [rng.choice(FEATURES[feature]) for feature in named if not (snowy and feature == "snow")]
    adjectives = [rng.choice(SNOWY)] if snowy else []
    after = timed and chance(rng, 0.7)
    if timed and not after:
        adjectives.insert(0, rng.choice(TIME_WORDS[scene.time]))
    text = _view(adjectives, things, rng)
    if after:
        when = rng.choice(TIMES[scene.time])
        text = f"{text} {when}" if chance(rng, 0.8) else f"{text}, {when}"
    return Caption(text, mentions)


def _view(adjectives: list[str], things: list[str], rng: random.Random) -> str:
    if things and not adjectives and chance(rng, 0.6):
        return listed(rng, things)
    noun = " ".join([*adjectives, rng.choice(NOUNS)])
    noun = ("an " if noun[0] in "aeiou" else "a ") + noun
    return f"{noun} with {listed(rng, things)}" if things else noun
