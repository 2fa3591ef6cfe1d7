"""Test-time augmentation where classes have sides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from mmseg.models.segmentors.seg_tta import SegTTAModel

from hrnet_plugin.checks import check_ints
from hrnet_plugin.config_types import ConfigValue
from hrnet_plugin.registry import MODELS

if TYPE_CHECKING:
    from mmseg.structures import SegDataSample


@MODELS.register_module()
class LeftRightTTAModel(SegTTAModel):
    """mmsegmentation's test-time augmentation for data sets with left and right classes, such as LIP.

    The mirror image of a left arm is a right arm: before the predictions for mirrored images are merged with the
    others, the maps of such pairs change places.

    Args:
        swap_seg_labels: Pairs of classes, left and right.
        options: What mmengine's BaseTTAModel takes, ``module`` first of all.

    Raises:
        TypeError, ValueError: If ``swap_seg_labels`` holds anything but pairs of classes.
    """

    def __init__(self, swap_seg_labels: Sequence[Sequence[int]], **options: ConfigValue | torch.nn.Module) -> None:
        super().__init__(**options)
        self.pairs = [check_ints('each pair of swap_seg_labels', pair, 2, least=0) for pair in swap_seg_labels]

    def merge_preds(self, data_samples_list: list[list[SegDataSample]]) -> list[SegDataSample]:
        """Average the class probabilities of all versions of each image; returns one sample an image."""
        for data_samples in data_samples_list:
            for sample in data_samples:
                if sample.metainfo.get('flip') and sample.metainfo.get('flip_direction') == 'horizontal':
                    sample.seg_logits.data = self._swapped(sample.seg_logits.data)
        return super().merge_preds(data_samples_list)

    def _swapped(self, logits: torch.Tensor) -> torch.Tensor:
        order = list(range(len(logits)))
        for left, right in self.pairs:
            order[left], order[right] = right, left
        return logits[order]
