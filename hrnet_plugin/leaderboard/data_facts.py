"""What a data set is: its name, its split, and whether it is one that published rows are measured on, all of it."""

from __future__ import annotations

from collections.abc import Collection
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
    ('pose', 'COCO', 'val2017'): (5000, ),
    ('pose', 'MPII', 'val'): (2958, ),
    ('segmentation', 'Cityscapes', 'val'): (500, ),
    ('segmentation', 'ADE20K', 'val'): (2000, ),
    ('segmentation', 'LIP', 'val'): (10000, ),
    ('segmentation', 'PASCAL-Context 59', 'val'): (5104, 5105),  # one more in the list that some copies have
    ('segmentation', 'PASCAL-Context 60', 'val'): (5104, 5105),
    ('segmentation', 'COCO-Stuff 10k', 'test'): (1000, ),
}
_COCO = ('instances_val2017', 'person_keypoints_val2017')  # names of its annotations, which other sets have, too
_COCO_IMAGES = (139, 285, 632, 724, 776)  # the first of its images, which others do not have
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


def describe_data(task: str, dataset: Any, images: int | None = None, ids: Collection[int] = ()) -> DataFacts:
    """Describe a host's data set.

    Args:
        task: As in :class:`~hrnet_plugin.leaderboard.record.Record`.
        dataset: Of mmdet, mmpose or mmsegmentation.
        images: How many were evaluated; those of the data set by default.
        ids: Of the images in its annotations, where it has some in COCO's format.
    """
    dataset = innermost(dataset)
    kind, annotations = type(dataset).__name__, Path(str(getattr(dataset, 'ann_file', None) or ''))
    prefix = getattr(dataset, 'data_prefix', None) or {}
    image_folder = str(prefix.get('img_path') or prefix.get('img') or '')
    folder = Path(str(getattr(dataset, 'data_root', None) or '')).name or kind
    if kind == 'CocoDataset':
        data = _coco_name(annotations, ids) or folder
    elif kind == 'COCOStuffDataset':
        data = 'COCO-Stuff 10k' if 'test2014' in image_folder else folder
    else:
        data = _NAMES.get(kind) or folder
    split = _split(annotations.stem) or _split(image_folder)
    return DataFacts.of(task, data, split, len(dataset) if images is None else images)


def describe_annotations(file: Path, ids: Collection[int]) -> DataFacts:
    """Describe the detection data of a file with COCO's format.

    Args:
        file: Its path.
        ids: Of the images in it.
    """
    folder = file.resolve().parent
    folder = folder.parent if folder.name == 'annotations' else folder
    return DataFacts.of('detection', _coco_name(file, ids) or folder.name, _split(file.stem) or file.stem, len(ids))


def innermost(dataset: Any) -> Any:
    """The data set inside those that wrap another."""
    while hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    return dataset


def _coco_name(annotations: Path, ids: Collection[int]) -> str:
    return 'COCO' if annotations.stem in _COCO and set(_COCO_IMAGES) <= set(ids) else ''


def _split(word: str) -> str:
    return next((split for split in _SPLITS if split in word), '')
