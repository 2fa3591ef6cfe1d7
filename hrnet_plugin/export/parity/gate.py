"""Check that an exported model agrees with its PyTorch model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from hrnet_plugin.export.parity.compare import (
    Tally,
    compare_detections,
    compare_labels,
    compare_poses,
)
from hrnet_plugin.export.parity.images import Batch, draw_batches
from hrnet_plugin.export.parity.reference import Reference
from hrnet_plugin.export.targets.target import Run
from hrnet_plugin.prediction.exported_outputs import detections
from hrnet_plugin.prediction.label_maps import logits_to_labels, resize_logits
from hrnet_plugin.prediction.metadata import ExportMetadata
from hrnet_plugin.prediction.resizing import to_input
from hrnet_plugin.prediction.runtimes.runtime import Outputs
from hrnet_plugin.results.prediction import Prediction

#: Largest difference of feature maps, divided by their largest value.
RELATIVE = 1e-4
_CHANGES = 8  # a near-tie survives all of them with a probability of 1/256


class ParityError(ValueError):
    """Error that states in one line how an exported model differs from PyTorch."""


def check_parity(run: Run, reference: Reference, metadata: ExportMetadata) -> tuple[Tally, tuple[str, ...]]:
    """Compare an exported model with PyTorch on generated images.

    Args:
        run: Exported model in its runtime.
        reference: PyTorch model.
        metadata: Description of the exported model.

    Returns:
        Counts and largest differences, and the sizes of the images.

    Raises:
        ParityError: If they differ.
    """
    tally, sizes = Tally(), []
    for batch in draw_batches(metadata):
        outputs = run(to_input(batch.images, metadata))
        compare = _compare_network if metadata.task == 'network' else _compare_predictions
        for problem in compare(outputs, reference, batch, metadata, tally):
            raise ParityError(f'the exported model must agree with PyTorch, got {problem}, for {batch} pixels. Nothing '
                              'was written. Report it with the config')
        sizes.append(str(batch))
    return tally, tuple(sizes)


def _compare_network(outputs: Outputs, reference: Reference, batch: Batch, metadata: ExportMetadata, tally: Tally
                     ) -> Iterator[str]:
    expected = reference.feature_maps(batch)
    for (name, found), feature in zip(outputs.items(), expected):
        want = feature.numpy()
        if found.shape != want.shape:
            yield f'{name} of shape {found.shape} instead of {want.shape}'
            continue
        difference = np.abs(found - want).max() / max(np.abs(want).max(), 1e-30)
        tally.add('feature maps', len(want), feature_maps=np.array(difference))
        if not difference <= RELATIVE:
            yield f'{name} that differs by {difference:.3g} of its largest value (tolerance: {RELATIVE:g})'


def _compare_predictions(outputs: Outputs, reference: Reference, batch: Batch, metadata: ExportMetadata, tally: Tally
                         ) -> Iterator[str]:
    changed = _Changed(reference, batch)
    for index, expected in enumerate(reference.predict(batch)):
        if metadata.task == 'segmentation':
            for labels in _label_maps(outputs, index, batch, metadata):
                if expected.label_map is not None:
                    yield from compare_labels(expected.label_map, labels, tally)
        elif metadata.task == 'pose':
            found = _pose(outputs, index, expected, metadata)
            yield from compare_poses(expected, found, partial(changed, index), tally)
        else:
            found = detections(outputs, index, '', expected.size, np.ones(2, np.float32), metadata)
            yield from compare_detections(expected, found, partial(changed, index), tally)


class _Changed:
    """Predictions of PyTorch after small changes of the pixels, computed when they are needed."""

    def __init__(self, reference: Reference, batch: Batch) -> None:
        self._reference, self._batch = reference, batch
        self._found: list[list[Prediction]] = []

    def __call__(self, index: int) -> Iterable[Prediction]:
        if not self._found:
            self._found = [self._reference.predict_changed(self._batch, number) for number in range(_CHANGES)]
        return [predictions[index] for predictions in self._found]


def _label_maps(outputs: Outputs, index: int, batch: Batch, metadata: ExportMetadata) -> Iterator[NDArray[np.int64]]:
    """Yield the label map of an exported model, if it has one, and that of its resized logits."""
    if 'labels' in outputs:
        yield outputs['labels'][index]
    logits = torch.from_numpy(outputs['logits'][index:index + 1])
    size = (batch.images.shape[1], batch.images.shape[2])
    threshold = 0.3 if metadata.mask_threshold is None else metadata.mask_threshold
    yield logits_to_labels(resize_logits(logits, size, metadata.align_corners), threshold)[0]


def _pose(outputs: Outputs, index: int, expected: Prediction, metadata: ExportMetadata) -> Prediction:
    return Prediction(task='pose', name='', size=expected.size, meta=metadata.meta,
                      keypoints=outputs['keypoints'][index][None], keypoint_scores=outputs['scores'][index][None])
