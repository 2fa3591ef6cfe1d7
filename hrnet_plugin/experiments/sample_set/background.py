"""Textured backgrounds of the sample set, with the semantic map of their stuff classes."""

from __future__ import annotations

import cv2
import numpy as np

from hrnet_plugin.array_types import Floats, Pixels

# COCO-Stuff class -> value in the pixel maps (id - 1), color (BGR), stretch of the texture in x and y
STUFF: dict[str, tuple[int, tuple[int, int, int], tuple[int, int]]] = {
    'grass': (123, (60, 140, 80), (1, 4)),
    'road': (148, (105, 105, 105), (2, 1)),
    'sand': (153, (140, 190, 215), (1, 1)),
    'sea': (154, (150, 110, 50), (8, 1)),
    'sky-other': (156, (215, 170, 120), (16, 6)),
    'wall-brick': (170, (80, 95, 150), (6, 2)),
}
# stuff classes of each scene, from top to bottom
_SCENES = (('sky-other', 'grass'), ('sky-other', 'sea', 'sand'), ('wall-brick', 'road'), ('sky-other', 'grass', 'road'))


def draw_background(rng: np.random.Generator, width: int, height: int) -> tuple[Pixels, Pixels]:
    """Draw a random scene without things.

    Args:
        rng: Random generator.
        width: Width in pixels.
        height: Height in pixels.

    Returns:
        BGR image, uint8, shape (height, width, 3), and its stuff map (id - 1), uint8, shape (height, width).
    """
    layers = _SCENES[rng.integers(len(_SCENES))]
    borders = np.sort(rng.uniform(0.3, 0.8, len(layers) - 1)) * height
    image = np.zeros((height, width, 3), np.float32)
    stuff = np.zeros((height, width), np.uint8)
    row = np.arange(height)[:, None] - _draw_wave(rng, width)[None]
    for k, name in enumerate(layers):
        here = row >= (borders[k - 1] if k else -float(height))
        value, color, grain = STUFF[name]
        np.copyto(image, _draw_texture(rng, width, height, color, grain), where=here[..., None])
        stuff[here] = value
    image += _draw_distractors(rng, width, height)
    image *= rng.uniform(0.8, 1.15)
    return np.clip(image, 0, 255).astype(np.uint8), stuff


def _draw_wave(rng: np.random.Generator, width: int) -> Floats:
    x = np.arange(width) / width
    return np.sum([rng.uniform(0, 6) * np.sin(2 * np.pi * (k * x + rng.uniform())) for k in (1, 2, 5)], axis=0)


def _draw_texture(rng: np.random.Generator, width: int, height: int, color: tuple[int, int, int],
             grain: tuple[int, int]) -> Floats:
    """Draw a color with noise at three scales and a vertical brightness gradient."""
    total = np.zeros((height, width), np.float32)
    for scale in (1, 4, 16):
        shape = (max(2, height // (scale * grain[1])), max(2, width // (scale * grain[0])))
        noise = 8 * rng.standard_normal(shape, np.float32)
        total += cv2.resize(noise, (width, height), interpolation=cv2.INTER_LINEAR)
    shade = np.linspace(rng.uniform(-25, 25), rng.uniform(-25, 25), height, dtype=np.float32)[:, None]
    tint = rng.normal(0, 12, 3)
    return np.asarray(color, np.float32) + tint.astype(np.float32) + (total + shade)[..., None]


def _draw_distractors(rng: np.random.Generator, width: int, height: int) -> Floats:
    """Draw blurred ellipses and lines as distractors, so that contrast alone does not reveal things."""
    layer = np.zeros((height, width, 3), np.float32)
    for _ in range(rng.integers(3, 9)):
        color = rng.normal(0, 30, 3).tolist()
        start = (int(rng.integers(width)), int(rng.integers(height)))
        if rng.random() < 0.5:
            axes = (int(rng.integers(4, 40)), int(rng.integers(4, 25)))
            cv2.ellipse(layer, start, axes, float(rng.uniform(0, 180)), 0, 360, color, -1)
        else:
            end = (int(rng.integers(width)), int(rng.integers(height)))
            cv2.line(layer, start, end, color, int(rng.integers(1, 5)))
    return np.asarray(cv2.GaussianBlur(layer, (0, 0), float(rng.uniform(0.8, 3))))
