"""Rigid things of the sample set, drawn as small images with a mask."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from hrnet_plugin.array_types import Floats, Ints, Pixels

SUPERSAMPLING = 3  # sprites are drawn at this multiple of their size and downsampled, for smooth edges

Color = tuple[int, int, int]


@dataclass(frozen=True)
class Sprite:
    """Image of a thing with its mask.

    Args:
        image: BGR image, uint8, shape (h, w, 3).
        mask: Mask of the thing, bool, shape (h, w).
        keypoints: COCO keypoints (x, y) in pixels, shape (17, 2). None for things without keypoints.
    """
    image: Pixels
    mask: Pixels
    keypoints: Floats | Ints | None = None


Canvas = tuple[Pixels, Pixels]  # image and mask
Painter = Callable[[np.random.Generator, int], Canvas]


def blank_canvas(side: int) -> Canvas:
    """Create an empty image and an empty mask of ``side`` x ``side`` pixels."""
    return np.zeros((side, side, 3), np.uint8), np.zeros((side, side), np.uint8)


def jitter(rng: np.random.Generator, color: Color, spread: int = 30) -> Color:
    """Change each channel of a color by a random value in [-spread, spread]."""
    blue, green, red = (min(max(c + int(rng.integers(-spread, spread + 1)), 0), 255) for c in color)
    return blue, green, red


def draw_polygon(canvas: Canvas, points: Floats | Ints, color: Color) -> None:
    """Draw a filled polygon on image and mask."""
    image, mask = canvas
    outline = [np.round(points).astype(np.int32)]
    cv2.fillPoly(image, outline, color)
    cv2.fillPoly(mask, outline, 255)


def draw_ellipse(canvas: Canvas, center: tuple[float, float], axes: tuple[float, float], color: Color) -> None:
    """Draw a filled ellipse on image and mask."""
    image, mask = canvas
    shape = (_round(center), tuple(max(1, axis) for axis in _round(axes)), 0, 0, 360)
    cv2.ellipse(image, *shape, color, -1)
    cv2.ellipse(mask, *shape, 255, -1)


def draw_line(canvas: Canvas, start: Floats | Ints, end: Floats | Ints, width: float, color: Color) -> None:
    """Draw a thick line with round ends on image and mask."""
    image, mask = canvas
    thickness = max(1, round(width))
    cv2.line(image, _round(start), _round(end), color, thickness)
    cv2.line(mask, _round(start), _round(end), 255, thickness)


def _round(values: Iterable[float]) -> tuple[int, ...]:
    return tuple(round(float(value)) for value in values)


def _darken(color: Color, factor: float) -> Color:
    blue, green, red = (int(c * factor) for c in color)
    return blue, green, red


def _polygon(center: float, radius: float, corners: int, start: float) -> Floats:
    angles = start + np.arange(corners) * 2 * np.pi / corners
    return center + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _traffic_light(rng: np.random.Generator, side: int) -> Canvas:
    canvas = blank_canvas(side)
    left, right, top, bottom = 0.31 * side, 0.69 * side, 0.02 * side, 0.98 * side
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    draw_polygon(canvas, corners, jitter(rng, (40, 45, 40), 20))
    lit = int(rng.integers(3))
    for k, color in enumerate(((40, 40, 235), (30, 190, 240), (60, 210, 60))):
        lamp = color if k == lit else _darken(color, 0.33)
        draw_ellipse(canvas, (side / 2, side * (0.2 + 0.3 * k)), (0.12 * side, 0.12 * side), jitter(rng, lamp, 12))
    return canvas


def _stop_sign(rng: np.random.Generator, side: int) -> Canvas:
    canvas = blank_canvas(side)
    draw_polygon(canvas, _polygon(side / 2, 0.49 * side, 8, np.pi / 8), jitter(rng, (235, 235, 235), 15))
    draw_polygon(canvas, _polygon(side / 2, 0.43 * side, 8, np.pi / 8), jitter(rng, (30, 30, 200), 25))
    bar = np.array([[0.2, 0.42], [0.8, 0.42], [0.8, 0.58], [0.2, 0.58]]) * side
    draw_polygon(canvas, bar, jitter(rng, (235, 235, 235), 15))
    return canvas


def _umbrella(rng: np.random.Generator, side: int) -> Canvas:
    canvas = blank_canvas(side)
    draw_line(canvas, np.array([0.5, 0.4]) * side, np.array([0.5, 0.93]) * side, 0.05 * side, jitter(rng, (60, 60, 70)))
    colors = [jitter(rng, (200, 60, 160), 50), jitter(rng, (60, 200, 230), 50)]
    angles = np.linspace(np.pi, 2 * np.pi, 7)
    for k in range(6):
        arc = np.linspace(angles[k], angles[k + 1], 6)
        edge = np.stack([0.5 + 0.49 * np.cos(arc), 0.55 + 0.5 * np.sin(arc)], axis=1) * side
        draw_polygon(canvas, np.concatenate([[[side / 2, 0.5 * side]], edge]), colors[k % 2])
    return canvas


def _frisbee(rng: np.random.Generator, side: int) -> Canvas:
    canvas = blank_canvas(side)
    color = jitter(rng, (200, 170, 40), 50)
    draw_ellipse(canvas, (side / 2, side / 2), (0.49 * side, 0.2 * side), color)
    draw_ellipse(canvas, (side / 2, 0.47 * side), (0.36 * side, 0.12 * side), jitter(rng, _darken(color, 0.66), 10))
    return canvas


def _sports_ball(rng: np.random.Generator, side: int) -> Canvas:
    canvas = blank_canvas(side)
    draw_ellipse(canvas, (side / 2, side / 2), (0.49 * side, 0.49 * side), jitter(rng, (40, 120, 230), 35))
    seam, width = jitter(rng, (30, 30, 40), 20), max(1, side // 24)
    inside = canvas[1] > 0
    for x, half_width in ((-0.25, 0.5), (0.5, 0.01), (1.25, 0.5)):
        axes = (int(half_width * side) + 1, side)
        cv2.ellipse(canvas[0], (int(x * side), side // 2), axes, 0, 0, 360, seam, width)
    canvas[0][~inside] = 0
    return canvas


def _kite(rng: np.random.Generator, side: int) -> Canvas:
    canvas = blank_canvas(side)
    corners = np.array([[0.5, 0.02], [0.82, 0.34], [0.5, 0.8], [0.18, 0.34]]) * side
    middle = np.array([0.5, 0.34]) * side
    colors = [jitter(rng, (60, 220, 90), 50), jitter(rng, (220, 80, 220), 50)]
    for k in range(4):
        draw_polygon(canvas, np.stack([corners[k], corners[(k + 1) % 4], middle]), colors[k % 2])
    tail = np.array([[0.5, 0.78], [0.44, 0.88], [0.56, 0.98]]) * side
    for start, end in itertools.pairwise(tail):
        draw_line(canvas, start, end, 0.05 * side, jitter(rng, (40, 40, 200)))
    return canvas


def _clock(rng: np.random.Generator, side: int) -> Canvas:
    canvas = blank_canvas(side)
    draw_ellipse(canvas, (side / 2, side / 2), (0.49 * side, 0.49 * side), jitter(rng, (50, 40, 40), 30))
    draw_ellipse(canvas, (side / 2, side / 2), (0.41 * side, 0.41 * side), jitter(rng, (235, 240, 240), 12))
    middle = np.array([side / 2, side / 2])
    for k in range(12):
        spoke = np.array([np.cos(k * np.pi / 6), np.sin(k * np.pi / 6)]) * side
        draw_line(canvas, middle + 0.34 * spoke, middle + 0.38 * spoke, 0.03 * side, (30, 30, 30))
    for length, width in ((0.22, 0.06), (0.33, 0.04)):
        angle = rng.uniform(0, 2 * np.pi)
        draw_line(canvas, middle, middle + length * side * np.array([np.cos(angle), np.sin(angle)]), width * side,
               (20, 20, 20))
    return canvas


# COCO category -> (function that draws it, largest rotation in degrees)
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
    """Draw a thing with random rotation and color.

    Args:
        rng: Random generator.
        name: COCO category, a key of ``PAINTERS``.
        side: Approximate side in pixels.
    """
    painter, tilt = PAINTERS[name]
    image, mask = painter(rng, side * SUPERSAMPLING)
    center = (side * SUPERSAMPLING / 2, side * SUPERSAMPLING / 2)
    rotation = cv2.getRotationMatrix2D(center, float(rng.uniform(-tilt, tilt)), 1.0)
    size = (side * SUPERSAMPLING, side * SUPERSAMPLING)
    image, mask = (cv2.warpAffine(array, rotation, size) for array in (image, mask))
    return downsample(image, mask)


def downsample(image: Pixels, mask: Pixels, keypoints: Floats | Ints | None = None) -> Sprite:
    """Resize a drawing to 1 / ``SUPERSAMPLING`` of its size, and crop it to its mask.

    Args:
        image: BGR image, uint8, shape (H, W, 3).
        mask: Mask, uint8, 0 or 255, shape (H, W).
        keypoints: Keypoints (x, y) in pixels of ``image``, shape (17, 2).
    """
    size = (image.shape[1] // SUPERSAMPLING, image.shape[0] // SUPERSAMPLING)
    weight = cv2.resize(mask.astype(np.float32) / 255, size, interpolation=cv2.INTER_AREA)
    solid = image.astype(np.float32) * (mask[..., None] > 0)
    color = cv2.resize(solid, size, interpolation=cv2.INTER_AREA) / np.maximum(weight, 1e-3)[..., None]
    inside = weight > 0.5
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    window = np.s_[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    if keypoints is not None:
        keypoints = keypoints / SUPERSAMPLING - (columns[0], rows[0])
    return Sprite(np.clip(color[window], 0, 255).astype(np.uint8), inside[window], keypoints)
