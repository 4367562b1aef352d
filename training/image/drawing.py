"""A scene as pixels, drawn at SCALE times the size and averaged, for smooth edges. Knows no words.

Coordinates are fractions of the picture's side, from 0 at the left and at the top to 1.
"""

import math
import random

from PIL import Image, ImageDraw

from training.image.scene import Group, Landscape, Scene, Shapes

SIDE, SCALE = 64, 4
BIG = SIDE * SCALE
Color = tuple[int, int, int]
Point = tuple[float, float]
RGB: dict[str, Color] = {
    "red": (222, 40, 42),
    "orange": (246, 138, 28),
    "yellow": (250, 216, 50),
    "green": (46, 160, 72),
    "blue": (44, 92, 218),
    "purple": (138, 58, 182),
    "pink": (246, 172, 196),
    "grey": (148, 150, 156),
    "white": (250, 250, 250),
    "black": (22, 22, 28),
}
RADII = {"small": (0.14, 0.11), "medium": (0.2, 0.145), "large": (0.28, 0.18)}
"""By size: (the radius of a single shape, the radius of each of several)."""
POSITIONS: dict[str, Point] = {
    "left": (0.0, 0.5),
    "right": (1.0, 0.5),
    "top": (0.5, 0.0),
    "bottom": (0.5, 1.0),
    "middle": (0.5, 0.5),
}
SKIES: dict[str, tuple[Color, Color]] = {
    "day": ((92, 164, 238), (204, 230, 252)),
    "sunset": ((116, 72, 150), (252, 164, 78)),
    "night": ((10, 14, 44), (40, 52, 104)),
}
LIGHT = {"day": 1.0, "sunset": 0.78, "night": 0.5}


def draw(scene: Scene, rng: random.Random) -> Image.Image:
    """An RGB picture of SIDE x SIDE pixels. What the scene leaves open (exact position, tilt) is random."""
    picture = Image.new("RGB", (BIG, BIG))
    brush = ImageDraw.Draw(picture)
    if isinstance(scene, Shapes):
        _shapes(brush, scene, rng)
    else:
        _landscape(brush, scene, rng)
    return picture.resize((SIDE, SIDE), Image.Resampling.BOX)


def _shapes(brush: ImageDraw.ImageDraw, scene: Shapes, rng: random.Random) -> None:
    brush.rectangle((0, 0, BIG, BIG), fill=RGB[scene.background])
    if scene.relation:
        centers = _related(scene.relation, rng)
        for group, center in zip(scene.groups, centers, strict=True):
            _shape(brush, group, center, RADII["medium"][0] * rng.uniform(0.9, 1.1), rng)
        return
    group = scene.groups[0]
    radius = RADII[group.size][group.number > 1] * rng.uniform(0.94, 1.06)
    centers = [_positioned(group.position, radius, rng)] if group.number == 1 else _scattered(group.number, radius, rng)
    for center in centers:
        _shape(brush, group, center, radius, rng)


def _related(relation: str, rng: random.Random) -> list[Point]:
    low, high = rng.uniform(0.2, 0.28), rng.uniform(0.72, 0.8)
    across = [rng.uniform(0.4, 0.6) for _ in range(2)]
    return [(low, across[0]), (high, across[1])] if relation == "left of" else [(across[0], low), (across[1], high)]


def _positioned(position: str, radius: float, rng: random.Random) -> Point:
    margin = radius + 0.04
    x, y = (margin + fraction * (1 - 2 * margin) + rng.uniform(-0.035, 0.035) for fraction in POSITIONS[position])
    return min(max(x, radius), 1 - radius), min(max(y, radius), 1 - radius)


def _scattered(number: int, radius: float, rng: random.Random) -> list[Point]:
    margin, apart = radius + 0.02, 2 * radius + 0.05
    while True:
        centers = [(rng.uniform(margin, 1 - margin), rng.uniform(margin, 1 - margin)) for _ in range(number)]
        if all(math.dist(a, b) >= apart for i, a in enumerate(centers) for b in centers[:i]):
            return centers


def _shape(brush: ImageDraw.ImageDraw, group: Group, center: Point, radius: float, rng: random.Random) -> None:
    color, tilt = RGB[group.color], rng.uniform(-0.15, 0.15)
    if group.shape in ("circle", "ring"):
        _disc(brush, center, radius, None if group.shape == "ring" else color, color, 0.42 * radius)
    elif group.shape == "square":
        _polygon(brush, center, [(radius, math.pi / 4 + i * math.pi / 2) for i in range(4)], tilt, color)
    elif group.shape == "triangle":
        lowered = (center[0], center[1] + radius * 0.15)
        _polygon(brush, lowered, [(radius * 1.1, i * math.tau / 3) for i in range(3)], tilt, color)
    elif group.shape == "star":
        spikes = [(radius * (1.1 if i % 2 == 0 else 0.48), i * math.tau / 10) for i in range(10)]
        _polygon(brush, center, spikes, tilt, color)
    else:
        _heart(brush, center, radius, color)


def _disc(
    brush: ImageDraw.ImageDraw, center: Point, radius: float, fill: Color | None, outline: Color, width: float
) -> None:
    box = [BIG * (part + offset) for offset in (-radius, radius) for part in center]
    brush.ellipse(box, fill=fill, outline=outline, width=round(BIG * width))


def _polygon(
    brush: ImageDraw.ImageDraw, center: Point, corners: list[tuple[float, float]], tilt: float, color: Color
) -> None:
    """Draw a polygon; corners are (distance from the center, clockwise angle from straight up in radians)."""
    points = [
        (BIG * (center[0] + far * math.sin(angle + tilt)), BIG * (center[1] - far * math.cos(angle + tilt)))
        for far, angle in corners
    ]
    brush.polygon(points, fill=color)


def _heart(brush: ImageDraw.ImageDraw, center: Point, radius: float, color: Color) -> None:
    """The heart curve x = 16 sin^3 t, y = 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t."""
    points = []
    for i in range(48):
        t = i * math.tau / 48
        x = 16 * math.sin(t) ** 3
        y = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
        points.append((BIG * (center[0] + radius * x / 16), BIG * (center[1] - radius * (y + 2) / 16)))
    brush.polygon(points, fill=color)


def _landscape(brush: ImageDraw.ImageDraw, scene: Landscape, rng: random.Random) -> None:
    horizon = rng.uniform(0.52, 0.6)
    _sky(brush, scene, horizon, rng)
    if "mountains" in scene.features:
        _mountains(brush, scene, horizon, rng)
    ground = (236, 242, 250) if "snow" in scene.features else (96, 168, 74)
    brush.rectangle((0, BIG * horizon, BIG, BIG), fill=_lit(ground, scene.time))
    shore = horizon
    if "sea" in scene.features:
        shore = 0.86
        _sea(brush, scene, horizon, shore, rng)
    _standing(brush, scene, shore, rng)


def _lit(color: Color, time: str) -> Color:
    red, green, blue = (part * LIGHT[time] for part in color)
    warm = 1.12 if time == "sunset" else 1.0
    return (min(255, round(red * warm)), round(green), min(255, round(blue * (1.25 if time == "night" else 1.0))))


def _sky(brush: ImageDraw.ImageDraw, scene: Landscape, horizon: float, rng: random.Random) -> None:
    top, low = SKIES[scene.time]
    for row in range(BIG):
        part = min(1.0, row / (BIG * horizon))
        color = tuple(round(a + (b - a) * part) for a, b in zip(top, low, strict=True))
        brush.line((0, row, BIG, row), fill=color)
    if "stars" in scene.features:
        for _ in range(16):
            _disc(brush, (rng.random(), rng.uniform(0.02, horizon * 0.8)), 0.013, (255, 255, 230), (255, 255, 230), 0)
    if "clouds" in scene.features:
        _clouds(brush, scene, rng)
    if "sun" in scene.features:
        color = (255, 232, 84) if scene.time == "day" else (255, 96, 52)
        _disc(brush, (rng.uniform(0.15, 0.85), rng.uniform(0.13, 0.22)), 0.095, color, color, 0)
    if "moon" in scene.features:
        color, x, y = (250, 246, 214), rng.uniform(0.15, 0.85), rng.uniform(0.13, 0.24)
        _disc(brush, (x, y), 0.085, color, color, 0)


def _clouds(brush: ImageDraw.ImageDraw, scene: Landscape, rng: random.Random) -> None:
    color = {"day": (252, 252, 255), "sunset": (250, 206, 190), "night": (104, 112, 142)}[scene.time]
    for x in (rng.uniform(0.1, 0.4), rng.uniform(0.6, 0.9)):
        y = rng.uniform(0.1, 0.32)
        for offset, lift, radius in ((-0.09, 0.01, 0.05), (0.0, -0.015, 0.07), (0.09, 0.01, 0.05)):
            _disc(brush, (x + offset, y + lift), radius, color, color, 0)


def _mountains(brush: ImageDraw.ImageDraw, scene: Landscape, horizon: float, rng: random.Random) -> None:
    for x in rng.sample((0.15, 0.4, 0.65, 0.9), 3):
        x, height, width = x + rng.uniform(-0.06, 0.06), rng.uniform(0.2, 0.34), rng.uniform(0.22, 0.3)
        peak, left, right = (x, horizon - height), (x - width, horizon), (x + width, horizon)
        grey = rng.randrange(-10, 10)
        rock = (112 + grey, 104 + grey, 112 + grey)
        brush.polygon([(BIG * a, BIG * b) for a, b in (peak, right, left)], fill=_lit(rock, scene.time))
        if "snow" in scene.features:
            part = 0.4
            cap = [peak, *((x + side * width * part, horizon - height * (1 - part)) for side in (1, -1))]
            brush.polygon([(BIG * a, BIG * b) for a, b in cap], fill=_lit((246, 248, 255), scene.time))


def _sea(brush: ImageDraw.ImageDraw, scene: Landscape, horizon: float, shore: float, rng: random.Random) -> None:
    brush.rectangle((0, BIG * horizon, BIG, BIG * shore), fill=_lit((30, 98, 176), scene.time))
    for _ in range(7):
        x, y = rng.uniform(0, 0.9), rng.uniform(horizon + 0.03, shore - 0.03)
        line = (BIG * x, BIG * y, BIG * (x + rng.uniform(0.06, 0.14)), BIG * y)
        brush.line(line, fill=_lit((96, 158, 220), scene.time), width=3)
    if "boats" in scene.features:
        for x in rng.sample((0.22, 0.5, 0.78), rng.choice((1, 1, 2))):
            _boat(brush, scene, (x + rng.uniform(-0.07, 0.07), rng.uniform(horizon + 0.12, shore - 0.05)))


def _boat(brush: ImageDraw.ImageDraw, scene: Landscape, position: Point) -> None:
    x, y = position
    hull = [(x - 0.1, y - 0.03), (x + 0.1, y - 0.03), (x + 0.06, y + 0.03), (x - 0.06, y + 0.03)]
    brush.polygon([(BIG * a, BIG * b) for a, b in hull], fill=_lit((146, 54, 40), scene.time))
    sail = [(x, y - 0.2), (x, y - 0.045), (x + 0.09, y - 0.045)]
    brush.polygon([(BIG * a, BIG * b) for a, b in sail], fill=_lit((255, 250, 236), scene.time))
    brush.line((BIG * x, BIG * (y - 0.2), BIG * x, BIG * (y - 0.03)), fill=_lit((70, 50, 40), scene.time), width=3)


def _standing(brush: ImageDraw.ImageDraw, scene: Landscape, shore: float, rng: random.Random) -> None:
    places = rng.sample((0.1, 0.3, 0.5, 0.7, 0.9), 5)
    low = 0.93 if "sea" in scene.features else rng.uniform(shore + 0.14, shore + 0.26)
    if "houses" in scene.features:
        for _ in range(rng.choice((1, 2))):
            _house(brush, scene, (places.pop() + rng.uniform(-0.03, 0.03), low + rng.uniform(-0.03, 0.03)))
    if "trees" in scene.features:
        for _ in range(rng.choice((2, 3))):
            _tree(brush, scene, (places.pop() + rng.uniform(-0.03, 0.03), low + rng.uniform(-0.03, 0.03)))


def _house(brush: ImageDraw.ImageDraw, scene: Landscape, foot: Point) -> None:
    x, y = foot
    brush.rectangle([BIG * part for part in (x - 0.08, y - 0.13, x + 0.08, y)], fill=_lit((236, 206, 158), scene.time))
    roof = [(x - 0.11, y - 0.125), (x, y - 0.235), (x + 0.11, y - 0.125)]
    color = (240, 244, 250) if "snow" in scene.features else (190, 62, 44)
    brush.polygon([(BIG * a, BIG * b) for a, b in roof], fill=_lit(color, scene.time))
    window = (255, 226, 120) if scene.time == "night" else _lit((96, 132, 168), scene.time)
    brush.rectangle([BIG * part for part in (x - 0.03, y - 0.09, x + 0.025, y - 0.035)], fill=window)


def _tree(brush: ImageDraw.ImageDraw, scene: Landscape, foot: Point) -> None:
    x, y = foot
    brush.rectangle([BIG * part for part in (x - 0.015, y - 0.08, x + 0.015, y)], fill=_lit((104, 70, 44), scene.time))
    leaves = (206, 224, 226) if "snow" in scene.features else (30, 108, 54)
    for base, top, width in ((0.06, 0.19, 0.085), (0.13, 0.27, 0.065)):
        crown = [(x - width, y - base), (x, y - top), (x + width, y - base)]
        brush.polygon([(BIG * a, BIG * b) for a, b in crown], fill=_lit(leaves, scene.time))
