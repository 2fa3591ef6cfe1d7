"""Type of samples in data pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    import numpy as np
    from mmdet.structures.bbox import HorizontalBoxes
    from mmdet.structures.mask.structures import BaseInstanceMasks
    from numpy.typing import NDArray


class DetResults(TypedDict, total=False):
    """Entries of a sample in mmdet's pipelines that the transforms of this package use.

    Attributes:
        img: Image, shape (H, W, C).
        img_shape: Height and width.
        gt_bboxes: Ground-truth boxes, shape (N, 4).
        gt_bboxes_labels: Class labels of the boxes, shape (N, ).
        gt_ignore_flags: Whether to ignore a box, shape (N, ).
        gt_masks: Instance masks of the boxes.
        gt_seg_map: Semantic map, shape (H, W).
    """

    img: NDArray[np.uint8]
    img_shape: tuple[int, ...]
    gt_bboxes: HorizontalBoxes
    gt_bboxes_labels: NDArray[np.int64]
    gt_ignore_flags: NDArray[np.bool_]
    gt_masks: BaseInstanceMasks
    gt_seg_map: NDArray[np.uint8]
