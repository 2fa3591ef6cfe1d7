"""What a data set is: its name, its split, and whether it is one that published rows are measured on, all of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Class of a host's data set -> name in the published tables, without those that are told by their annotations.
_NAMES = {'CityscapesDataset': 'Cityscapes', 'ADE20KDataset': 'ADE20K', 'LIPDataset': 'LIP',
          'PascalContextDataset': 'PASCAL-Context 60', 'PascalContextDataset59': 'PASCAL-Context 59',
          'MpiiDataset': 'MPII'}
# (task, data, split) -> how many images the split has; of MPII, how many persons
_WHOLE = {
    ('detection', 'COCO', 'val2017'): (5000, ),
    ('detection', 'COCO', 'test-dev2017'): (20288, ),
    ('pose', 'COCO', 'val2017'): (5000, ),
    ('pose', 'MPII', 'val'): (2958, ),
    ('segmentation', 'Cityscapes', 'val'): (500, ),
    ('segmentation', 'ADE20K', 'val'): (2000, ),
    ('segmentation', 'LIP', 'val'): (10000, ),
    ('segmentation', 'PASCAL-Context 59', 'val'): (5104, 5105),  # one more in the list that some copies have
    ('segmentation', 'PASCAL-Context 60', 'val'): (5104, 5105),
    ('segmentation', 'COCO-Stuff 10k', 'test'): (1000, ),
}
_COCO = ('instances_val2017', 'image_info_test-dev2017', 'person_keypoints_val2017')  # names of its annotations
_SPLITS = ('test-dev2017', 'val2017', 'train2017', 'val', 'test', 'train')  # as in names of files and folders


@dataclass(frozen=True)
class DataFacts:
    """What was evaluated.

    Attributes:
        data: Name of the data set, as published rows have it; of any other, of its folder.
        split: Of it.
        images: How many.
        whole: Whether these are all images of a split that published rows are measured on.
    """

    data: str
    split: str
    images: int
    whole: bool

    @classmethod
    def of(cls, task: str, data: str, split: str, images: int) -> DataFacts:
        """With ``whole`` found out."""
        return cls(data, split, images, images in _WHOLE.get((task, data, split), ()))


def describe_data(task: str, dataset: Any, images: int | None = None) -> DataFacts:
    """Describe a host's data set.

    Args:
        task: As in :class:`~hrnet_plugin.leaderboard.record.Record`.
        dataset: Of mmdet, mmpose or mmsegmentation.
        images: How many were evaluated; those of the data set by default.
    """
    while hasattr(dataset, 'dataset'):  # one that wraps another
        dataset = dataset.dataset
    images = len(dataset) if images is None else images
    annotations = Path(str(getattr(dataset, 'ann_file', '') or '')).stem
    split = _split(dataset, annotations)
    facts = DataFacts.of(task, _name(dataset, annotations), split, images)
    # a set with the names of COCO's files, or a part of COCO, goes by its folder
    if facts.data == 'COCO' and not facts.whole:
        return DataFacts(_folder(dataset), split, images, False)
    return facts


def _name(dataset: Any, annotations: str) -> str:
    kind = type(dataset).__name__
    if kind == 'CocoDataset' and annotations in _COCO:
        classes = len((getattr(dataset, 'metainfo', None) or {}).get('classes') or ())
        persons = annotations.startswith('person')
        return 'COCO' if persons or classes == 80 else _folder(dataset)
    if kind == 'COCOStuffDataset':
        return 'COCO-Stuff 10k' if 'test2014' in _image_folder(dataset) else _folder(dataset)
    return _NAMES.get(kind) or _folder(dataset)


def _split(dataset: Any, annotations: str) -> str:
    words = (annotations, _image_folder(dataset))
    return next((split for word in words for split in _SPLITS if split in word), '')


def _image_folder(dataset: Any) -> str:
    prefix = getattr(dataset, 'data_prefix', None) or {}
    return str(prefix.get('img_path') or prefix.get('img') or '')


def _folder(dataset: Any) -> str:
    return Path(str(getattr(dataset, 'data_root', None) or '')).name or type(dataset).__name__
