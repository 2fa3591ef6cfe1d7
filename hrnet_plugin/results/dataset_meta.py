"""Names and palettes of the classes and keypoints of a dataset."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

#: Red, green and blue, from 0 to 255.
Color = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class DatasetMeta:
    """Names and palettes of the outputs of a model.

    Attributes:
        classes: Class names by label.
        palette: Color (R, G, B) of each class, or empty.
        keypoints: Names of the keypoints, or empty.
        keypoint_colors: Color (R, G, B) of each keypoint, or empty.
        skeleton: Pairs of indices of connected keypoints.
        skeleton_colors: Color (R, G, B) of each pair, or empty.
        sigmas: OKS sigma of each keypoint, or empty.
    """

    classes: tuple[str, ...] = ()
    palette: tuple[Color, ...] = ()
    keypoints: tuple[str, ...] = ()
    keypoint_colors: tuple[Color, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    skeleton_colors: tuple[Color, ...] = ()
    sigmas: tuple[float, ...] = ()


def colors_of(values: Iterable[Sequence[int]] | str | None) -> tuple[Color, ...]:
    """Return a palette as tuples. Empty for None, and for names of palettes such as 'random'."""
    if values is None or isinstance(values, str):
        return ()
    return tuple((int(red), int(green), int(blue)) for red, green, blue in values)
