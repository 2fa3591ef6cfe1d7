"""Common interface of PyTorch models and exported models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hrnet_plugin.checks import check_int
from hrnet_plugin.prediction.sources import InputImage, Picture, open_image, open_source
from hrnet_plugin.results.dataset_meta import DatasetMeta
from hrnet_plugin.results.images import displayed
from hrnet_plugin.results.prediction import Prediction


class Predictor(ABC):
    """Model that predicts on images.

    Attributes:
        task: 'detection', 'pose' or 'segmentation'.
        meta: Names and palettes of classes and keypoints.
    """

    task: str
    meta: DatasetMeta

    @abstractmethod
    def predict_batch(self, images: Sequence[InputImage]) -> list[Prediction]:
        """Predict on a batch of images, which may have different sizes.

        Raises:
            OSError, ValueError: If an image cannot be read, or has another number of channels than the model.
        """

    def __call__(self, image: Picture, *, boxes: ArrayLike | None = None) -> Prediction:
        """Predict on one image.

        Args:
            image: Path of a file, an array in BGR order as OpenCV reads it, shape (H, W, C) or (H, W), or an image of
                Pillow.
            boxes: Boxes (x1, y1, x2, y2) of persons for top-down pose estimators, shape (N, 4). Default: the whole
                image, or the boxes of the detector.

        Raises:
            OSError, ValueError: If the image cannot be read, or has another number of channels than the model.
        """
        found = open_image(image)
        if boxes is not None:
            found = replace(found, boxes=check_boxes(boxes))
        return self.predict_images([found]).__next__()[1]

    def predict(self, source: Any, *, batch_size: int = 1) -> Iterator[Prediction]:
        """Yield the predictions on all images of a source, in order. Images are read when they are predicted.

        Args:
            source: Image as in :meth:`__call__`, folder, glob pattern, video file, or a sequence of images. See
                :func:`~hrnet_plugin.prediction.sources.open_source`.
            batch_size: Number of images per batch. Default: 1.

        Raises:
            OSError, ValueError: If the source has no images, or an image cannot be read.
        """
        check_int('batch_size', batch_size, 1)
        images = open_source(source)  # errors of the source are raised by the call, not by the first iteration
        return (prediction for _, prediction in self.predict_images(images, batch_size))

    def predict_images(self, images: Iterable[InputImage], batch_size: int = 1
                       ) -> Iterator[tuple[InputImage, Prediction]]:
        """Yield images with their predictions, in order. At most one batch is in memory.

        Args:
            images: Images.
            batch_size: Number of images per batch.
        """
        rest = iter(images)
        while batch := list(islice(rest, batch_size)):
            for image, found in zip(batch, self.predict_batch(batch)):
                shown = None if image.pixels is None else displayed(image.pixels)
                yield image, replace(found, image=shown)


def check_boxes(boxes: ArrayLike) -> NDArray[np.float32]:
    """Return boxes as an array of shape (N, 4).

    Raises:
        ValueError: If they have another shape, are not finite, or a corner is not to the bottom right of the other.
    """
    found = np.asarray(boxes, np.float32)
    found = found.reshape(0, 4) if found.size == 0 else found
    if found.ndim != 2 or found.shape[1] != 4:
        raise ValueError(f'boxes must have shape (N, 4), got {found.shape}')
    wrong = ~(np.isfinite(found).all(1) & (found[:, 2:] > found[:, :2]).all(1))
    if wrong.any():
        raise ValueError('boxes must be finite (x1, y1, x2, y2) with x1 < x2 and y1 < y2, got '
                         f'{found[wrong][0].tolist()}')
    return found
