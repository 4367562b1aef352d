"""Sounds as samples: additive instruments, drums and noises, mono, 8 kHz, three seconds. Knows no words and no model.

Tuned to the scientific pitch (C4 = 256 Hz, so A4 = 426.7 Hz) in just intonation (9/8, 5/4, 4/3, 3/2, 5/3, 15/8), and
every note begins with a frame of the codec, at phase 0. So the partials of C to B repeat their phase within a few
frames, and a small codec needs few codes. The samples depend on the sound and the generator's state alone.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from training.audio.sound import NAMES, Sound

RATE, FRAME, FRAMES = 8_000, 250, 96
LENGTH = FRAME * FRAMES
MIDDLE_C, STEPS = 256.0, (1, 9 / 8, 5 / 4, 4 / 3, 3 / 2, 5 / 3, 15 / 8)
OCTAVES = {"low": 0.5, "middle": 1.0, "high": 2.0}
CHORDS = {"major": (1, 5 / 4, 3 / 2), "minor": (1, 6 / 5, 3 / 2)}
PEAKS = {"soft": 0.2, "loud": 0.8}
HIGHEST, RELEASE = 3_700, 0.03
FRAMES_BETWEEN_NOTES = {"slow": (13, 15), "fast": (5, 6)}
"""The fewest and the most frames from one note to the next."""
FRAMES_PER_HALF_BEAT = {"slow": (11, 12), "fast": (5, 6)}
"""The fewest and the most frames of half a beat."""
Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Instrument:
    """Partials as (frequency ratio, amplitude, decay time constant in seconds; 0: no decay), and seconds of attack."""

    partials: tuple[tuple[float, float, float], ...]
    attack: float


def _series(number: int, strength: Callable[[int], float], fall: Callable[[int], float]) -> tuple[tuple, ...]:
    return tuple((k, strength(k), fall(k)) for k in range(1, number + 1))


INSTRUMENTS: Mapping[str, Instrument] = {
    "flute": Instrument(((1, 1, 0), (2, 0.22, 0), (3, 0.06, 0)), 0.07),
    "organ": Instrument(((0.5, 0.5, 0), (1, 1, 0), (2, 0.8, 0), (3, 0.5, 0), (4, 0.5, 0), (8, 0.3, 0)), 0.01),
    "trumpet": Instrument(_series(12, lambda k: (k + 1) * 0.72**k, lambda k: 0), 0.04),
    "guitar": Instrument(_series(14, lambda k: abs(np.sin(0.63 * k)) / k**0.8, lambda k: 0.75 / (1 + 0.3 * k)), 0.002),
    "piano": Instrument(_series(7, lambda k: 1 / k**1.7, lambda k: 1.1 / k**0.7), 0.006),
    "bell": Instrument(
        ((0.5, 0.5, 2.5), (1, 1, 1.6), (1.2, 0.8, 1.2), (2, 0.9, 0.9), (2.5, 0.5, 0.5), (4, 0.5, 0.3)), 0.001
    ),
    "marimba": Instrument(((1, 1, 0.16), (4, 0.4, 0.05), (10, 0.15, 0.02)), 0.002),
}


def render(sound: Sound, rng: random.Random) -> npt.NDArray[np.float32]:
    """LENGTH samples between -1 and 1, with the peak of the sound's loudness."""
    make = {"drums": _drums, "siren": _siren, "alarm": _alarm, "wind": _wind, "rain": _rain}.get(sound.content, _tuned)
    samples = make(sound, rng)[:LENGTH]
    return (samples * (PEAKS[sound.loudness] / np.abs(samples).max())).astype(np.float32)


def _seconds(count: int) -> Samples:
    """The times of `count` samples, in seconds."""
    return np.arange(count) / RATE


def tone(instrument: Instrument, frequency: float, held: int) -> Samples:
    """One note, held for so many samples and then released within RELEASE seconds."""
    t = _seconds(held + int(RELEASE * RATE))
    note = np.zeros_like(t)
    for ratio, strength, fall in instrument.partials:
        if ratio * frequency < HIGHEST:
            partial = strength * np.sin(2 * np.pi * ratio * frequency * t)
            note += partial * np.exp(-t / fall) if fall else partial
    gate = np.clip(t / instrument.attack, 0, 1) * np.clip((t[-1] - t) / RELEASE, 0, 1)
    return note * gate


def _noise(count: int, rng: random.Random) -> Samples:
    return np.random.default_rng(rng.randrange(2**32)).standard_normal(count)


def _mixed(parts: list[tuple[int, Samples]]) -> Samples:
    """The sum of (frame, samples) pairs, each placed at its frame: LENGTH samples."""
    mix = np.zeros(LENGTH)
    for frame, samples in parts:
        part = samples[: max(0, LENGTH - frame * FRAME)]
        mix[frame * FRAME : frame * FRAME + len(part)] += part
    return mix


def pitch(degree: int) -> float:
    """The frequency of the white key `degree` steps above C, as a multiple of C's."""
    return STEPS[degree % 7] * 2.0 ** (degree // 7)


def _tuned(sound: Sound, rng: random.Random) -> Samples:
    instrument, base = INSTRUMENTS[sound.instrument], MIDDLE_C * OCTAVES[sound.register]
    if sound.name:
        ratios = CHORDS[sound.chord] if sound.chord else (1.0,)
        root, held = base * pitch(NAMES.index(sound.name)), rng.choice((60, 72, 84)) * FRAME
        return _mixed([(0, tone(instrument, root * ratio, held)) for ratio in ratios])
    spacing = rng.randint(*FRAMES_BETWEEN_NOTES[sound.speed])
    degrees = _degrees(sound, min(FRAMES // spacing, 10), rng)
    held = [spacing] * (len(degrees) - 1) + [min(2 * spacing, FRAMES - spacing * (len(degrees) - 1) - 3)]
    notes = [tone(instrument, base * pitch(d), max(n, 4) * FRAME) for d, n in zip(degrees, held, strict=True)]
    return _mixed([(i * spacing, note) for i, note in enumerate(notes)])


def _degrees(sound: Sound, most: int, rng: random.Random) -> list[int]:
    """White keys above C: single steps in a scale, chord tones in an arpeggio, a melody with two turns or more."""
    if sound.content == "melody":
        return _melody(rng.randint(max(5, most - 3), most), rng)
    if sound.content == "scale":
        number = rng.randint(max(5, most - 2), min(most, 8))
        rising = [*range(number)]
    else:
        number, root = rng.randint(4, min(most, 5)), rng.choice((0, 0, 3, 4))
        rising = [root + degree for degree in (0, 2, 4, 7, 9)[:number]]
    return rising if sound.direction == "up" else rising[::-1]


def _melody(number: int, rng: random.Random) -> list[int]:
    while True:
        degrees = [rng.choice((0, 2, 4, 7))]
        while len(degrees) < number:
            degrees.append(rng.choice([d for d in range(8) if d != degrees[-1] and abs(d - degrees[-1]) <= 4]))
        steps = np.sign(np.diff(degrees))
        if (steps[1:] != steps[:-1]).sum() >= 2:
            return degrees


def _kick() -> Samples:
    t = _seconds(RATE // 4)
    return 1.1 * np.sin(2 * np.pi * (50 * t + 4 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.09)


def _snare() -> Samples:
    """Every hit is the same one, as from a drum machine."""
    t = _seconds(RATE // 6)
    return (0.35 * _noise(len(t), random.Random(1)) + 0.6 * np.sin(2 * np.pi * 190 * t)) * np.exp(-t / 0.05)


def _hat() -> Samples:
    t = _seconds(RATE // 14)
    return 0.3 * np.diff(_noise(len(t) + 1, random.Random(2))) * np.exp(-t / 0.018)


def _drums(sound: Sound, rng: random.Random) -> Samples:
    """The hi-hat on every half beat, kick and snare in turn on the full beats; or one of them alone."""
    beat = rng.randint(*FRAMES_PER_HALF_BEAT[sound.speed])
    parts = []
    for half_beat, frame in enumerate(range(0, FRAMES - 3, beat)):
        if sound.instrument in ("kit", "hi-hat"):
            parts.append((frame, _hat()))
        if half_beat % 2 == 0 and sound.instrument != "hi-hat":
            first = sound.instrument == "kick" or (sound.instrument == "kit" and half_beat % 4 == 0)
            parts.append((frame, _kick() if first else _snare()))
    return _mixed(parts)


def _siren(sound: Sound, rng: random.Random) -> Samples:
    """A tone that rises and falls between 500 and 1100 Hz."""
    period = rng.choice((48,) if sound.speed == "slow" else (16,)) * FRAME / RATE
    t = _seconds(LENGTH)
    frequency = 800 - 300 * np.cos(2 * np.pi * t / period)
    phase = 2 * np.pi * np.cumsum(frequency) / RATE
    return np.sin(phase) + 0.3 * np.sin(2 * phase) + 0.15 * np.sin(3 * phase)


def _alarm(sound: Sound, rng: random.Random) -> Samples:
    """Beeps of a square-like tone of 1024 Hz, as long as the gaps between."""
    half = rng.randint(8, 9) if sound.speed == "slow" else rng.randint(3, 4)
    t = _seconds(half * FRAME)
    wave = sum(np.sin(2 * np.pi * 1024 * k * t) / k for k in (1, 3))
    beep = wave * np.clip(np.minimum(t, t[-1] - t) / 0.004, 0, 1)
    return _mixed([(frame, beep) for frame in range(0, FRAMES - half, 2 * half)])


def _looped(recording: Samples, rng: random.Random) -> Samples:
    """The recording repeated to LENGTH samples, starting at a random frame."""
    repeated = np.tile(recording, LENGTH // len(recording))
    return np.roll(repeated, rng.randrange(FRAMES) * FRAME)


def _wind(sound: Sound, rng: random.Random) -> Samples:
    """Low-passed noise with a slow amplitude modulation."""
    low = lfilter([0.06], [1, -0.9], lfilter([0.2], [1, -0.7], _noise(LENGTH // 2, random.Random(3))))
    return _looped(low * (1 + 0.7 * np.sin(2 * np.pi * np.linspace(0, 1, LENGTH // 2))), rng)


def _rain(sound: Sound, rng: random.Random) -> Samples:
    """High-passed noise with short decaying sines as drops."""
    generator = random.Random(4)
    noise = 0.25 * lfilter([1, -0.7], [1], _noise(LENGTH // 4, generator))
    drop = _seconds(120)
    for _ in range(15):
        start = generator.randrange(LENGTH // 4 - 120)
        noise[start : start + 120] += (
            1.2 * np.sin(2 * np.pi * generator.uniform(1500, 3500) * drop) * np.exp(-drop / 0.003)
        )
    return _looped(noise, rng)
