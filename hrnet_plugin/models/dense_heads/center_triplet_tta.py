"""Test-time augmentation of the triplet head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mmdet.structures import DetDataSample
from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import Tensor

from hrnet_plugin.models.dense_heads.candidates import joined
from hrnet_plugin.models.dense_heads.decode_config import DecodeConfig
from hrnet_plugin.registry import MODELS

if TYPE_CHECKING:
    from mmdet.models.detectors import SingleStageDetector


@MODELS.register_module()
class CenterTripletTTAModel(BaseTTAModel):
    """Flip and multi-scale testing in which the centres of one view may confirm the pairs of another.

    The pairs of all views are confirmed by the centres of the views at the image's own size (of all views, if none has
    it), the best centre first, and thinned out together, once. mmdet's DetTTAModel would thin out each view and then
    all of them, and soft suppression would lower the scores twice.

    Args:
        module: A detector with a ``bbox_head`` that is a :class:`CenterTripletHead`, also wrapped for several
            processes, or its config.
        data_preprocessor: In place of the detector's own, if it is built here.
    """

    @property
    def detector(self) -> SingleStageDetector:
        """The detector itself."""
        return self.module.module if is_model_wrapper(self.module) else self.module

    def test_step(self, data: Mapping[str, Sequence[Sequence[Tensor | DetDataSample]]]) -> list[DetDataSample]:
        """Detections of each image: ``data`` has the batches of all views, view by view, below each key.

        Raises:
            TypeError: If ``data`` is no mapping.
        """
        if not isinstance(data, Mapping):
            raise TypeError(f'data must be a mapping with the views below each key, got {type(data).__name__}')
        views = []
        for view in zip(*data.values()):
            batch = self.detector.data_preprocessor(dict(zip(data, view)), False)
            views.append(self._with_candidates(batch['inputs'], batch['data_samples']))
        return self.merge_preds(list(zip(*views)))

    def _with_candidates(self, inputs: Tensor, samples: list[DetDataSample]) -> list[DetDataSample]:
        head = self.detector.bbox_head
        maps = head(self.detector.extract_feat(inputs))
        metas = [sample.metainfo for sample in samples]
        for sample, found in zip(samples, head.candidates(*maps, metas, DecodeConfig.of(head.test_cfg))):
            if sample.get('flip'):
                found = found.flipped(sample.ori_shape, sample.flip_direction)
            sample.set_field(found, 'candidates')
        return samples

    def merge_preds(self, data_samples_list: Sequence[Sequence[DetDataSample]]) -> list[DetDataSample]:
        """One sample an image, from those of its views, which have ``candidates``."""
        config = DecodeConfig.of(self.detector.bbox_head.test_cfg)
        merged = []
        for views in data_samples_list:
            unscaled = [view for view in views if _scale(view) == (1, 1)] or views
            both = joined([view.candidates for view in views], [view.candidates for view in unscaled])
            result = views[0]
            del result.candidates
            result.pred_instances = both.detections(config)
            merged.append(result)
        return merged


def _scale(sample: DetDataSample) -> tuple[float, ...]:
    return tuple(sample.get('scale_factor', (1, 1)))
