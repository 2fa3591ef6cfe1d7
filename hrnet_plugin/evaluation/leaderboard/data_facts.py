"""What a data set is: its name, its split, and whether it is one that published rows are measured on, all of it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from mmengine.dataset import BaseDataset

from hrnet_plugin.evaluation.leaderboard.facts import DataFacts
from hrnet_plugin.hosts import host_of_task
from hrnet_plugin.hosts.mmdet import coco_name

_SPLITS = ('test-dev2017', 'val2017', 'train2017', 'val', 'test', 'train')  # as in names of files and folders


def data_facts(task: str, data: str, split: str, images: int) -> DataFacts:
    """Return facts about an evaluated dataset, and whether it is all of a published split.

    Args:
        task: Task of the model.
        data: Name of the dataset.
        split: Split of the dataset.
        images: Number of evaluated images.
    """
    sizes = host_of_task(task).splits.get((data, split), ())
    return DataFacts(data=data, split=split, images=images, whole=images in sizes)


def describe_data(task: str, dataset: BaseDataset, images: int | None = None, ids: Collection[int] = ()) -> DataFacts:
    """Describe a host's data set.

    Args:
        task: As in :class:`~hrnet_plugin.evaluation.leaderboard.record.Record`.
        dataset: Of mmdet, mmpose or mmsegmentation.
        images: How many were evaluated; those of the data set by default.
        ids: Of the images in its annotations, where it has some in COCO's format.
    """
    dataset = innermost(dataset)
    annotations = Path(str(getattr(dataset, 'ann_file', None) or ''))
    prefix = getattr(dataset, 'data_prefix', None) or {}
    image_folder = str(prefix.get('img_path') or prefix.get('img') or '')
    folder = Path(str(getattr(dataset, 'data_root', None) or '')).name or type(dataset).__name__
    data = host_of_task(task).dataset_name(dataset, annotations, ids) or folder
    split = _split(annotations.stem) or _split(image_folder)
    return data_facts(task, data, split, len(dataset) if images is None else images)


def describe_annotations(file: Path, ids: Collection[int]) -> DataFacts:
    """Describe the detection data of a file with COCO's format.

    Args:
        file: Its path.
        ids: Of the images in it.
    """
    folder = file.resolve().parent
    folder = folder.parent if folder.name == 'annotations' else folder
    name = coco_name(file, ids, 'instances_val2017') or folder.name
    return data_facts('detection', name, _split(file.stem) or file.stem, len(ids))


def innermost(dataset: BaseDataset) -> Any:
    """The data set inside those that wrap another."""
    while hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    return dataset


def _split(word: str) -> str:
    return next((split for split in _SPLITS if split in word), '')
