"""Common interface of PyTorch models and exported models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hrnet_plugin.results.dataset_meta import DatasetMeta
from hrnet_plugin.results.prediction import Prediction


@dataclass(frozen=True, kw_only=True, eq=False)
class InputImage:
    """Image to predict.

    Attributes:
        name: Path of the image, or name of the video frame or array.
        pixels: Image in BGR order as mmcv reads it, shape (H, W, C), or None if the file has not been read yet.
        boxes: Boxes (x1, y1, x2, y2) of persons for pose estimators, shape (N, 4). None for the whole image.
    """

    name: str
    pixels: NDArray[np.generic] | None = None
    boxes: NDArray[np.float32] | None = None


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
