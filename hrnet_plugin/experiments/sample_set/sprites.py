"""Rigid things of the sample set, drawn as small pictures with a transparent surround."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from hrnet_plugin.array_types import Floats, Ints, Pixels

FINE = 3  # sprites are drawn this much larger and then shrunk, for smooth edges

Color = tuple[int, int, int]


@dataclass(frozen=True)
class Sprite:
    """A thing cut out of its surround.

    Args:
        image: (h, w, 3) uint8 BGR.
        mask: (h, w) bool, the thing's pixels.
        keypoints: (17, 2) float x and y in the order of COCO; None for a thing without.
    """
    image: Pixels
    mask: Pixels
    keypoints: Floats | Ints | None = None


Canvas = tuple[Pixels, Pixels]
Painter = Callable[[np.random.Generator, int], Canvas]


def blank(side: int) -> Canvas:
    """An empty picture and an empty mask of ``side`` x ``side`` pixels."""
    return np.zeros((side, side, 3), np.uint8), np.zeros((side, side), np.uint8)


def near(rng: np.random.Generator, color: Color, spread: int = 30) -> Color:
    """A colour near the given one."""
    blue, green, red = (min(max(c + int(rng.integers(-spread, spread + 1)), 0), 255) for c in color)
    return blue, green, red


def fill(canvas: Canvas, points: Floats | Ints, color: Color) -> None:
    """A filled polygon on picture and mask."""
    image, mask = canvas
    outline = [np.round(points).astype(np.int32)]
    cv2.fillPoly(image, outline, color)
    cv2.fillPoly(mask, outline, 255)


def disc(canvas: Canvas, center: tuple[float, float], axes: tuple[float, float], color: Color) -> None:
    """A filled ellipse on picture and mask."""
    image, mask = canvas
    shape = (_whole(center), tuple(max(1, axis) for axis in _whole(axes)), 0, 0, 360)
    cv2.ellipse(image, *shape, color, -1)
    cv2.ellipse(mask, *shape, 255, -1)


def stroke(canvas: Canvas, start: Floats | Ints, end: Floats | Ints, width: float, color: Color) -> None:
    """A thick line with round ends on picture and mask."""
    image, mask = canvas
    thickness = max(1, round(width))
    cv2.line(image, _whole(start), _whole(end), color, thickness)
    cv2.line(mask, _whole(start), _whole(end), 255, thickness)


def _whole(values: Iterable[float]) -> tuple[int, ...]:
    return tuple(round(float(value)) for value in values)


def _shade(color: Color, part: float) -> Color:
    blue, green, red = (int(c * part) for c in color)
    return blue, green, red


def _polygon(center: float, radius: float, corners: int, turn: float) -> Floats:
    angles = turn + np.arange(corners) * 2 * np.pi / corners
    return center + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _traffic_light(rng: np.random.Generator, side: int) -> Canvas:
    canvas = blank(side)
    left, right, top, bottom = 0.31 * side, 0.69 * side, 0.02 * side, 0.98 * side
    fill(canvas, np.array([[left, top], [right, top], [right, bottom], [left, bottom]]), near(rng, (40, 45, 40), 20))
    lit = int(rng.integers(3))
    for k, color in enumerate(((40, 40, 235), (30, 190, 240), (60, 210, 60))):
        lamp = color if k == lit else _shade(color, 0.33)
        disc(canvas, (side / 2, side * (0.2 + 0.3 * k)), (0.12 * side, 0.12 * side), near(rng, lamp, 12))
    return canvas


def _stop_sign(rng: np.random.Generator, side: int) -> Canvas:
    canvas = blank(side)
    fill(canvas, _polygon(side / 2, 0.49 * side, 8, np.pi / 8), near(rng, (235, 235, 235), 15))
    fill(canvas, _polygon(side / 2, 0.43 * side, 8, np.pi / 8), near(rng, (30, 30, 200), 25))
    bar = np.array([[0.2, 0.42], [0.8, 0.42], [0.8, 0.58], [0.2, 0.58]]) * side
    fill(canvas, bar, near(rng, (235, 235, 235), 15))
    return canvas


def _umbrella(rng: np.random.Generator, side: int) -> Canvas:
    canvas = blank(side)
    stroke(canvas, np.array([0.5, 0.4]) * side, np.array([0.5, 0.93]) * side, 0.05 * side, near(rng, (60, 60, 70)))
    colors = [near(rng, (200, 60, 160), 50), near(rng, (60, 200, 230), 50)]
    angles = np.linspace(np.pi, 2 * np.pi, 7)
    for k in range(6):
        arc = np.linspace(angles[k], angles[k + 1], 6)
        edge = np.stack([0.5 + 0.49 * np.cos(arc), 0.55 + 0.5 * np.sin(arc)], axis=1) * side
        fill(canvas, np.concatenate([[[side / 2, 0.5 * side]], edge]), colors[k % 2])
    return canvas


def _frisbee(rng: np.random.Generator, side: int) -> Canvas:
    canvas = blank(side)
    color = near(rng, (200, 170, 40), 50)
    disc(canvas, (side / 2, side / 2), (0.49 * side, 0.2 * side), color)
    disc(canvas, (side / 2, 0.47 * side), (0.36 * side, 0.12 * side), near(rng, _shade(color, 0.66), 10))
    return canvas


def _sports_ball(rng: np.random.Generator, side: int) -> Canvas:
    canvas = blank(side)
    disc(canvas, (side / 2, side / 2), (0.49 * side, 0.49 * side), near(rng, (40, 120, 230), 35))
    seam, width = near(rng, (30, 30, 40), 20), max(1, side // 24)
    inside = canvas[1] > 0
    for x, half_width in ((-0.25, 0.5), (0.5, 0.01), (1.25, 0.5)):
        axes = (int(half_width * side) + 1, side)
        cv2.ellipse(canvas[0], (int(x * side), side // 2), axes, 0, 0, 360, seam, width)
    canvas[0][~inside] = 0
    return canvas


def _kite(rng: np.random.Generator, side: int) -> Canvas:
    canvas = blank(side)
    corners = np.array([[0.5, 0.02], [0.82, 0.34], [0.5, 0.8], [0.18, 0.34]]) * side
    middle = np.array([0.5, 0.34]) * side
    colors = [near(rng, (60, 220, 90), 50), near(rng, (220, 80, 220), 50)]
    for k in range(4):
        fill(canvas, np.stack([corners[k], corners[(k + 1) % 4], middle]), colors[k % 2])
    tail = np.array([[0.5, 0.78], [0.44, 0.88], [0.56, 0.98]]) * side
    for start, end in itertools.pairwise(tail):
        stroke(canvas, start, end, 0.05 * side, near(rng, (40, 40, 200)))
    return canvas


def _clock(rng: np.random.Generator, side: int) -> Canvas:
    canvas = blank(side)
    disc(canvas, (side / 2, side / 2), (0.49 * side, 0.49 * side), near(rng, (50, 40, 40), 30))
    disc(canvas, (side / 2, side / 2), (0.41 * side, 0.41 * side), near(rng, (235, 240, 240), 12))
    middle = np.array([side / 2, side / 2])
    for k in range(12):
        spoke = np.array([np.cos(k * np.pi / 6), np.sin(k * np.pi / 6)]) * side
        stroke(canvas, middle + 0.34 * spoke, middle + 0.38 * spoke, 0.03 * side, (30, 30, 30))
    for length, width in ((0.22, 0.06), (0.33, 0.04)):
        angle = rng.uniform(0, 2 * np.pi)
        stroke(canvas, middle, middle + length * side * np.array([np.cos(angle), np.sin(angle)]), width * side,
               (20, 20, 20))
    return canvas


# COCO's category -> (painter, largest tilt in degrees)
PAINTERS: dict[str, tuple[Painter, float]] = {
    'traffic light': (_traffic_light, 8),
    'stop sign': (_stop_sign, 8),
    'umbrella': (_umbrella, 30),
    'frisbee': (_frisbee, 25),
    'sports ball': (_sports_ball, 180),
    'kite': (_kite, 40),
    'clock': (_clock, 10),
}


def draw_sprite(rng: np.random.Generator, name: str, side: int) -> Sprite:
    """A thing of the named category in a square of about ``side`` pixels, tilted and coloured at random."""
    painter, tilt = PAINTERS[name]
    image, mask = painter(rng, side * FINE)
    center = (side * FINE / 2, side * FINE / 2)
    turn = cv2.getRotationMatrix2D(center, float(rng.uniform(-tilt, tilt)), 1.0)
    image, mask = (cv2.warpAffine(picture, turn, (side * FINE, side * FINE)) for picture in (image, mask))
    return shrink(image, mask)


def shrink(image: Pixels, mask: Pixels, keypoints: Floats | Ints | None = None) -> Sprite:
    """A sprite from a picture drawn ``FINE`` times too large, cut to its mask."""
    size = (image.shape[1] // FINE, image.shape[0] // FINE)
    weight = cv2.resize(mask.astype(np.float32) / 255, size, interpolation=cv2.INTER_AREA)
    solid = image.astype(np.float32) * (mask[..., None] > 0)
    color = cv2.resize(solid, size, interpolation=cv2.INTER_AREA) / np.maximum(weight, 1e-3)[..., None]
    inside = weight > 0.5
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    window = np.s_[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    if keypoints is not None:
        keypoints = keypoints / FINE - (columns[0], rows[0])
    return Sprite(np.clip(color[window], 0, 255).astype(np.uint8), inside[window], keypoints)
