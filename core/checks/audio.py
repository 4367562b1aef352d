"""How a check judges a sound: one function per check, as core.checks.text has them for text.

What is measured is kept by the sound's own hash, because a page judges its answers again at every look. Knows nothing
of lines, names or negation.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from core.checks.finding import Finding, Unjudged
from core.checks.kept import Kept
from core.errors import InvalidInput

SILENCE = 0.01
"""The loudest sample of a silent sound, of 1: -40 dB below the loudest that a file can hold."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """What is measured in a sound: seconds, and its loudest sample from 0 to 1."""

    seconds: float
    peak: float


def min_seconds(least: float, sound: bytes) -> Finding:
    seconds = _loudness(sound).seconds
    return Finding(seconds >= least, f"{seconds:.2f} s, at least {least:g} s wanted")


def max_seconds(most: float, sound: bytes) -> Finding:
    seconds = _loudness(sound).seconds
    return Finding(seconds <= most, f"{seconds:.2f} s, at most {most:g} s wanted")


def silent(_: None, sound: bytes) -> Finding:
    peak = _loudness(sound).peak
    return Finding(peak <= SILENCE, f"the loudest sample is {peak:.1%} of the loudest possible")


def _measure(sound: bytes) -> Loudness:
    from core.sound import samples

    try:
        values, rate = samples(sound)
    except InvalidInput:
        raise Unjudged("the sound cannot be read") from None
    return Loudness(len(values) / rate, float(abs(values).max()) if len(values) else 0.0)


def _loudness(sound: bytes) -> Loudness:
    return _MEASURED.of(hashlib.sha256(sound).hexdigest(), lambda: _measure(sound))


_MEASURED: Kept[Loudness] = Kept(500)
