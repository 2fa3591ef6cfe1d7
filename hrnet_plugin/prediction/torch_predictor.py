"""PyTorch models of hosts, with the pre- and postprocessing of their config."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.structures import BaseDataElement

from hrnet_plugin.config_files import build_lazily, find_test_dataset
from hrnet_plugin.hosts import host_of_config
from hrnet_plugin.prediction.pipeline import TestPipeline
from hrnet_plugin.prediction.predictor import Predictor
from hrnet_plugin.prediction.sources import InputImage
from hrnet_plugin.results.prediction import Prediction

_TASKS = ('detection', 'pose', 'segmentation')
_MOST_INPUTS = 32  # per forward pass, for images with many persons


class TorchPredictor(Predictor):
    """Model of mmdet, mmpose or mmsegmentation.

    The results are those of ``model.test_step`` on each image alone. Only inputs of the same size share a batch, so
    that no image is padded to the size of another one.

    Args:
        config: Config of the model. Its test dataset defines pipeline, classes and keypoints.
        model: Model with weights, in eval mode.

    Raises:
        ValueError: If the config is of another task, or has no or several test datasets.
    """

    def __init__(self, config: Config, model: BaseModel) -> None:
        self._host, self._scope = host_of_config(config), config.get('default_scope')
        if self._host.task not in _TASKS:
            raise ValueError(f'config must be one of {", ".join(_TASKS)}, got one of {self._host.task}')
        if config.get('test_dataloader') is None:
            raise ValueError('config must have a test_dataloader with the pipeline of the model, got none')
        dataset = find_test_dataset(config)
        with DefaultScope.overwrite_default_scope(self._scope):
            self._pipeline = TestPipeline(config, dataset)
        self._dataset = build_lazily(dataset, self._scope)
        self.model, self.task = model, self._host.task
        self.meta = self._host.dataset_meta(self._dataset, model)

    def predict_batch(self, images: Sequence[InputImage]) -> list[Prediction]:
        """Predict on a batch of images, which may have different sizes."""
        with DefaultScope.overwrite_default_scope(self._scope):
            inputs, sizes, owners = [], [], []
            for index, image in enumerate(images):
                loaded = self._pipeline.load(image)
                sizes.append((loaded['img'].shape[0], loaded['img'].shape[1]))
                persons = self._host.pipeline_inputs(loaded, self._dataset, image.boxes, image.box_scores)
                inputs += [self._pipeline(person, image.name) for person in persons]
                owners += [index] * len(persons)
            outputs = self._run(inputs)
        return [self._host.prediction([output for output, owner in zip(outputs, owners) if owner == index],
                                      name=image.name, size=sizes[index], meta=self.meta)
                for index, image in enumerate(images)]

    def test_step(self, batch: dict[str, Any]) -> list[BaseDataElement]:
        """Predict on a batch of the dataloader of the config.

        Args:
            batch: 'inputs' and 'data_samples'. The samples may be changed in place.
        """
        with DefaultScope.overwrite_default_scope(self._scope), torch.no_grad():
            outputs: list[BaseDataElement] = self.model.test_step(batch)
        return outputs

    def _run(self, inputs: Sequence[dict[str, Any]]) -> list[BaseDataElement]:
        """Return the outputs of the model in the order of the inputs."""
        groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
        for index, sample in enumerate(inputs):
            groups[tuple(sample['inputs'].shape)].append(index)
        outputs: dict[int, BaseDataElement] = {}
        for indices in groups.values():
            for start in range(0, len(indices), _MOST_INPUTS):
                chosen = indices[start:start + _MOST_INPUTS]
                with torch.no_grad():
                    found = self.model.test_step(pseudo_collate([inputs[index] for index in chosen]))
                outputs.update(zip(chosen, found))
        return [outputs[index] for index in range(len(inputs))]
