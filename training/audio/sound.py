"""The content of a three-second sound, as a value, and its random generation. Knows neither samples nor words.

The split is by content, as everywhere in training/: a stable hash of what is combined (instrument, content, direction
or kind, speed, register and loudness) decides the side, whatever the wording and the notes.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from training.text.example import held_out
from training.text.phrasing import chance, weighted

INSTRUMENTS = ("flute", "organ", "trumpet", "guitar", "piano", "bell", "marimba")
DRUMS = ("kit", "kick", "snare", "hi-hat")
TUNED = {"note": 3, "chord": 3, "scale": 4, "arpeggio": 3, "melody": 3}
NOISES = {"siren": 1, "alarm": 1, "wind": 1, "rain": 1}
CONTENTS = (*TUNED, "drums", *NOISES)
DIRECTIONS = ("up", "down")
CHORDS = ("major", "minor")
SPEEDS = ("slow", "fast")
REGISTERS = ("low", "middle", "high")
LOUDNESSES = ("soft", "loud")
NAMES = ("C", "D", "E", "F", "G", "A", "B")
PLAYED, DRUMMED = 0.72, 0.14
SPLIT = "sound6 "
"""The hash's salt: of six tried, the one that also holds out some of the few drums and noises."""


@dataclass(frozen=True)
class Sound:
    """One content; "" stands where a property makes no sense (wind has no speed, a note no direction).

    ``instrument`` is one of INSTRUMENTS for a tuned content, of DRUMS for drums, "" for a noise. ``name`` is the
    note's, or of a chord's root. ``chord`` is "major" or "minor".
    """

    content: str
    instrument: str = ""
    direction: str = ""
    chord: str = ""
    speed: str = ""
    register: str = ""
    loudness: str = "loud"
    name: str = ""

    @property
    def key(self) -> str:
        """The combination of properties that the split hashes, without the note's name."""
        parts = (self.instrument, self.content, self.direction, self.chord, self.speed, self.register, self.loudness)
        return SPLIT + " ".join(part for part in parts if part)


def sound(rng: random.Random) -> Sound:
    """A random sound of either side of the split."""
    draw = rng.random()
    if draw < PLAYED:
        return tuned(rng)
    return drums(rng) if draw < PLAYED + DRUMMED else noise(rng)


def tuned(rng: random.Random) -> Sound:
    content = weighted(rng, TUNED)
    single = content in ("note", "chord")
    return Sound(
        content,
        rng.choice(INSTRUMENTS),
        rng.choice(DIRECTIONS) if content in ("scale", "arpeggio") else "",
        rng.choice(CHORDS) if content == "chord" else "",
        "" if single else rng.choice(SPEEDS),
        rng.choice(REGISTERS),
        _loudness(rng),
        rng.choice(NAMES) if single else "",
    )


def drums(rng: random.Random) -> Sound:
    voice = "kit" if chance(rng, 0.5) else rng.choice(DRUMS[1:])
    return Sound("drums", voice, speed=rng.choice(SPEEDS), loudness=_loudness(rng))


def noise(rng: random.Random) -> Sound:
    content = weighted(rng, NOISES)
    speed = rng.choice(SPEEDS) if content in ("siren", "alarm") else ""
    return Sound(content, speed=speed, loudness=_loudness(rng))


def _loudness(rng: random.Random) -> str:
    return "loud" if chance(rng, 0.65) else "soft"


def for_training(rng: random.Random, make: Callable[[random.Random], Sound] = sound) -> Sound:
    """Draw until the sound is not held out."""
    while True:
        candidate = make(rng)
        if not held_out(candidate.key):
            return candidate


def for_evaluation(rng: random.Random, make: Callable[[random.Random], Sound] = sound) -> Sound:
    """Draw until the sound is held out."""
    while True:
        candidate = make(rng)
        if held_out(candidate.key):
            return candidate
