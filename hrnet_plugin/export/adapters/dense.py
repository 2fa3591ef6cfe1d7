"""Adapter of single-stage detectors with dense heads: FCOS, RetinaNet, ATSS and heads that predict like them."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from hrnet_plugin.export.adapters.adapter import Adapter, UnsupportedModel
from hrnet_plugin.export.adapters.boxes import check_coder, decode_boxes, is_larger
from hrnet_plugin.export.adapters.candidates import CandidateRule
from hrnet_plugin.export.adapters.dense_test_cfg import DenseTestCfg
from hrnet_plugin.export.adapters.host_types import has_methods
from hrnet_plugin.export.adapters.selection import DETECTION_OUTPUTS, flatten_maps, gather_rows, select_detections
from hrnet_plugin.export.adapters.suppression import suppress


class DenseAdapter(Adapter):
    """Single-stage detector whose head predicts by mmdet's ``BaseDenseHead``.

    Args:
        model: Detector in eval mode.

    Raises:
        UnsupportedModel: If the export does not support an entry of the head or of its test_cfg.
    """

    outputs = DETECTION_OUTPUTS
    #: Class of mmdet that defines the prediction on one image.
    head_type: ClassVar[str] = 'BaseDenseHead'

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        check_coder(self.head.bbox_coder)
        if getattr(self.head.loss_cls, 'custom_cls_channels', False):
            raise UnsupportedModel('loss_cls must compute softmax or sigmoid, got '
                                   f'{type(self.head.loss_cls).__name__}. Export the network by --part network')
        self.test_cfg = DenseTestCfg.read(self.head.test_cfg, self.head.prior_generator.num_levels)
        self.rule = CandidateRule(classes=self.head.cls_out_channels - self._has_background(),
                                  softmax=self._has_background(), threshold=self.test_cfg.score_threshold,
                                  number=self.test_cfg.max_candidates)

    @property
    def head(self) -> Any:
        """Dense head of the model."""
        return self.model.bbox_head

    @classmethod
    def accepts(cls, model: nn.Module) -> bool:
        """Return True for single-stage detectors of mmdet that do not override the prediction."""
        head = getattr(model, 'bbox_head', None)
        return (has_methods(model, 'SingleStageDetector', 'predict', 'extract_feat')
                and has_methods(head, 'BaseDenseHead', 'predict', 'predict_by_feat', '_bbox_post_process')
                and has_methods(head, cls.head_type, '_predict_by_feat_single'))

    def forward(self, images: Tensor, size: tuple[int, int]) -> tuple[Tensor, ...]:
        """Predict.

        Args:
            images: Normalized images, shape (B, C, H, W), padded to the model's size divisor.
            size: Height and width before the padding.

        Returns:
            Boxes of shape (B, D, 4), scores and labels of shape (B, D), and counts of shape (B, ).
        """
        model: Any = self.model
        levels = list(zip(*self.head(model.extract_feat(images)), strict=True))
        priors = self.head.prior_generator.grid_priors(
            [level[0].shape[-2:] for level in levels], dtype=levels[0][0].dtype, device=images.device)
        candidates = [self._candidates(index, getattr(prior, 'tensor', prior), *level)
                      for index, (prior, level) in enumerate(zip(priors, levels, strict=True))]
        scores, labels, centers, encoded = (torch.cat(parts, 1) for parts in zip(*candidates, strict=True))
        return self._detections(decode_boxes(self.head.bbox_coder, centers, encoded, size), scores, labels)

    def _candidates(self, level: int, priors: Tensor, logits: Tensor, predictions: Tensor,
                    factors: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return scores, labels, priors and encoded boxes of the candidates of a level."""
        scores, rows, labels = self.rule.select(flatten_maps(logits, self.head.cls_out_channels))
        if factors is not None:
            factors = gather_rows(flatten_maps(factors, 1), rows)[..., 0].sigmoid()
            scores = torch.where(scores < 0, scores, scores * factors)
        encoded = gather_rows(flatten_maps(predictions, self._encode_size()), rows)
        return scores, labels, *self._read_encoded(level, priors[rows], encoded)

    def _detections(self, boxes: Tensor, scores: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the detections among the candidates of all levels."""
        cfg = self.test_cfg
        if cfg.min_size is not None:
            scores = torch.where(is_larger(boxes, cfg.min_size), scores, -1.)
        if cfg.nms is not None:
            scores = suppress(boxes, scores, labels, cfg.nms, cfg.max_per_img)
        return select_detections(boxes, scores, labels, cfg.max_per_img)

    def _has_background(self) -> bool:
        """Return True if scores are a softmax with the background as last class."""
        return not self.head.use_sigmoid_cls

    def _encode_size(self) -> int:
        """Return the number of channels per encoded box."""
        return int(self.head.bbox_coder.encode_size)

    def _read_encoded(self, level: int, priors: Tensor, encoded: Tensor) -> tuple[Tensor, Tensor]:
        """Return priors and encoded boxes as the coder reads them."""
        return priors, encoded
