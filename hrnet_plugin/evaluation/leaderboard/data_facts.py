"""Name, split and completeness of an evaluated dataset."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from mmengine.dataset import BaseDataset

from hrnet_plugin.evaluation.leaderboard.evaluated_datasets import inner_datasets
from hrnet_plugin.evaluation.leaderboard.facts import DataFacts
from hrnet_plugin.hosts import host_of_task
from hrnet_plugin.hosts.mmdet import coco_name

_SPLITS = ('test-dev2017', 'val2017', 'train2017', 'val', 'test', 'train')  # as in the names of files and folders
_SPLIT_WORD = re.compile(rf'(?<![^\W_])(?P<split>{"|".join(_SPLITS)})(id(ation)?|ing)?(?P<rest>([\W\d_].*)?)$')
# words after a split that describe the file and not its images, as in upstream configs
_FILE_WORDS = (r'v\d+(\.\d+)*', 'annotations(_without_background)?', 'bbox', 'coco', 'cocoformat', 'data', 'detection',
               'humanart', 'od', 'odvg', 'vg')
_FILE_WORD = re.compile(rf'[\W_]+({"|".join(_FILE_WORDS)})(?![^\W_])|[\W_]+$')


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
    dataset = next(iter(inner_datasets(dataset)))
    annotations = Path(str(getattr(dataset, 'ann_file', None) or ''))
    prefix = getattr(dataset, 'data_prefix', None) or {}
    image_folder = str(prefix.get('img_path') or prefix.get('img') or '')
    folder = Path(str(getattr(dataset, 'data_root', None) or '')).name or type(dataset).__name__
    data = host_of_task(task).dataset_name(dataset, annotations, ids) or folder
    split = split_name(annotations.stem) or _split_in(image_folder) or _split_in(annotations.parent.name)
    return data_facts(task, data, split or annotations.stem, len(dataset) if images is None else images)


def combine_data(parts: Sequence[DataFacts]) -> DataFacts:
    """Describe concatenated datasets that one evaluator gets."""
    names, splits = (' + '.join(dict.fromkeys(getattr(part, key) for part in parts)) for key in ('data', 'split'))
    return DataFacts(data=names, split=splits, images=sum(part.images or 0 for part in parts), whole=False)


def describe_annotations(file: Path, ids: Collection[int], images: int | None = None) -> DataFacts:
    """Describe the detection dataset of a COCO annotation file.

    Args:
        file: Path of the annotation file.
        ids: IDs of its images.
        images: Number of evaluated images. Default: all.
    """
    folder = file.resolve().parent
    folder = folder.parent if folder.name == 'annotations' else folder
    name = coco_name(file, ids, 'instances_val2017') or folder.name
    split = split_name(file.stem) or file.stem
    return data_facts('detection', name, split, len(ids) if images is None else images)


def split_name(stem: str) -> str:
    """Return the split in the name of an annotation file, or an empty string.

    Words after a published split belong to the name, so that parts of a split differ. The split of 'instances_val_a' is
    'val_a', that of 'instances_val2014' is 'val2014', and that of 'face_landmarks_300w_valid' is 'val'. Versions and
    words for the format of the file are no parts: the split of 'coco_wholebody_val_v1.0' is 'val'.

    Args:
        stem: Name of the file without suffix.
    """
    found = _SPLIT_WORD.search(stem)
    return _split_in(stem) if found is None else found['split'] + _FILE_WORD.sub('', found['rest'])


def _split_in(name: str) -> str:
    return next((split for split in _SPLITS if split in name), '')
