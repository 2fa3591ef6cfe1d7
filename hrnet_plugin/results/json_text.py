"""Predictions as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hrnet_plugin.results.coco import encode_mask, keypoint_rows, segments

if TYPE_CHECKING:
    from hrnet_plugin.results.prediction import Prediction


def prediction_to_json(prediction: Prediction) -> str:
    """Return the text of :meth:`~hrnet_plugin.results.prediction.Prediction.to_json`.

    Raises:
        ValueError: If a value is not finite.
    """
    height, width = prediction.size
    content: dict[str, Any] = dict(name=prediction.name, task=prediction.task, height=height, width=width)
    if prediction.label_map is not None:
        content['segments'] = [_named(prediction, label, pixels=int(mask.sum()), mask=encode_mask(mask))
                               for label, mask in segments(prediction.label_map)]
    else:
        content['objects'] = [_object(prediction, index) for index in range(len(prediction))]
    try:
        return json.dumps(content, allow_nan=False)
    except ValueError:
        raise ValueError(f'the prediction on {prediction.name} must have finite values, got NaN or infinity. Check the '
                         'checkpoint') from None


def _object(prediction: Prediction, index: int) -> dict[str, Any]:
    label = 0 if prediction.labels is None else int(prediction.labels[index])
    entry = _named(prediction, label)
    if prediction.scores is not None:
        entry['score'] = float(prediction.scores[index])
    if prediction.boxes is not None:
        entry['box'] = list(map(float, prediction.boxes[index]))
    if prediction.masks is not None:
        entry['mask'] = encode_mask(prediction.masks[index])
    if prediction.keypoints is not None and prediction.keypoint_scores is not None:
        entry['keypoints'] = keypoint_rows(prediction.keypoints[index], prediction.keypoint_scores[index])
    return entry


def _named(prediction: Prediction, label: int, **values: Any) -> dict[str, Any]:
    return {'label': label, 'class': prediction.class_name(label), **values}
