"""Predictions of exported models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hrnet_plugin.prediction.cropping import crop_person
from hrnet_plugin.prediction.exported_outputs import check_outputs, detections, poses
from hrnet_plugin.prediction.image_files import read_pixels
from hrnet_plugin.prediction.label_maps import logits_to_labels, resize_logits, slide
from hrnet_plugin.prediction.predictor import Predictor
from hrnet_plugin.prediction.resizing import check_image, resize_image, to_input
from hrnet_plugin.prediction.runtimes.formats import open_runtime
from hrnet_plugin.prediction.runtimes.runtime import Outputs
from hrnet_plugin.prediction.sources import InputImage
from hrnet_plugin.results.prediction import Prediction

_MOST_INPUTS = 32  # per batch, for images with many persons
_THRESHOLD = 0.3  # of models with one class, unless the metadata have another one


class ExportedPredictor(Predictor):
    """Exported model with its runtime. The results are those of the PyTorch model.

    Inputs of the same size share a batch.

    Args:
        path: File with the suffix .onnx, .xml or .pt2.

    Raises:
        ImportError: If the package of the runtime is not installed.
        OSError, ValueError: If the files are no exported model, or the model is a network without heads.
    """

    def __init__(self, path: str | Path) -> None:
        self._runtime = open_runtime(path)
        self._metadata = self._runtime.metadata
        self.task, self.meta = self._metadata.task, self._metadata.meta
        if self.task == 'network':
            raise ValueError(f'{path} must be a whole model, got a network without heads. Export it without --part')

    def predict_batch(self, images: Sequence[InputImage]) -> list[Prediction]:
        """Predict on a batch of images, which may have different sizes."""
        if self.task != 'pose' and any(image.boxes is not None for image in images):
            raise ValueError(f'boxes must be given to a top-down pose estimator only, got a model of {self.task}')
        pixels = [self._read(image) for image in images]
        if self.task == 'pose':
            return [self._predict_poses(image, found) for image, found in zip(images, pixels)]
        resized = [resize_image(found, self._metadata.resizing) for found in pixels]
        groups: dict[tuple[Any, ...], list[int]] = defaultdict(list)
        for index, (found, own) in enumerate(zip(pixels, resized)):
            groups[(found.shape, own.shape)].append(index)
        predict = self._predict_detections if self.task == 'detection' else self._predict_labels
        predictions: dict[int, Prediction] = {}
        for (shape, _), indices in groups.items():
            inputs = to_input(np.stack([resized[index] for index in indices]), self._metadata)
            names = [images[index].name for index in indices]
            predictions.update(zip(indices, predict(inputs, names, (shape[0], shape[1]))))
        return [predictions[index] for index in range(len(images))]

    def _read(self, image: InputImage) -> NDArray[Any]:
        channels = self._metadata.channels
        pixels = read_pixels(image.name, channels) if image.pixels is None else image.pixels
        return check_image(image.name, pixels, channels)

    def _run(self, inputs: NDArray[np.float32]) -> Outputs:
        outputs = self._runtime.run(inputs)
        check_outputs(outputs, self._metadata, len(inputs), (inputs.shape[2], inputs.shape[3]))
        return outputs

    def _predict_detections(self, inputs: NDArray[np.float32], names: Sequence[str], size: tuple[int, int]
                            ) -> list[Prediction]:
        scale = np.array([inputs.shape[3] / size[1], inputs.shape[2] / size[0]], np.float32)
        outputs = self._run(inputs)
        return [detections(outputs, index, name, size, scale, self._metadata) for index, name in enumerate(names)]

    def _predict_labels(self, inputs: NDArray[np.float32], names: Sequence[str], size: tuple[int, int]
                        ) -> list[Prediction]:
        metadata, own_size = self._metadata, (inputs.shape[2], inputs.shape[3])
        if metadata.sliding is None:
            outputs = self._run(inputs)
            logits = resize_logits(torch.from_numpy(outputs['logits']), own_size, metadata.align_corners)
        else:
            logits = slide(self._logits, inputs, metadata.sliding, metadata.align_corners)
        threshold = _THRESHOLD if metadata.mask_threshold is None else metadata.mask_threshold
        labels = logits_to_labels(resize_logits(logits, size, metadata.align_corners), threshold)
        return [Prediction(task='segmentation', name=name, size=size, meta=self.meta, label_map=label_map)
                for name, label_map in zip(names, labels)]

    def _logits(self, crops: NDArray[np.float32]) -> Tensor:
        return torch.from_numpy(self._run(crops)['logits'])

    def _predict_poses(self, image: InputImage, pixels: NDArray[Any]) -> Prediction:
        height, width = pixels.shape[:2]
        boxes = np.array([[0, 0, width, height]], np.float32) if image.boxes is None else image.boxes
        scores = np.ones(len(boxes), np.float32) if image.box_scores is None else image.box_scores
        crops = [crop_person(pixels, box, self._metadata.resizing) for box in boxes]
        found: list[tuple[NDArray[Any], NDArray[Any]]] = []
        for start in range(0, len(crops), _MOST_INPUTS):
            batch = np.stack([crop.pixels for crop in crops[start:start + _MOST_INPUTS]])
            outputs = self._run(to_input(batch, self._metadata))
            found += zip(outputs['keypoints'], outputs['scores'])
        return poses(crops, found, image.name, (height, width), boxes, scores, self._metadata)
