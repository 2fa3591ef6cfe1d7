"""Persons of the sample set in random poses, with the 17 keypoints of COCO."""

from __future__ import annotations

import numpy as np

from hrnet_plugin.array_types import Floats
from hrnet_plugin.experiments.sample_set.sprites import (
    SUPERSAMPLING,
    Sprite,
    blank_canvas,
    downsample,
    draw_ellipse,
    draw_line,
    jitter,
)

KEYPOINTS = ('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear', 'left_shoulder', 'right_shoulder', 'left_elbow',
             'right_elbow', 'left_wrist', 'right_wrist', 'left_hip', 'right_hip', 'left_knee', 'right_knee',
             'left_ankle', 'right_ankle')
# pairs of connected keypoints, with COCO's indices that start at 1
SKELETON = ((16, 14), (14, 12), (17, 15), (15, 13), (12, 13), (6, 12), (7, 13), (6, 7), (6, 8), (7, 9), (8, 10),
            (9, 11), (2, 3), (1, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 7))
_LIMBS = {'legs': ((11, 13), (12, 14), (13, 15), (14, 16)), 'arms': ((5, 7), (6, 8), (7, 9), (8, 10))}
_SKINS = ((90, 130, 200), (150, 190, 235), (60, 85, 130))


def draw_person(rng: np.random.Generator, height: int) -> Sprite:
    """Draw a standing person in a random pose, seen from the front.

    Args:
        rng: Random generator.
        height: Approximate height in pixels.
    """
    joints = _draw_pose(rng) * height * SUPERSAMPLING
    canvas = blank_canvas(height * SUPERSAMPLING)
    unit = height * SUPERSAMPLING
    skin = jitter(rng, _SKINS[rng.integers(len(_SKINS))], 15)
    shirt, trousers = jitter(rng, (170, 90, 60), 80), jitter(rng, (90, 70, 60), 50)
    for a, b in _LIMBS['legs']:
        draw_line(canvas, joints[a], joints[b], 0.075 * unit, trousers)
    torso = (joints[5] + joints[6]) / 2, (joints[11] + joints[12]) / 2
    draw_line(canvas, *torso, 0.19 * unit, shirt)
    for (a, b), color in zip(_LIMBS['arms'], (shirt, shirt, skin, skin)):
        draw_line(canvas, joints[a], joints[b], 0.055 * unit, color)
    head = (joints[3] + joints[4]) / 2
    draw_ellipse(canvas, (head[0], head[1]), (0.06 * unit, 0.08 * unit), skin)
    draw_ellipse(canvas, (head[0], head[1] - 0.055 * unit), (0.055 * unit, 0.03 * unit), jitter(rng, (30, 40, 60), 25))
    for eye in joints[1:3]:
        draw_ellipse(canvas, (eye[0], eye[1]), (0.012 * unit, 0.012 * unit), (20, 20, 20))
    return downsample(*canvas, joints)


def _draw_pose(rng: np.random.Generator) -> Floats:
    """Draw positions (x, y) of the 17 keypoints in the unit square. The left side of the person is on the right."""
    joints = np.zeros((17, 2))
    neck, hip = np.array([0.5, 0.25]), np.array([0.5 + rng.uniform(-0.03, 0.03), 0.53])
    head = neck + (rng.uniform(-0.02, 0.02), -0.13)
    joints[0] = head + (rng.uniform(-0.01, 0.01), 0.015)
    for side, sign in ((0, 1), (1, -1)):
        joints[1 + side] = head + (0.025 * sign, -0.012)
        joints[3 + side] = head + (0.06 * sign, 0)
        joints[5 + side] = neck + (0.095 * sign, 0)
        joints[11 + side] = hip + (0.055 * sign, 0)
        joints[7 + side], joints[9 + side] = _draw_limb(rng, joints[5 + side], sign, (0.14, 0.13), (-0.2, 2.6), 1.2)
        joints[13 + side], joints[15 + side] = _draw_limb(rng, joints[11 + side], sign, (0.22, 0.2), (-0.1, 0.5), 0.35)
    return joints


def _draw_limb(rng: np.random.Generator, start: Floats, sign: int, lengths: tuple[float, float],
           swing: tuple[float, float], bend: float) -> tuple[Floats, Floats]:
    """Draw positions of the two joints of a limb. Angle 0 points down, positive angles point outward."""
    first = rng.uniform(*swing)
    second = first + rng.uniform(-bend, bend)
    middle = start + lengths[0] * np.array([sign * np.sin(first), np.cos(first)])
    return middle, middle + lengths[1] * np.array([sign * np.sin(second), np.cos(second)])
