"""Scenes of the sample set: things of several sizes on a background, with their ground truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrnet_plugin.array_types import Floats, Ints, Pixels
from hrnet_plugin.experiments.sample_set.background import draw_background
from hrnet_plugin.experiments.sample_set.person import draw_person
from hrnet_plugin.experiments.sample_set.sprites import PAINTERS, Sprite, draw_sprite

CATEGORIES = ('person', *PAINTERS)
# smallest side, largest side, share of the things: small, medium and large as in COCO (areas below 32**2 and 96**2)
_SIDES = ((12, 32, 0.35), (40, 90, 0.4), (110, 180, 0.25))
_MAX_OCCLUSION = 0.25


@dataclass
class Thing:
    """Instance of a thing class.

    Args:
        category: COCO category, e.g. 'person'.
        mask: Mask of the visible pixels, bool, shape (H, W).
        keypoints: Keypoints (x, y) in pixels, possibly outside the image, shape (17, 2). None except for persons.
    """
    category: str
    mask: Pixels
    keypoints: Floats | Ints | None


@dataclass
class Scene:
    """Image with its ground truth.

    Args:
        image: BGR image, uint8, shape (H, W, 3).
        things: Instances.
        stuff: COCO-Stuff map of the background (id - 1), uint8, shape (H, W).
    """
    image: Pixels
    things: list[Thing]
    stuff: Pixels


def draw_scene(rng: np.random.Generator, width: int, height: int) -> Scene:
    """Draw a random scene with up to nine things. No thing occludes more than a quarter of another one.

    Args:
        rng: Random generator.
        width: Width in pixels.
        height: Height in pixels.
    """
    image, stuff = draw_background(rng, width, height)
    things: list[Thing] = []
    sides = [_side(rng, min(width, height)) for _ in range(rng.integers(3, 10))]
    for side in sorted(sides, reverse=True):
        category = CATEGORIES[rng.integers(len(CATEGORIES))]
        sprite = draw_person(rng, side) if category == 'person' else draw_sprite(rng, category, side)
        _place(rng, image, things, category, sprite)
    noise = 4 * rng.standard_normal(image.shape, np.float32)
    return Scene(np.clip(image + noise, 0, 255).astype(np.uint8), things, stuff)


def _side(rng: np.random.Generator, largest: int) -> int:
    low, high, _ = _SIDES[rng.choice(len(_SIDES), p=[share for *_, share in _SIDES])]
    return min(int(rng.integers(low, high)), largest)


def _place(rng: np.random.Generator, image: Pixels, things: list[Thing], category: str, sprite: Sprite) -> None:
    """Paint a sprite at a random place. Skip it if 20 places occlude other things too much."""
    height, width = image.shape[:2]
    h, w = sprite.mask.shape
    for _ in range(20):
        # up to a tenth of the sprite may be outside the image
        x = int(rng.integers(-w // 10, max(1, width - w * 9 // 10)))
        y = int(rng.integers(-h // 10, max(1, height - h * 9 // 10)))
        mask = np.zeros((height, width), bool)
        target = np.s_[max(y, 0):min(y + h, height), max(x, 0):min(x + w, width)]
        source = np.s_[max(-y, 0):min(h, height - y), max(-x, 0):min(w, width - x)]
        mask[target] = sprite.mask[source]
        if any((thing.mask & mask).sum() > _MAX_OCCLUSION * thing.mask.sum() for thing in things):
            continue
        light = rng.uniform(0.85, 1.1)
        patch = np.clip(sprite.image[source] * light + rng.normal(0, 5, sprite.image[source].shape), 0, 255)
        image[target][sprite.mask[source]] = patch.astype(np.uint8)[sprite.mask[source]]
        for thing in things:
            thing.mask &= ~mask
        things.append(Thing(category, mask, None if sprite.keypoints is None else sprite.keypoints + (x, y)))
        return
