"""Prediction of a model on one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hrnet_plugin.array_types import Bools, Pixels
from hrnet_plugin.results.dataset_meta import DatasetMeta

#: Minimum score of objects and keypoints in visualizations.
SCORE_THRESHOLD = 0.3


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction:
    """Objects or label map that a model predicts on one image.

    Attributes:
        task: 'detection', 'pose' or 'segmentation'.
        name: Path of the image, or name of the video frame or array.
        size: Height and width of the image in pixels.
        meta: Names and palettes of classes and keypoints.
        boxes: Boxes (x1, y1, x2, y2) in pixels of the image, shape (N, 4). None for segmentation.
        scores: Scores in [0, 1], shape (N, ). For poses, those of the boxes, which are 1 for given boxes. None for
            segmentation.
        labels: Labels of the classes, shape (N, ). None for segmentation.
        masks: Masks of the objects, shape (N, H, W), or None.
        keypoints: Keypoints (x, y) in pixels of the image, shape (N, K, 2), or None.
        keypoint_scores: Scores of the keypoints, shape (N, K), or None.
        label_map: Label of each pixel, shape (H, W), or None.
        image: Image for visualizations in RGB order, shape (H, W, 3). None if it is read from the file ``name``.
    """

    task: str
    name: str
    size: tuple[int, int]
    meta: DatasetMeta
    boxes: NDArray[np.float32] | None = None
    scores: NDArray[np.float32] | None = None
    labels: NDArray[np.int64] | None = None
    masks: Bools | None = None
    keypoints: NDArray[np.float32] | None = None
    keypoint_scores: NDArray[np.float32] | None = None
    label_map: NDArray[np.int64] | None = None
    image: Pixels | None = None

    def __len__(self) -> int:
        """Return the number of objects. 0 for segmentation."""
        return 0 if self.scores is None else len(self.scores)

    def __bool__(self) -> bool:
        """Return True, also without objects."""
        return True

    def above(self, score_threshold: float) -> Prediction:
        """Return the prediction without objects whose score is below a threshold. Label maps have no scores."""
        if self.scores is None:
            return self
        chosen = self.scores >= score_threshold
        arrays: dict[str, Any] = {name: getattr(self, name) for name in _OBJECT_ARRAYS}
        chosen_arrays: dict[str, Any] = {name: None if array is None else array[chosen]
                                         for name, array in arrays.items()}
        return replace(self, **chosen_arrays)

    def class_name(self, label: int) -> str:
        """Return the name of a class, or its label as text if it has no name. Empty for poses without classes."""
        if 0 <= label < len(self.meta.classes):
            return self.meta.classes[label]
        return '' if self.task == 'pose' else str(label)

    def to_coco(self, image_id: int, category_ids: Mapping[str, int] | None = None) -> list[dict[str, Any]]:
        """Return results in COCO format: one entry per object, or one per class in a label map.

        Entries have 'bbox' (x, y, width, height), 'score', and 'segmentation' or 'keypoints' if the model predicts
        them. The score of a pose is that of its box times the mean score of its keypoints above 0.2, as in mmpose's
        ``CocoMetric``.

        Args:
            image_id: ID of the image in the annotation file.
            category_ids: Class name -> category ID. Default: the IDs of COCO for the 80 classes of COCO, 1 for poses,
                else label + 1.

        Raises:
            KeyError: If ``category_ids`` lacks a predicted class.
        """
        from hrnet_plugin.results.coco import coco_entries
        return coco_entries(self, image_id, category_ids)

    def to_json(self) -> str:
        """Return the prediction as a JSON object on one line.

        It has 'name', 'task', 'height' and 'width'. Objects are in 'objects' with 'label', 'class', 'score', 'box'
        (x1, y1, x2, y2), 'mask' and 'keypoints' (x, y, score). The classes of a label map are in 'segments' with
        'label', 'class', 'pixels' and 'mask'. Masks are run-length encodings (RLE) in COCO format.
        """
        from hrnet_plugin.results.json_text import prediction_to_json
        return prediction_to_json(self)

    def plot(self, *, score_threshold: float = SCORE_THRESHOLD) -> Pixels:
        """Return a visualization in RGB order, shape (H, W, 3).

        Args:
            score_threshold: Minimum score of objects and keypoints. Default: 0.3.

        Raises:
            OSError, ValueError: If the file of the image cannot be read, or has another size now.
        """
        from hrnet_plugin.results.drawing import draw
        return draw(self, score_threshold)

    def save(self, folder: str | Path, *, stem: str | None = None, score_threshold: float = SCORE_THRESHOLD
             ) -> tuple[Path, Path]:
        """Write a visualization and all values as JSON, and return their paths.

        Args:
            folder: Folder of the files. It is created if it is missing.
            stem: File name without suffix. Default: that of the image, or the name of the video frame.
            score_threshold: Minimum score of objects and keypoints in the visualization. Default: 0.3.

        Raises:
            FileExistsError: If one of the files exists, e.g. from an image of the same name in another folder.
            OSError: If the files cannot be written.
        """
        from hrnet_plugin.results.saving import save
        return save(self, Path(folder), stem, score_threshold)


_OBJECT_ARRAYS = ('boxes', 'scores', 'labels', 'masks', 'keypoints', 'keypoint_scores')


def to_numpy(values: Any, dtype: DTypeLike) -> NDArray[Any]:
    """Return a tensor on any device, or a value that is like an array, as an array."""
    values = values.detach().cpu().numpy() if hasattr(values, 'detach') else values
    return np.asarray(values, dtype)
