"""Pose estimation in the boxes of a person detector."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torchvision.ops import nms

from hrnet_plugin.array_types import Floats
from hrnet_plugin.prediction.predictor import Predictor
from hrnet_plugin.prediction.sources import InputImage
from hrnet_plugin.results.prediction import SCORE_THRESHOLD, Prediction

_PERSON = 'person'
_MOST_OVERLAP = 0.3  # IoU of the boxes of two persons, as in mmpose


class TopDownPredictor(Predictor):
    """Top-down pose estimator with a detector of persons.

    Persons are the class 'person', or class 0 without such a name. As in mmpose's inferencers, boxes with a score above
    0.3 are used, after NMS with an IoU threshold of 0.3. Images without persons have no poses. Boxes that an image
    already has are used instead of the detector.

    Args:
        pose: Pose estimator.
        detector: Object detector.

    Raises:
        ValueError: If one of them is a model of another task.
    """

    def __init__(self, pose: Predictor, detector: Predictor) -> None:
        for name, predictor, task in (('the model with a detector', pose, 'pose'), ('detector', detector, 'detection')):
            if predictor.task != task:
                raise ValueError(f'{name} must be a model of {task}, got one of {predictor.task}')
        self.pose, self.detector = pose, detector
        self.task, self.meta = pose.task, pose.meta
        classes = detector.meta.classes
        self._label = classes.index(_PERSON) if _PERSON in classes else 0

    def predict_batch(self, images: Sequence[InputImage]) -> list[Prediction]:
        """Detect persons and estimate their poses on a batch of images."""
        missing = [index for index, image in enumerate(images) if image.boxes is None]
        found = list(images)
        if missing:
            for index, detected in zip(missing, self.detector.predict_batch([images[index] for index in missing])):
                boxes, scores = self._persons(detected)
                found[index] = replace(images[index], boxes=boxes, box_scores=scores)
        return self.pose.predict_batch(found)

    def _persons(self, detected: Prediction) -> tuple[Floats, Floats]:
        if detected.boxes is None or detected.scores is None or detected.labels is None:
            raise ValueError(f'detector must return boxes, got none for {detected.name}')
        chosen = (detected.labels == self._label) & (detected.scores > SCORE_THRESHOLD)
        chosen &= (detected.boxes[:, 2:] > detected.boxes[:, :2]).all(1)  # boxes at the border may have no area
        boxes, scores = detected.boxes[chosen], detected.scores[chosen]
        kept = nms(torch.from_numpy(boxes), torch.from_numpy(scores), _MOST_OVERLAP).numpy()
        return np.asarray(boxes[kept]), np.asarray(scores[kept])
