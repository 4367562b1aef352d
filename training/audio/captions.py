"""A sound in words, as people would type it. Knows no samples.

What a caption leaves out is random in its sound, so that a prompt fixes what it names and nothing else. A Caption also
lists what it mentions, by which a generated sound is judged.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from training.audio.sound import Sound
from training.text.phrasing import chance, weighted

INSTRUMENTS = {
    "flute": ("flute", "flute", "wooden flute"),
    "organ": ("organ", "organ", "church organ", "pipe organ"),
    "trumpet": ("trumpet", "trumpet", "brass trumpet"),
    "guitar": ("guitar", "guitar", "acoustic guitar", "plucked guitar"),
    "piano": ("piano", "piano", "grand piano"),
    "bell": ("bell", "bell", "church bell"),
    "marimba": ("marimba", "marimba", "wooden marimba"),
}
CONTENTS = {
    "note": ("note", "note", "single note", "tone", "long note"),
    "chord": ("chord", "chord", "triad"),
    "scale": ("scale", "scale", "musical scale"),
    "arpeggio": ("arpeggio", "arpeggio", "broken chord"),
    "melody": ("melody", "melody", "tune", "little melody", "short tune"),
}
DRUMS = {
    "kit": ("drum beat", "drum beat", "drum rhythm", "beat on a drum kit", "rock beat", "drum loop", "drum groove"),
    "kick": ("kick drum", "bass drum", "kick drum beat", "kick"),
    "snare": ("snare drum", "snare", "snare drum beat"),
    "hi-hat": ("hi-hat", "hi-hats", "hi-hat rhythm", "cymbal ticks"),
}
NOISES = {
    "siren": ("siren", "siren", "police siren", "wailing siren"),
    "alarm": ("alarm", "alarm beep", "beeping alarm", "alarm clock"),
    "wind": ("wind", "wind blowing", "howling wind", "gusts of wind"),
    "rain": ("rain", "rain falling", "falling rain", "raindrops"),
}
MASSES = (*NOISES["wind"], *NOISES["rain"], "hi-hats", "cymbal ticks")
DIRECTIONS = {"up": ("ascending", "rising", "upward"), "down": ("descending", "falling", "downward")}
AFTER = {"up": ("going up", "upwards", "up"), "down": ("going down", "downwards", "down")}
SPEEDS = {"slow": ("slow", "slow", "calm", "leisurely"), "fast": ("fast", "fast", "quick", "rapid")}
REGISTERS = {
    "low": ("low", "deep", "low-pitched"),
    "middle": ("mid-range", "medium-pitched"),
    "high": ("high", "high-pitched"),
}
LOUDNESSES = {"soft": ("soft", "quiet", "gentle"), "loud": ("loud", "strong")}
MENTIONED = {"direction": 0.85, "chord": 0.9, "speed": 0.7, "register": 0.55, "loudness": 0.3, "name": 0.5}
JOINED = {" on a ": 4, " played on a ": 2, ", ": 1, " by a ": 1, " on the ": 1}
BEFORE = 0.3
VOWELS = (*"aeio", "A", "E", "F")
OPENINGS = {"": 30, "the sound of ": 2, "play ": 1, "a recording of ": 1, "a clip of ": 1}


@dataclass(frozen=True)
class Caption:
    """The words, and what they mention: property of a Sound -> its value."""

    text: str
    mentions: Mapping[str, str]


def caption(sound: Sound, rng: random.Random) -> Caption:
    """A random caption: content and instrument are always named, the rest with the odds in MENTIONED."""
    named = {
        name: getattr(sound, name) for name, often in MENTIONED.items() if getattr(sound, name) and chance(rng, often)
    }
    mentions = {"content": sound.content, **({"instrument": sound.instrument} if sound.instrument else {}), **named}
    text = _phrase(sound, named, rng)
    text = weighted(rng, OPENINGS) + text
    text += "." if chance(rng, 0.1) else ""
    return Caption(text, mentions)


def _phrase(sound: Sound, named: Mapping[str, str], rng: random.Random) -> str:
    words, after = _adjectives(named, rng), ""
    if "direction" in named:
        if chance(rng, 0.7):
            words.append(rng.choice(DIRECTIONS[sound.direction]))
        else:
            after = " " + rng.choice(AFTER[sound.direction])
    if sound.content not in CONTENTS:
        noun = rng.choice(DRUMS[sound.instrument] if sound.instrument else NOISES[sound.content])
        return _with_article(words, noun, rng)
    tonal = [named[name] for name in ("name", "chord") if name in named]
    noun = " ".join([*tonal, rng.choice(CONTENTS[sound.content])])
    instrument = rng.choice(INSTRUMENTS[sound.instrument])
    if chance(rng, BEFORE):
        return _with_article([*words, instrument], noun, rng) + after
    joined = weighted(rng, JOINED)
    if joined.endswith(" a ") and instrument[0] in VOWELS:
        joined = joined.replace(" a ", " an ")
    return _with_article(words, noun, rng) + after + joined + instrument


def _adjectives(named: Mapping[str, str], rng: random.Random) -> list[str]:
    tables = {"speed": SPEEDS, "register": REGISTERS, "loudness": LOUDNESSES}
    adjectives = [rng.choice(table[named[name]]) for name, table in tables.items() if name in named]
    rng.shuffle(adjectives)
    return adjectives


def _with_article(words: Sequence[str], noun: str, rng: random.Random) -> str:
    text = " ".join([*words, noun])
    if noun in MASSES or chance(rng, 0.25):
        return text
    article = "an " if text[0] in VOWELS or text.split()[0] in VOWELS else "a "
    return article + text
