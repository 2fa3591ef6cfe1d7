"""Adapter of two-stage detectors: Faster, Cascade, Mask and Cascade Mask R-CNN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from hrnet_plugin.export.adapters.adapter import Adapter
from hrnet_plugin.export.adapters.box_head import predict_boxes
from hrnet_plugin.export.adapters.box_rule import BoxRule
from hrnet_plugin.export.adapters.host_types import has_methods
from hrnet_plugin.export.adapters.mask_head import predict_masks, read_mask_threshold
from hrnet_plugin.export.adapters.rois import RoIPooling
from hrnet_plugin.export.adapters.rpn import ProposalRule
from hrnet_plugin.export.adapters.selection import DETECTION_OUTPUTS

# methods of RoI heads that this module replaces
_BOX_METHODS = ('predict_bbox', '_bbox_forward')
_MASK_METHODS = ('predict_mask', '_mask_forward')


class TwoStageAdapter(Adapter):
    """Two-stage detector whose RoI head predicts by mmdet's ``StandardRoIHead`` or ``CascadeRoIHead``.

    Args:
        model: Detector in eval mode.

    Raises:
        UnsupportedModel: If the export does not support a part of the heads or an entry of test_cfg.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        host: Any = model
        roi_head = host.roi_head
        self.proposal_rule = ProposalRule.read(host.rpn_head)
        self.box_rule = BoxRule.read(_stages(roi_head.bbox_head), roi_head.test_cfg, self.proposal_rule.number)
        self.box_poolings = [RoIPooling.read(extractor) for extractor in _stages(roi_head.bbox_roi_extractor)]
        self.mask_poolings = []
        self.outputs: Mapping[str, Mapping[int, str]] = DETECTION_OUTPUTS
        if roi_head.with_mask:
            self.mask_poolings = [RoIPooling.read(extractor) for extractor in _stages(roi_head.mask_roi_extractor)]
            self.mask_threshold = read_mask_threshold(_stages(roi_head.mask_head), roi_head.test_cfg)
            self.outputs = {**DETECTION_OUTPUTS, 'masks': {0: 'batch'}}

    @classmethod
    def accepts(cls, model: nn.Module) -> bool:
        """Return True for two-stage detectors of mmdet that do not override the prediction."""
        roi_head = getattr(model, 'roi_head', None)
        return (has_methods(model, 'TwoStageDetector', 'predict', 'extract_feat')
                and _accepts_rpn(getattr(model, 'rpn_head', None))
                and has_methods(roi_head, 'BaseRoIHead', 'predict')
                and any(_accepts_roi_head(roi_head, owner) for owner in ('StandardRoIHead', 'CascadeRoIHead')))

    def forward(self, images: Tensor, size: tuple[int, int]) -> tuple[Tensor, ...]:
        """Predict.

        Args:
            images: Normalized images, shape (B, C, H, W), padded to the model's size divisor.
            size: Height and width before the padding.

        Returns:
            Boxes of shape (B, D, 4), scores and labels of shape (B, D), and counts of shape (B, ). With a mask head,
            mask probabilities of shape (B, D, h, w).
        """
        host: Any = self.model
        feats = host.extract_feat(images)
        proposals, is_valid = self.proposal_rule.propose(host.rpn_head, feats, size)
        boxes, scores = predict_boxes(_stages(host.roi_head.bbox_head), self.box_poolings, feats, proposals, is_valid,
                                      size)
        detections = self.box_rule.select(boxes, scores)
        if not self.mask_poolings:
            return detections
        boxes, _, labels, counts = detections
        is_valid = torch.arange(boxes.shape[1], device=boxes.device) < counts[:, None]
        masks = predict_masks(_stages(host.roi_head.mask_head), self.mask_poolings, feats, boxes, labels, is_valid)
        return (*detections, masks)


def _stages(part: Any) -> list[Any]:
    """Return the modules of all stages of a RoI head's part."""
    return list(part) if isinstance(part, nn.ModuleList) else [part]


def _accepts_rpn(head: Any) -> bool:
    return (has_methods(head, 'BaseDenseHead', 'predict', 'predict_by_feat')
            and has_methods(head, 'RPNHead', '_predict_by_feat_single', '_bbox_post_process'))


def _accepts_roi_head(roi_head: Any, owner: str) -> bool:
    """Return True if a RoI head predicts as a class of mmdet does, and so do its parts."""
    if not has_methods(roi_head, owner, *_BOX_METHODS) or roi_head.with_shared_head:
        return False
    if owner == 'CascadeRoIHead' and not has_methods(roi_head, owner, '_refine_roi'):
        return False
    extractors = _stages(roi_head.bbox_roi_extractor)
    if roi_head.with_mask:
        if not has_methods(roi_head, owner, *_MASK_METHODS) or not all(map(_accepts_mask_head, _stages(
                roi_head.mask_head))):
            return False
        extractors += _stages(roi_head.mask_roi_extractor)
    return (all(map(_accepts_box_head, _stages(roi_head.bbox_head)))
            and all(has_methods(extractor, 'SingleRoIExtractor', 'forward', 'map_roi_levels')
                    for extractor in extractors))


def _accepts_box_head(head: Any) -> bool:
    return has_methods(head, 'BBoxHead', 'predict_by_feat', '_predict_by_feat_single', 'regress_by_class')


def _accepts_mask_head(head: Any) -> bool:
    return has_methods(head, 'FCNMaskHead', 'predict_by_feat', '_predict_by_feat_single')
