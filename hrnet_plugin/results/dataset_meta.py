"""Names and palettes of the classes and keypoints of a dataset."""

from __future__ import annotations

from dataclasses import dataclass


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
    palette: tuple[tuple[int, int, int], ...] = ()
    keypoints: tuple[str, ...] = ()
    keypoint_colors: tuple[tuple[int, int, int], ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    skeleton_colors: tuple[tuple[int, int, int], ...] = ()
    sigmas: tuple[float, ...] = ()
