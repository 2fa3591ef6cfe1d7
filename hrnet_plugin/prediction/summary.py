"""Predictions in one line of text."""

from __future__ import annotations

from collections import Counter

import numpy as np

from hrnet_plugin.results.prediction import Prediction

_MOST_CLASSES = 8


def summarize(prediction: Prediction) -> str:
    """Return the numbers of objects by class, or the shares of the classes in a label map, e.g. '2 person, 1 kite'."""
    if prediction.label_map is not None:
        labels, numbers = np.unique(prediction.label_map, return_counts=True)
        pixels = Counter(dict(zip(labels.tolist(), numbers.tolist())))
        parts = [f'{prediction.class_name(label)} {number / pixels.total():.0%}'
                 for label, number in pixels.most_common()]
    elif prediction.task == 'pose':
        return f'{len(prediction)} {"pose" if len(prediction) == 1 else "poses"}'
    else:
        found = Counter([] if prediction.labels is None else prediction.labels.tolist())
        parts = [f'{count} {prediction.class_name(label)}' for label, count in found.most_common()]
    more = f' and {len(parts) - _MOST_CLASSES} more classes' if len(parts) > _MOST_CLASSES else ''
    return ', '.join(parts[:_MOST_CLASSES]) + more if parts else 'no objects'
