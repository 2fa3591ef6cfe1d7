"""A scene of the sample set: things of several sizes on a backdrop, with everything that is known about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrnet_plugin.array_types import Floats, Ints, Pixels
from hrnet_plugin.experiments.sample_set.backdrop import draw_backdrop
from hrnet_plugin.experiments.sample_set.person import draw_person
from hrnet_plugin.experiments.sample_set.sprites import PAINTERS, Sprite, draw_sprite

CATEGORIES = ('person', *PAINTERS)
# Side in pixels and share of the things: small, medium and large as COCO counts them (areas below 32**2 and 96**2).
_SIDES = ((12, 32, 0.35), (40, 90, 0.4), (110, 180, 0.25))
_MOST_COVERED = 0.25


@dataclass
class Thing:
    """One instance.

    Args:
        category: Its name in COCO.
        mask: (H, W) bool, its visible pixels.
        keypoints: (17, 2) x and y in the image, also outside of it; None for all but persons.
    """
    category: str
    mask: Pixels
    keypoints: Floats | Ints | None


@dataclass
class Scene:
    """An image, (H, W, 3) uint8 BGR, its things, and the (H, W) uint8 map of the stuff behind them."""
    image: Pixels
    things: list[Thing]
    stuff: Pixels


def draw_scene(rng: np.random.Generator, width: int, height: int) -> Scene:
    """A random scene with up to nine things, none of which hides more than a quarter of another."""
    image, stuff = draw_backdrop(rng, width, height)
    things: list[Thing] = []
    sides = [_side(rng, min(width, height)) for _ in range(rng.integers(3, 10))]
    for side in sorted(sides, reverse=True):
        category = CATEGORIES[rng.integers(len(CATEGORIES))]
        sprite = draw_person(rng, side) if category == 'person' else draw_sprite(rng, category, side)
        _place(rng, image, things, category, sprite)
    noise = 4 * rng.standard_normal(image.shape, np.float32)
    return Scene(np.clip(image + noise, 0, 255).astype(np.uint8), things, stuff)


def _side(rng: np.random.Generator, most: int) -> int:
    low, high, _ = _SIDES[rng.choice(len(_SIDES), p=[share for *_, share in _SIDES])]
    return min(int(rng.integers(low, high)), most)


def _place(rng: np.random.Generator, image: Pixels, things: list[Thing], category: str, sprite: Sprite) -> None:
    """Paint the sprite where it fits; leave it out if there is no such place."""
    height, width = image.shape[:2]
    h, w = sprite.mask.shape
    for _ in range(20):
        # a tenth of it may stand outside
        x = int(rng.integers(-w // 10, max(1, width - w * 9 // 10)))
        y = int(rng.integers(-h // 10, max(1, height - h * 9 // 10)))
        mask = np.zeros((height, width), bool)
        target = np.s_[max(y, 0):min(y + h, height), max(x, 0):min(x + w, width)]
        source = np.s_[max(-y, 0):min(h, height - y), max(-x, 0):min(w, width - x)]
        mask[target] = sprite.mask[source]
        if any((thing.mask & mask).sum() > _MOST_COVERED * thing.mask.sum() for thing in things):
            continue
        light = rng.uniform(0.85, 1.1)
        patch = np.clip(sprite.image[source] * light + rng.normal(0, 5, sprite.image[source].shape), 0, 255)
        image[target][sprite.mask[source]] = patch.astype(np.uint8)[sprite.mask[source]]
        for thing in things:
            thing.mask &= ~mask
        things.append(Thing(category, mask, None if sprite.keypoints is None else sprite.keypoints + (x, y)))
        return
