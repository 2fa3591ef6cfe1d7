"""Label maps of semantic segmentation: folders of PNG files, and files of predictions that a test writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from hrnet_plugin.array_types import Ints
from hrnet_plugin.checkpoints.prediction_file import load_predictions
from hrnet_plugin.checkpoints.tensor_check import check_tensors
from hrnet_plugin.evaluation.detections import short
from hrnet_plugin.image_bounds import check_expansion

PICKLES = ('.pkl', '.pickle')
_SHOWN = 5  # names in a message


class LabelMaps:
    """Label maps by image name.

    Args:
        path: Folder of label maps, also in subfolders, or a file of predictions.
        suffix: End of the file names. The image name is the rest.

    Raises:
        FileNotFoundError: If the path does not exist, or the folder has no such files.
        ValueError: If two files have the same image name, or the predictions are invalid.
    """

    def __init__(self, path: str | Path, suffix: str = '.png') -> None:
        self.path = Path(path)
        is_file = self.path.suffix in PICKLES and not self.path.is_dir()
        read = _read_predictions if is_file else _find
        self._maps: Mapping[str, Path | Ints] = read(self.path, suffix)
        #: Files of mmseg's IoUMetric count from 1 if label 0 is reduced. Predictions in memory count from 0.
        self.are_files = not is_file

    @property
    def names(self) -> Collection[str]:
        """Names of the images."""
        return self._maps.keys()

    def read(self, name: str) -> Ints:
        """Return the label map of an image, shape (H, W).

        Raises:
            ValueError: If the file is no label map.
        """
        found = self._maps[name]
        return _read_image(found) if isinstance(found, Path) else found


def check_names(truth: LabelMaps, *predictions: LabelMaps) -> list[str]:
    """Return the sorted image names, or raise an error if they differ.

    Raises:
        ValueError: If a label map is missing.
    """
    for maps in predictions:
        for one, other in ((truth, maps), (maps, truth)):
            missing = sorted(set(other.names) - set(one.names))
            if missing:
                more = f' and {len(missing) - _SHOWN} more' if len(missing) > _SHOWN else ''
                raise ValueError(f'{one.path} must have a label map of each image in {other.path}, got none of '
                                 f'{", ".join(missing[:_SHOWN])}{more}. If file names differ only in their ends, set '
                                 '--suffixes.')
    return sorted(truth.names)


def _find(folder: Path, suffix: str) -> dict[str, Path]:
    if not folder.is_dir():
        raise FileNotFoundError('label maps must be in an existing folder or a file of hrnet test --out, got '
                                f'{folder}')
    found: dict[str, Path] = {}
    for file in sorted(folder.rglob(f'*{suffix}')):
        name = file.name[:len(file.name) - len(suffix)]
        if name in found:
            raise ValueError(f'{folder} must have one label map of each image, got {found[name]} and {file}')
        found[name] = file
    if not found:
        raise FileNotFoundError(f'{folder} must have label maps whose names end in {suffix}, got none')
    return found


def _read_image(file: Path) -> Ints:
    try:
        with Image.open(file) as image:
            check_expansion(file, image.height * image.width)
            labels = np.array(image)
    except Exception as error:  # PIL raises many types of errors for broken images
        raise ValueError(f'{file} must be a readable image, got {str(error) or type(error).__name__}') from None
    if labels.ndim != 2:
        raise ValueError(f'{file} must be a label map with one channel, got shape {labels.shape}')
    return labels.astype(np.int64)


def _read_predictions(file: Path, suffix: str) -> dict[str, Ints]:
    """Read the label maps of ``hrnet test --out``. No code in the file is executed."""
    try:
        samples = load_predictions(file)
    except ValueError as error:
        raise ValueError(f'{file} must be predictions of hrnet test --out, got {error}') from None
    found: dict[object, object] = {}
    for number, sample in enumerate(samples if isinstance(samples, list) else [samples]):
        try:
            labels = sample['pred_sem_seg']['data'].squeeze(0)
            name = f"{Path(sample['img_path']).stem}.png".removesuffix(suffix)  # mmseg writes PNG files
        except (AttributeError, IndexError, KeyError, RuntimeError, TypeError, ValueError):
            keys = sorted(map(str, sample)) if isinstance(sample, dict) else sample
            raise ValueError(f'{file} must be predictions of segmentation with pred_sem_seg and img_path, got '
                             f'{short(keys)} in sample {number}') from None
        if name in found:
            raise ValueError(f'{file} must have one label map of each image, got two of {short(name)}')
        found[name] = labels
    try:
        return {name: _to_labels(labels) for name, labels in check_tensors(found, file.stat().st_size).items()}
    except ValueError as error:
        raise ValueError(f'{file} {error}') from None


def _to_labels(labels: Tensor) -> Ints:
    if labels.dim() != 2 or labels.is_complex() or (labels.is_floating_point() and bool((labels % 1 != 0).any())):
        raise ValueError(f'must have label maps of integers, shape (H, W), got {labels.dtype} of shape '
                         f'{tuple(labels.shape)}')
    return labels.long().numpy()  # binary predictions are floats
