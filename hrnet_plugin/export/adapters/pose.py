"""Adapter of top-down pose estimators with heat maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from hrnet_plugin.export.adapters.adapter import Adapter, UnsupportedModel
from hrnet_plugin.export.adapters.heatmaps import make_decoder
from hrnet_plugin.export.adapters.host_types import check_methods, is_instance_of


class PoseAdapter(Adapter):
    """mmpose's TopdownPoseEstimator with HeatmapHead, including the flip test.

    Input images are crops of persons of the codec's ``input_size``. Keypoints are in pixels of the crop.

    Args:
        model: Pose estimator in eval mode. For the flip test, its ``metainfo`` or ``dataset_meta`` must have
            ``flip_indices``.

    Raises:
        UnsupportedModel: If the codec or an option of ``test_cfg`` is not supported, or a method is overridden.
    """

    outputs = {'keypoints': {0: 'batch'}, 'scores': {0: 'batch'}}
    flip_indices: Tensor | None
    keypoint_indices: Tensor | None

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        estimator: Any = model
        _check(estimator)
        self.decoder = make_decoder(estimator.head.decoder)
        self.flip_test = bool(estimator.test_cfg.get('flip_test', False))
        self.shift_heatmap = bool(estimator.test_cfg.get('shift_heatmap', False))
        self._register_indices('flip_indices', _flip_indices(estimator) if self.flip_test else None)
        self._register_indices('keypoint_indices', estimator.test_cfg.get('output_keypoint_indices'))

    def _register_indices(self, name: str, indices: Sequence[int] | None) -> None:
        self.register_buffer(name, None if indices is None else torch.tensor(indices), persistent=False)

    @classmethod
    def accepts(cls, model: nn.Module) -> bool:
        """Return True for top-down pose estimators with a heat map head."""
        return is_instance_of(model, 'mmpose', 'TopdownPoseEstimator') \
            and is_instance_of(getattr(model, 'head', None), 'mmpose', 'HeatmapHead')

    def forward(self, images: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Predict keypoints (x, y), shape (B, K, 2), and their scores, shape (B, K)."""
        keypoints, scores = self.decoder(self.heatmaps(images))
        if self.keypoint_indices is None:
            return keypoints, scores
        return keypoints.index_select(1, self.keypoint_indices), scores.index_select(1, self.keypoint_indices)

    def heatmaps(self, images: Tensor) -> Tensor:
        """Return the heat maps, shape (B, K, h, w), averaged with those of the mirror images in the flip test."""
        if not self.flip_test:
            return self._network(images)
        number = images.shape[0]
        both = self._network(torch.cat([images, images.flip(-1)]))  # one call is faster than two
        heatmaps, mirrored = both[:number], both[number:].flip(-1)
        if self.flip_indices is not None:
            mirrored = mirrored.index_select(1, self.flip_indices)
        if self.shift_heatmap:
            mirrored = torch.cat([mirrored[..., :1], mirrored[..., :-1]], -1)
        return (heatmaps + mirrored) * 0.5

    def _network(self, images: Tensor) -> Tensor:
        heatmaps: Tensor = self.model(images, None, mode='tensor')
        return heatmaps


def _check(estimator: Any) -> None:
    from mmpose.models.heads import HeatmapHead
    from mmpose.models.pose_estimators import TopdownPoseEstimator
    check_methods(estimator, TopdownPoseEstimator, ('predict', 'add_pred_to_datasample'))
    check_methods(estimator.head, HeatmapHead, ('predict', 'decode'))
    flip_mode = estimator.test_cfg.get('flip_mode', 'heatmap')
    if estimator.test_cfg.get('flip_test', False) and flip_mode != 'heatmap':
        raise UnsupportedModel(f"flip_mode of test_cfg must be 'heatmap', got {flip_mode!r}. Set flip_test=False")


def _flip_indices(estimator: Any) -> Sequence[int]:
    """Return the index of the mirror image of each keypoint."""
    meta = getattr(estimator, 'metainfo', None) or getattr(estimator, 'dataset_meta', None) or {}
    indices: Sequence[int] | None = meta.get('flip_indices')
    number = estimator.head.out_channels
    if indices is None or len(indices) != number:
        got = 'none' if indices is None else len(indices)
        raise UnsupportedModel(f'flip_indices in dataset_meta of the model must have {number} entries for the flip '
                               f'test, got {got}. Set flip_test=False in test_cfg, or load the metainfo of the dataset')
    return indices
