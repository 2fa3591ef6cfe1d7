"""Mask heads of two-stage detectors, with one stage or a cascade of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from hrnet_plugin.export.adapters.adapter import UnsupportedModel
from hrnet_plugin.export.adapters.rois import RoIPooling, pad_rois, select_rois


def predict_masks(heads: Sequence[Any], poolings: Sequence[RoIPooling], feats: Sequence[Tensor], boxes: Tensor,
                  labels: Tensor, is_valid: Tensor) -> Tensor:
    """Predict the mask of each detection: the mean of the probabilities of all stages.

    Args:
        heads: FCNMaskHead of each stage.
        poolings: RoI features of each stage.
        feats: Feature maps of the pyramid, each of shape (B, C, H, W).
        boxes: Boxes (x1, y1, x2, y2) in pixels, shape (B, D, 4).
        labels: Classes, shape (B, D).
        is_valid: Mask of the detections that are no padding, shape (B, D).

    Returns:
        Probabilities, shape (B, D, h, w), 0 for padding.
    """
    rois = select_rois(boxes, is_valid)
    pooled = {pooling: pooling(feats, rois) for pooling in poolings}  # once if all stages pool the same features
    classes, stages = labels.flatten()[rois.slots], []
    for head, pooling in zip(heads, poolings):
        features, order = pooled[pooling]
        masks = _select_class(head, head(features), classes[order]).sigmoid()
        stages.append(pad_rois(masks, rois.reorder(order), boxes))
    return torch.stack(stages).mean(0)


def read_mask_threshold(heads: Sequence[Any], cfg: Mapping[str, Any]) -> float:
    """Return the minimum probability of pixels in masks.

    Args:
        heads: FCNMaskHead of each stage.
        cfg: test_cfg of the RoI head.

    Raises:
        UnsupportedModel: If the export does not support a head or the threshold.
    """
    for head in heads:
        if head.upsample_method == 'carafe':
            raise UnsupportedModel('mask_head.upsample_cfg.type must be deconv, nearest, bilinear or None, got carafe. '
                                   'Export the network by --part network')
    if cfg.get('mask_thr_binary', -1) < 0:
        raise UnsupportedModel('test_cfg.rcnn.mask_thr_binary must be at least 0, got '
                               f'{cfg.get("mask_thr_binary")}. Set it to 0.5')
    return float(cfg['mask_thr_binary'])


def _select_class(head: Any, logits: Tensor, classes: Tensor) -> Tensor:
    """Return the logits of one class per RoI, shape (R, h, w), of all classes, shape (R, classes, h, w)."""
    if head.class_agnostic:
        return logits[:, 0]
    starts = torch.arange(classes.shape[0], device=classes.device) * head.num_classes
    return logits.flatten(0, 1)[starts + classes]
