"""Test-time augmentation for datasets with left and right classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from mmseg.models.segmentors.seg_tta import SegTTAModel

from hrnet_plugin.checks import check_ints, check_sequence
from hrnet_plugin.config_types import ConfigValue
from hrnet_plugin.registry import MODELS

if TYPE_CHECKING:
    from mmseg.structures import SegDataSample


@MODELS.register_module()
class LeftRightTTAModel(SegTTAModel):
    """Test-time augmentation of mmsegmentation for datasets with left and right classes, such as LIP.

    Horizontal flipping turns a left arm into a right arm. The logits of left and right classes are therefore swapped in
    the predictions for flipped images, before all predictions are merged.

    Args:
        swap_seg_labels: Pairs of class indices, left and right.
        options: Arguments of mmengine's BaseTTAModel, such as ``module``.

    Raises:
        TypeError, ValueError: If an entry of ``swap_seg_labels`` is not a pair of class indices.
    """

    def __init__(self, swap_seg_labels: Sequence[Sequence[int]], **options: ConfigValue | torch.nn.Module) -> None:
        super().__init__(**options)
        self.pairs = [check_ints('each pair of swap_seg_labels', pair, 2, least=0)
                      for pair in check_sequence('swap_seg_labels', swap_seg_labels, None, 'pairs of class indices')]

    def merge_preds(self, data_samples_list: list[list[SegDataSample]]) -> list[SegDataSample]:
        """Average the class probabilities over the views of each image, and return one sample per image."""
        for data_samples in data_samples_list:
            for sample in data_samples:
                if sample.metainfo.get('flip') and sample.metainfo.get('flip_direction') == 'horizontal':
                    sample.seg_logits.data = self._swap_classes(sample.seg_logits.data)
        return super().merge_preds(data_samples_list)

    def _swap_classes(self, logits: torch.Tensor) -> torch.Tensor:
        order = list(range(len(logits)))
        for left, right in self.pairs:
            order[left], order[right] = right, left
        return logits[order]
