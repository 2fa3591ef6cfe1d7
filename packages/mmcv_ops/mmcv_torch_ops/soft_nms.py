"""Soft-NMS, which decays the scores of overlapping boxes instead of removing them."""

from __future__ import annotations

import torch
from torch import Tensor

from mmcv_torch_ops.backend import widen
from mmcv_torch_ops.eager import eager
from mmcv_torch_ops.nms import overlaps

NAIVE, LINEAR, GAUSSIAN = 0, 1, 2
MAX_PAIRWISE = 2000  # the pairwise IoU of this many boxes takes 16 MB


@eager
def softnms(boxes: Tensor, scores: Tensor, dets: Tensor, iou_threshold: float, sigma: float, min_score: float,
            method: int, offset: int) -> Tensor:
    """Keep the best box, decay the scores of the others by their IoU with it, and repeat.

    Args:
        boxes: Boxes (x1, y1, x2, y2) in pixels, shape (N, 4).
        scores: Scores, shape (N,).
        dets: Output, boxes and decayed scores of the K kept boxes in its first rows, shape (N, 5).
        iou_threshold: Smallest IoU that decays a score. Not used by the Gaussian method.
        sigma: Width of the Gaussian.
        min_score: Boxes whose score decays below it are removed.
        method: 0 (remove), 1 (linear decay) or 2 (Gaussian decay).
        offset: 0, or 1 if x2 and y2 are inside the box.

    Returns:
        Indices of the kept boxes in descending order of decayed score, int64, shape (K,).
    """
    corners, rest = widen(boxes.t()), widen(scores).clone()
    order = torch.arange(len(boxes), device=boxes.device)
    # The IoU of all pairs at once is faster, but takes gigabytes for the largest numbers of boxes that mmcv passes.
    pairs = overlaps(corners[:, :, None], corners[:, None], offset) if len(boxes) <= MAX_PAIRWISE else None
    kept, decayed = [], []
    while len(order):
        best, score, order, rest = _take_best(order, rest)
        iou = overlaps(corners[:, best, None], corners, offset) if pairs is None else pairs[best]
        rest = rest * _decay(iou.index_select(0, order), iou_threshold, sigma, method)
        order, rest = _remove_below(min_score, order, rest)
        kept.append(best)
        decayed.append(score)
    indices = torch.tensor(kept, dtype=torch.long, device=boxes.device)
    dets[:len(kept), :4], dets[:len(kept), 4] = boxes[indices].to(dets.dtype), dets.new_tensor(decayed)
    return indices


def _take_best(order: Tensor, scores: Tensor) -> tuple[int, float, Tensor, Tensor]:
    """Remove the box with the highest score, and move the first box to its place.

    Returns:
        Index and score of the best box, indices and scores of the others.
    """
    place = int(scores.argmax())
    best, score = int(order[place]), float(scores[place])
    order[place], scores[place] = order[0], scores[0]
    return best, score, order[1:], scores[1:]


def _decay(iou: Tensor, iou_threshold: float, sigma: float, method: int) -> Tensor:
    """Compute the factor of each score from its box's IoU with the best box, shape (N,)."""
    if method == GAUSSIAN:
        return iou.square_().div_(-sigma).exp_()
    reduced = 1 - iou if method == LINEAR else torch.zeros_like(iou)
    return torch.where(iou >= iou_threshold, reduced, 1)


def _remove_below(min_score: float, order: Tensor, scores: Tensor) -> tuple[Tensor, Tensor]:
    """Remove boxes with low scores, and fill their places with boxes from the end.

    The order is that of mmcv. It determines which of several boxes with equal scores comes first.
    """
    keep = scores >= min_score
    count = int(keep.count_nonzero())
    if count < len(order):
        gaps = (~keep[:count]).nonzero()[:, 0]
        moved = keep[count:].nonzero()[:, 0].flip(0) + count
        order[gaps], scores[gaps] = order[moved], scores[moved]
    return order[:count], scores[:count]
