"""Prediction of a model on one image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrnet_plugin.results.dataset_meta import DatasetMeta


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """Objects or label map that a model predicts on one image.

    Attributes:
        task: 'detection', 'pose' or 'segmentation'.
        name: Path of the image, or name of the video frame or array.
        size: Height and width of the image in pixels.
        meta: Names and palettes of classes and keypoints.
        boxes: Boxes (x1, y1, x2, y2) in pixels of the image, shape (N, 4). None for segmentation.
        scores: Scores in [0, 1], shape (N, ). None for segmentation.
        labels: Labels of the classes, shape (N, ). None for segmentation.
        masks: Masks of the objects, shape (N, H, W), or None.
        keypoints: Keypoints (x, y) in pixels of the image, shape (N, K, 2), or None.
        keypoint_scores: Scores of the keypoints, shape (N, K), or None.
        label_map: Label of each pixel, shape (H, W), or None.
    """

    task: str
    name: str
    size: tuple[int, int]
    meta: DatasetMeta
    boxes: NDArray[np.float32] | None = None
    scores: NDArray[np.float32] | None = None
    labels: NDArray[np.int64] | None = None
    masks: NDArray[np.bool_] | None = None
    keypoints: NDArray[np.float32] | None = None
    keypoint_scores: NDArray[np.float32] | None = None
    label_map: NDArray[np.int64] | None = None
