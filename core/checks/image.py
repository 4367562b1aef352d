"""How a check judges an image: one function per check, as core.checks.text has them for text.

What is measured is kept by the image's name, because a page judges its answers again at every look. Knows nothing of
lines, names or negation.
"""

from __future__ import annotations

import colorsys
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from core import pictures
from core.checks.finding import Finding, Unjudged
from core.checks.kept import Kept
from core.errors import InvalidInput

FLAT = 3
"""Steps of 255 that the darkest and the lightest pixel of a blank image may be apart."""

SAMPLE = 64
"""Pixels of the longer side on which colours are counted."""

_HUES = ((10, "red"), (40, "orange"), (70, "yellow"), (165, "green"), (260, "blue"), (320, "purple"), (345, "pink"))


@dataclass(frozen=True, slots=True)
class Measurements:
    """What is measured in an image: pixels, whether it is one flat colour, and each colour's share (0..1) of it."""

    width: int
    height: int
    blank: bool
    shares: dict[str, float]


def image_size(wanted: tuple[int, int], picture: bytes) -> Finding:
    measured = _measurements(picture)
    return Finding((measured.width, measured.height) == wanted, f"the image is {measured.width}x{measured.height}")


def blank(_: None, picture: bytes) -> Finding:
    flat = _measurements(picture).blank
    return Finding(flat, "the image is one flat colour" if flat else "the image shows more than one colour")


def shows_colour(wanted: str, picture: bytes, least: Decimal) -> Finding:
    share = _measurements(picture).shares.get(wanted, 0.0)
    return Finding(share * 100 >= least, f"{share:.0%} of the image is {wanted}")


def _measurements(picture: bytes) -> Measurements:
    return _MEASURED.of(pictures.reference(picture), lambda: _measure(picture))


def _measure(picture: bytes) -> Measurements:
    from PIL import Image

    try:
        image, _ = pictures.opened(picture)
    except InvalidInput:
        raise Unjudged("the image cannot be read") from None
    plain = image.convert("RGB")
    width, height = plain.size
    flat = all(high - low <= FLAT for low, high in plain.getextrema())  # type: ignore[misc]
    plain.thumbnail((SAMPLE, SAMPLE), Image.Resampling.NEAREST)  # a mean of two colours would be a third
    channels = [iter(plain.tobytes())] * 3
    counted = Counter(_named(*pixel) for pixel in zip(*channels, strict=True))
    total = plain.width * plain.height
    return Measurements(width, height, flat, {colour: count / total for colour, count in counted.items()})


@lru_cache(maxsize=4096)
def _named(red: int, green: int, blue: int) -> str:
    """A pixel's colour in a word: black, white and grey by value and saturation, the rest by hue."""
    hue, saturation, value = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)
    if value < 0.2:
        return "black"
    if saturation < 0.15:
        return "white" if value > 0.85 else "grey"
    name = next((name for below, name in _HUES if hue * 360 < below), "red")
    return "pink" if name == "red" and saturation < 0.5 and value > 0.7 else name


_MEASURED: Kept[Measurements] = Kept(500)
