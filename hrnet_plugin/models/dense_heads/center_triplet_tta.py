"""Test-time augmentation for the triplet head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mmdet.structures import DetDataSample
from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import Tensor

from hrnet_plugin.models.dense_heads.candidates import combine
from hrnet_plugin.models.dense_heads.decode_config import DecodeConfig
from hrnet_plugin.registry import MODELS

if TYPE_CHECKING:
    from mmdet.models.detectors import SingleStageDetector


@MODELS.register_module()
class CenterTripletTTAModel(BaseTTAModel):
    """Flip and multi-scale testing that combines corner pairs and center keypoints of all views.

    The corner pairs of all views are filtered by the center keypoints of the views at the original image size. If there
    is no such view, those of all views are used. NMS is applied once to the result. mmdet's DetTTAModel would apply NMS
    to each view and then to all of them, so that soft-NMS would reduce the scores twice.

    Args:
        module: Detector whose ``bbox_head`` is a :class:`CenterTripletHead`, or its config. It may be wrapped for
            distributed testing.
        data_preprocessor: Data preprocessor for a detector given as config. Default: that of the config.
    """

    @property
    def detector(self) -> SingleStageDetector:
        """Detector without the wrapper for distributed testing."""
        return self.module.module if is_model_wrapper(self.module) else self.module

    def test_step(self, data: Mapping[str, Sequence[Sequence[Tensor | DetDataSample]]]) -> list[DetDataSample]:
        """Detect the objects of each image.

        Args:
            data: Mapping from 'inputs' and 'data_samples' to one batch per view.

        Raises:
            TypeError: If ``data`` is not a mapping.
        """
        if not isinstance(data, Mapping):
            raise TypeError(f'data must be a mapping from keys to batches of each view, got {type(data).__name__}')
        views = []
        for view in zip(*data.values()):
            batch = self.detector.data_preprocessor(dict(zip(data, view)), False)
            views.append(self._add_candidates(batch['inputs'], batch['data_samples']))
        return self.merge_preds(list(zip(*views)))

    def _add_candidates(self, inputs: Tensor, samples: list[DetDataSample]) -> list[DetDataSample]:
        head = self.detector.bbox_head
        maps = head(self.detector.extract_feat(inputs))
        metas = [sample.metainfo for sample in samples]
        for sample, candidates in zip(samples, head.get_candidates(*maps, metas, DecodeConfig.from_cfg(head.test_cfg))):
            if sample.get('flip'):
                candidates = candidates.flip(sample.ori_shape, sample.flip_direction)
            sample.set_field(candidates, 'candidates')
        return samples

    def merge_preds(self, data_samples_list: Sequence[Sequence[DetDataSample]]) -> list[DetDataSample]:
        """Merge the ``candidates`` of all views of each image, and return one sample per image."""
        config = DecodeConfig.from_cfg(self.detector.bbox_head.test_cfg)
        merged = []
        for views in data_samples_list:
            unscaled = [view for view in views if _scale(view) == (1, 1)] or views
            candidates = combine([view.candidates for view in views], [view.candidates for view in unscaled])
            result = views[0]
            del result.candidates
            result.pred_instances = candidates.decode(config)
            merged.append(result)
        return merged


def _scale(sample: DetDataSample) -> tuple[float, ...]:
    return tuple(sample.get('scale_factor', (1, 1)))
