"""Outputs of exported models as predictions in pixels of the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrnet_plugin.prediction.cropping import PersonCrop
from hrnet_plugin.prediction.masks import paste_masks
from hrnet_plugin.prediction.metadata import ExportMetadata
from hrnet_plugin.prediction.runtimes.runtime import Outputs
from hrnet_plugin.results.prediction import Prediction

_DIMENSIONS = dict(boxes=3, scores=2, labels=2, counts=1, masks=4, keypoints=3, logits=4)


def check_outputs(outputs: Outputs, metadata: ExportMetadata, batch: int, size: tuple[int, int]) -> None:
    """Check outputs of a file of any origin.

    Args:
        outputs: Name -> output.
        metadata: Description of the model.
        batch: Number of images.
        size: Height and width of the input.

    Raises:
        ValueError: If the shape or type of an output is not that of the task, or a value is out of range.
    """
    dimensions = _DIMENSIONS | (dict(labels=3) if metadata.task == 'segmentation' else {})
    for name, output in outputs.items():
        integral = name in ('labels', 'counts')
        if output.ndim != dimensions[name] or len(output) != batch or output.dtype.kind != ('i' if integral else 'f'):
            raise ValueError(f'output {name} of the model must have {dimensions[name]} axes and {batch} '
                             f'{"ints" if integral else "floats"} per image, got {output.dtype} of {output.shape}')
        if not integral and not np.isfinite(output).all():
            raise ValueError(f'output {name} of the model must be finite, got infinite values or NaN')
    problem = dict(detection=_detection_problem, pose=_pose_problem, segmentation=_segmentation_problem)[metadata.task](
        outputs, metadata, size)
    if problem:
        raise ValueError(f'outputs of the model must agree, got {problem}')


def _detection_problem(outputs: Outputs, metadata: ExportMetadata, size: tuple[int, int]) -> str:
    shapes = {outputs[name].shape[1] for name in ('boxes', 'scores', 'labels', 'masks') if name in outputs}
    if len(shapes) > 1 or outputs['boxes'].shape[2] != 4:
        return f'boxes of shape {outputs["boxes"].shape} with scores of shape {outputs["scores"].shape}'
    counts, labels, number = outputs['counts'], outputs['labels'], len(metadata.meta.classes)
    if counts.size and not (counts.min() >= 0 and counts.max() <= labels.shape[1]):
        return f'counts from {counts.min()} to {counts.max()}'
    if labels.size and not (labels.min() >= 0 and (not number or labels.max() < number)):  # classes may have no names
        return f'labels from {labels.min()} to {labels.max()} of {number} classes'
    return ''


def _pose_problem(outputs: Outputs, metadata: ExportMetadata, size: tuple[int, int]) -> str:
    keypoints, scores, number = outputs['keypoints'], outputs['scores'], len(metadata.meta.keypoints)
    if keypoints.shape[1:] != (number, 2) or scores.shape[1] != number:
        return f'keypoints of shape {keypoints.shape} with scores of shape {scores.shape} for {number} keypoints'
    return ''


def _segmentation_problem(outputs: Outputs, metadata: ExportMetadata, size: tuple[int, int]) -> str:
    logits, number = outputs['logits'], len(metadata.meta.classes)
    if not logits.size or (number and logits.shape[1] not in (1, number)):  # classes may have no names
        return f'logits of shape {logits.shape} for {number} classes'
    labels = outputs.get('labels')  # missing in models that predict windows
    if labels is not None and labels.shape[1:] != size:
        return f'labels of shape {labels.shape} for images of {size}'
    if labels is not None and not (labels.min() >= 0 and labels.max() < max(number, logits.shape[1])):
        return f'labels from {labels.min()} to {labels.max()} of {number} classes'
    return ''


def detections(outputs: Outputs, index: int, name: str, size: tuple[int, int], scale: NDArray[np.float32],
               metadata: ExportMetadata) -> Prediction:
    """Return the detections of one image.

    Args:
        outputs: Outputs of the batch.
        index: Position in the batch.
        name: Name of the image.
        size: Height and width of the image.
        scale: Width and height of the input divided by those of the image.
        metadata: Description of the model.
    """
    count = int(outputs['counts'][index])
    found: dict[str, NDArray[Any]] = {key: outputs[key][index, :count] for key in outputs if key != 'counts'}
    boxes = (found['boxes'] / np.tile(scale, 2)).astype(np.float32)
    masks = None if metadata.mask_threshold is None else paste_masks(
        found['masks'].astype(np.float32), boxes, size, metadata.mask_threshold)
    return Prediction(task='detection', name=name, size=size, meta=metadata.meta, boxes=boxes,
                      scores=found['scores'].astype(np.float32), labels=found['labels'].astype(np.int64), masks=masks)


def poses(crops: Sequence[PersonCrop], outputs: Sequence[tuple[NDArray[Any], NDArray[Any]]], name: str,
          size: tuple[int, int], boxes: NDArray[np.float32], scores: NDArray[np.float32], metadata: ExportMetadata
          ) -> Prediction:
    """Return the keypoints of the persons in one image.

    Args:
        crops: Crops of the persons.
        outputs: Keypoints of shape (K, 2) and scores of shape (K, ) of each crop.
        name: Name of the image.
        size: Height and width of the image.
        boxes: Boxes of the persons, shape (N, 4).
        scores: Scores of the boxes, shape (N, ).
        metadata: Description of the model.
    """
    number = len(metadata.meta.keypoints)
    keypoints = [crop.to_image(found) for crop, (found, _) in zip(crops, outputs)]
    return Prediction(
        task='pose', name=name, size=size, meta=metadata.meta, boxes=boxes, scores=scores,
        labels=np.zeros(len(boxes), np.int64), keypoints=np.array(keypoints, np.float32).reshape(-1, number, 2),
        keypoint_scores=np.array([found for _, found in outputs], np.float32).reshape(-1, number))
