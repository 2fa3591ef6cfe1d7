"""Inputs and outputs of the models of mmpose for images without annotations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hrnet_plugin.results.dataset_meta import DatasetMeta, colors_of
from hrnet_plugin.results.prediction import Prediction, to_numpy

if TYPE_CHECKING:
    from mmengine.structures import BaseDataElement
    from torch import nn

    from hrnet_plugin.array_types import Floats


def keypoint_meta(metainfo: Mapping[str, Any], model: nn.Module) -> DatasetMeta:
    """Return names and palettes of the keypoints that a model predicts.

    Args:
        metainfo: Parsed metainfo of the dataset.
        model: Model, whose ``test_cfg`` may select keypoints.
    """
    names = metainfo.get('keypoint_id2name') or {}
    chosen = (getattr(model, 'test_cfg', None) or {}).get('output_keypoint_indices')
    indices = range(len(names)) if chosen is None else chosen
    new = {old: index for index, old in enumerate(indices)}
    links = [(pair, color) for pair, color in zip(metainfo.get('skeleton_links') or (),
                                                  colors_of(metainfo.get('skeleton_link_colors')))
             if set(pair) <= new.keys()]
    colors, sigmas = colors_of(metainfo.get('keypoint_colors')), metainfo.get('sigmas')
    return DatasetMeta(keypoints=tuple(names[index] for index in indices),
                       keypoint_colors=tuple(colors[index] for index in indices) if colors else (),
                       skeleton=tuple((new[first], new[second]) for (first, second), _ in links),
                       skeleton_colors=tuple(color for _, color in links),
                       sigmas=() if sigmas is None else tuple(float(sigmas[index]) for index in indices))


def person_inputs(image: dict[str, Any], boxes: Floats | None, scores: Floats | None) -> list[dict[str, Any]]:
    """Return one input of a top-down pipeline per person.

    Args:
        image: Result of the loader, with the metainfo of the dataset.
        boxes: Boxes (x1, y1, x2, y2), shape (N, 4). None for the whole image.
        scores: Scores of the boxes, shape (N, ). None for 1.
    """
    if boxes is None:
        height, width = image['img_shape'][:2]
        boxes = np.array([[0, 0, width, height]], np.float32)
    if scores is None:
        scores = np.ones(len(boxes), np.float32)
    return [{**image, 'bbox': box[None].astype(np.float32), 'bbox_score': score[None].astype(np.float32)}
            for box, score in zip(boxes, scores)]


def pose_prediction(samples: Sequence[BaseDataElement], *, name: str, size: tuple[int, int],
                    meta: DatasetMeta) -> Prediction:
    """Convert the keypoints of the persons in an image.

    Args:
        samples: Outputs of the model: one per person for top-down models, else one.
        name: Name of the image.
        size: Height and width of the image in pixels.
        meta: Names and palettes.

    Raises:
        ValueError: If the model has another number of keypoints than the dataset.
    """
    number = len(meta.keypoints)
    keypoints, point_scores = [np.zeros((0, number, 2))], [np.zeros((0, number))]
    boxes, scores = [np.zeros((0, 4))], [np.zeros(0)]
    for sample in samples:
        found: Any = sample.get('pred_instances')
        keypoints.append(to_numpy(found.keypoints, 'float32')[..., :2])
        if keypoints[-1].shape[-2] != number:
            raise ValueError(f'the test dataset of the config must have the {keypoints[-1].shape[-2]} keypoints of the '
                             f'model, got {number}. Set test_dataloader.dataset.metainfo')
        point_scores.append(to_numpy(found.keypoint_scores, 'float32'))
        boxes.append(_boxes(found, keypoints[-1]))
        scores.append(to_numpy(found.bbox_scores, 'float32') if 'bbox_scores' in found else point_scores[-1].mean(1))
    found_scores = np.concatenate(scores).astype(np.float32)
    return Prediction(task='pose', name=name, size=size, meta=meta, boxes=np.concatenate(boxes).astype(np.float32),
                      scores=found_scores, labels=np.zeros(len(found_scores), np.int64),
                      keypoints=np.concatenate(keypoints).astype(np.float32),
                      keypoint_scores=np.concatenate(point_scores).astype(np.float32))


def _boxes(found: Any, keypoints: Floats) -> Floats:
    """Return the boxes of persons, which bottom-up models may lack. Then they enclose the keypoints."""
    if 'bboxes' in found and len(found.bboxes) == len(keypoints):
        return to_numpy(found.bboxes, 'float32')
    return np.concatenate([keypoints.min(1), keypoints.max(1)], 1)
