"""Predictions of PyTorch models by the test step of their host."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.model import BaseModel
from mmengine.registry import TRANSFORMS, DefaultScope
from torch import Tensor

from hrnet_plugin.array_types import Pixels
from hrnet_plugin.config_files import build_lazily, find_test_dataset
from hrnet_plugin.export.parity.images import Batch
from hrnet_plugin.export.resizing import test_transforms
from hrnet_plugin.hosts import host_of_config
from hrnet_plugin.prediction.metadata import ExportMetadata
from hrnet_plugin.results.prediction import Prediction

_CHANGE = 255e-5  # much larger than rounding errors, and without effect on other results
_SEED = 21


class Reference:
    """PyTorch model that predicts on images without resizing.

    Args:
        config: Config of the model.
        model: Model in eval mode, not changed by the export.
        metadata: Description of the exported model.
    """

    def __init__(self, config: Config, model: BaseModel, metadata: ExportMetadata) -> None:
        self._model, self._metadata, self._host = model, metadata, host_of_config(config)
        self._scope, self._metainfo = config.get('default_scope'), {}
        self._pack: Any = None
        if metadata.task != 'network':
            self._metainfo = build_lazily(find_test_dataset(config), self._scope).metainfo
            with DefaultScope.overwrite_default_scope(self._scope):
                self._pack = TRANSFORMS.build(test_transforms(config)[-1])

    def predict(self, batch: Batch) -> list[Prediction]:
        """Return the predictions on the images of a batch."""
        return self._predict(batch, [torch.zeros(()) for _ in batch.images])

    def predict_changed(self, batch: Batch, number: int) -> list[Prediction]:
        """Return the predictions on a batch after a random change of the pixels by 1e-5 of their range.

        Args:
            batch: Images.
            number: Number of the change.
        """
        generator = torch.Generator().manual_seed(_SEED + number)
        shape = batch.images.shape[-1:] + batch.images.shape[1:-1]
        return self._predict(batch, [_CHANGE * torch.randn(shape, generator=generator) for _ in batch.images])

    @torch.no_grad()
    def feature_maps(self, batch: Batch) -> list[Tensor]:
        """Return the feature maps of backbone and neck."""
        model: Any = self._model
        images = [torch.from_numpy(image.transpose(2, 0, 1).copy()) for image in batch.images]
        samples = [_sample(image) for image in images]
        data = model.data_preprocessor(dict(inputs=images, data_samples=samples), False)
        feats = model.extract_feat(data['inputs'])
        return [feats] if isinstance(feats, Tensor) else list(feats)

    def _predict(self, batch: Batch, changes: list[Tensor]) -> list[Prediction]:
        with DefaultScope.overwrite_default_scope(self._scope), torch.no_grad():
            data = [self._pack(self._results(image)) for image in batch.images]
            for sample, change in zip(data, changes):
                sample['inputs'] = sample['inputs'].float() + change
            samples = self._model.test_step(pseudo_collate(data))
        size = (batch.images.shape[1], batch.images.shape[2])
        return [self._host.prediction([sample], name='', size=size, meta=self._metadata.meta) for sample in samples]

    def _results(self, image: Pixels) -> dict[str, Any]:
        """Return what a test pipeline would pass to its last transform for an image of the input size."""
        height, width = image.shape[:2]
        size = np.array([width, height], np.float32)
        box = np.array([[0, 0, width, height]], np.float32)
        shape = dict(img_shape=(height, width), ori_shape=(height, width), pad_shape=(height, width))
        person = dict(input_size=(width, height), input_center=size / 2, input_scale=size, bbox=box,
                      bbox_score=np.ones(1, np.float32), bbox_center=size[None] / 2, bbox_scale=size[None])
        return dict(self._metainfo, img=image, img_id=0, img_path='', scale_factor=(1., 1.), flip=False,
                    flip_direction=None, **shape, **person)


def _sample(image: Tensor) -> Any:
    from mmengine.structures import BaseDataElement
    shape = tuple(image.shape[-2:])
    return BaseDataElement(metainfo=dict(img_shape=shape, ori_shape=shape))
