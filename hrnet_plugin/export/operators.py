"""Operators of detectors that have standard forms in every export format."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import nms as torchvision_nms
from torchvision.ops import roi_align as torchvision_roi_align


def top_k(scores: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Return the highest scores and their indices. The number is constant in the exported model.

    Args:
        scores: Scores, shape (B, N).
        number: Number of scores to return. Missing ones are -1.

    Returns:
        Scores in descending order and their indices, each of shape (B, number). Indices of missing scores are 0.
    """
    padded = F.pad(scores, (0, number), value=-1.)  # N may be smaller, and is not known during the export
    values, indices = padded.topk(number)
    return values, torch.where(indices < scores.shape[1], indices, torch.zeros_like(indices))


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, score_threshold: float, max_boxes: int) -> Tensor:
    """Return the scores after NMS per image and class, with -1 for suppressed boxes.

    Args:
        boxes: Boxes (x1, y1, x2, y2), shape (B, N, 4), or (B, C, N, 4) if each class has its own.
        scores: Scores, shape (B, C, N).
        iou_threshold: A box is suppressed if its IoU with a box of higher score is greater.
        score_threshold: Only boxes with greater scores are kept.
        max_boxes: Maximum number of boxes to keep per image and class.

    Returns:
        Scores, shape (B, C, N).
    """
    if boxes.dim() == 4:  # one problem with one class per image and class
        kept = nms(boxes.flatten(0, 1), scores.flatten(0, 1)[:, None], iou_threshold, score_threshold, max_boxes)
        return kept.view(scores.shape)
    if torch.onnx.is_in_onnx_export():
        images, classes, indices = _OnnxNMS.apply(boxes, scores, iou_threshold, score_threshold, max_boxes).unbind(1)
    else:
        images, classes, indices = _torch_nms(boxes, scores, iou_threshold, score_threshold)
    # not kept[images, classes, indices]: its ONNX form is wrong if the example input has exactly one box
    positions, flat = (images * scores.shape[1] + classes) * scores.shape[2] + indices, scores.flatten()
    return torch.full_like(flat, -1.).scatter(0, positions, flat.gather(0, positions)).view(scores.shape)


def _torch_nms(boxes: Tensor, scores: Tensor, iou_threshold: float, score_threshold: float
               ) -> tuple[Tensor, Tensor, Tensor]:
    """Return images, classes and indices of the boxes that NMS keeps."""
    images, classes, indices = (scores > score_threshold).nonzero().unbind(1)
    candidates = boxes[images, indices].double()  # exact with offsets, which make boxes of other groups disjoint
    low, high = boxes.amin().double(), boxes.amax().double()
    offsets = (images * scores.shape[1] + classes) * (high - low + 1)
    # two empty boxes, kept as the last ones, because torch.export asserts that NMS keeps at least two
    candidates = F.pad(candidates + offsets[:, None], (0, 0, 0, 2))
    ranks = F.pad(scores[images, classes, indices].double(), (0, 2), value=-torch.inf)
    kept = torchvision_nms(candidates, ranks, iou_threshold)[:-2]
    return images[kept], classes[kept], indices[kept]


class _OnnxNMS(torch.autograd.Function):
    """NMS as the ONNX operator of the same name."""

    @staticmethod
    def forward(ctx: Any, boxes: Tensor, scores: Tensor, iou_threshold: float, score_threshold: float, max_boxes: int
                ) -> Tensor:
        return torch.stack(_torch_nms(boxes, scores, iou_threshold, score_threshold), 1)

    @staticmethod
    def symbolic(g: Any, boxes: Any, scores: Any, iou_threshold: float, score_threshold: float, max_boxes: int) -> Any:
        constants = [g.op('Constant', value_t=torch.tensor([value])) for value in (
            max_boxes, float(iou_threshold), float(score_threshold))]
        return g.op('NonMaxSuppression', boxes, scores, *constants)


def roi_align(feats: Tensor, rois: Tensor, output_size: tuple[int, int], scale: float, sampling_ratio: int,
              aligned: bool) -> Tensor:
    """Return the features of RoIs by bilinear interpolation.

    Args:
        feats: Feature maps, shape (B, C, H, W).
        rois: Image index and box (x1, y1, x2, y2) in pixels of the image, shape (R, 5).
        output_size: Height and width of the result.
        scale: Size of the feature maps divided by that of the image.
        sampling_ratio: Samples per bin and direction. 0 for as many as the bin has pixels.
        aligned: Whether pixel centers are at half coordinates.

    Returns:
        Features, shape (R, C, *output_size).
    """
    return torchvision_roi_align(feats, rois, output_size, scale, sampling_ratio, aligned)
