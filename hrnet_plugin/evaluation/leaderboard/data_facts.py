"""Name, split and completeness of an evaluated dataset."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from mmengine.dataset import BaseDataset

from hrnet_plugin.evaluation.leaderboard.facts import DataFacts
from hrnet_plugin.hosts import host_of_task
from hrnet_plugin.hosts.mmdet import coco_name

_SPLITS = ('test-dev2017', 'val2017', 'train2017', 'val', 'test', 'train')  # as in the names of files and folders


def data_facts(task: str, data: str, split: str, images: int) -> DataFacts:
    """Describe an evaluated dataset, and check if it is a complete published split.

    Args:
        task: Task of the model.
        data: Name of the dataset.
        split: Split of the dataset.
        images: Number of evaluated images.
    """
    sizes = host_of_task(task).splits.get((data, split), ())
    return DataFacts(data=data, split=split, images=images, whole=images in sizes)


def describe_data(task: str, dataset: BaseDataset, images: int | None = None, ids: Collection[int] = ()) -> DataFacts:
    """Describe a dataset of a host.

    Args:
        task: Task of the model.
        dataset: Dataset of mmdet, mmpose or mmsegmentation.
        images: Number of evaluated images. Default: length of the dataset.
        ids: Image IDs of its COCO annotations. Empty for other formats.
    """
    dataset = unwrap_dataset(dataset)
    annotations = Path(str(getattr(dataset, 'ann_file', None) or ''))
    prefix = getattr(dataset, 'data_prefix', None) or {}
    image_folder = str(prefix.get('img_path') or prefix.get('img') or '')
    folder = Path(str(getattr(dataset, 'data_root', None) or '')).name or type(dataset).__name__
    data = host_of_task(task).dataset_name(dataset, annotations, ids) or folder
    split = _split(annotations.stem) or _split(image_folder)
    return data_facts(task, data, split, len(dataset) if images is None else images)


def describe_annotations(file: Path, ids: Collection[int]) -> DataFacts:
    """Describe the detection dataset of a COCO annotation file.

    Args:
        file: Path of the annotation file.
        ids: IDs of its images.
    """
    folder = file.resolve().parent
    folder = folder.parent if folder.name == 'annotations' else folder
    name = coco_name(file, ids, 'instances_val2017') or folder.name
    return data_facts('detection', name, _split(file.stem) or file.stem, len(ids))


def unwrap_dataset(dataset: BaseDataset) -> Any:
    """Return the innermost dataset of wrappers such as ``RepeatDataset``."""
    while hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    return dataset


def _split(word: str) -> str:
    return next((split for split in _SPLITS if split in word), '')
