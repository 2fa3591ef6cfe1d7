"""Families of configs, with metadata for their metafiles and tables."""

from __future__ import annotations

import re
from typing import NamedTuple

_DATA = ('coco', 'cityscapes', 'pascal-context-59', 'pascal-context-60', 'ade20k', 'coco-stuff10k', 'lip', 'mpii',
         'wflw', 'aflw', 'cofw', '300w')
_RECIPES = ('', 'udp', 'dark', 'syncbn', 'scratch')


class Family(NamedTuple):
    """Configs of a folder.

    Attributes:
        folder: Folder in ``configs/``.
        title: Name of the method in the docs.
        architecture: Modules, for the metafile.
        representation: Representation of most configs, which come first in tables.
        host: Host of the configs.
        data: Training datasets, for the metafile.
        collection: Name in the metafile. Default: title and representation.
    """

    folder: str
    title: str
    architecture: tuple[str, ...]
    representation: str = 'HRNetV2p'
    host: str = 'mmdet'
    data: str = 'COCO'
    collection: str = ''

    @property
    def collection_name(self) -> str:
        """Name of the collection in the metafile."""
        return self.collection or f'{self.title} {self.representation}'


_SEGMENTATION = 'Cityscapes, PASCAL-Context, LIP, ADE20K, COCO-Stuff 10k'
_PYRAMID, _MAP = ('HRNet', 'HRFPN'), ('HRNet', 'HRNetV2')
#: All families, in the order of the docs.
FAMILIES = (
    Family('faster_rcnn', 'Faster R-CNN', (*_PYRAMID, 'Faster R-CNN')),
    Family('cascade_rcnn', 'Cascade R-CNN', (*_PYRAMID, 'Cascade R-CNN')),
    Family('fcos', 'FCOS', (*_PYRAMID, 'FCOS')),
    Family('mask_rcnn', 'Mask R-CNN', (*_PYRAMID, 'Mask R-CNN')),
    Family('cascade_mask_rcnn', 'Cascade Mask R-CNN', (*_PYRAMID, 'Cascade Mask R-CNN')),
    Family('htc', 'Hybrid Task Cascade', (*_PYRAMID, 'Hybrid Task Cascade'), collection='HTC HRNetV2p'),
    Family('centernet_triplet', 'CenterNet, keypoint triplets', (*_MAP, 'CenterNet'), 'HRNetV2',
           collection='CenterNet Triplet HRNetV2'),
    Family('centernet', 'CenterNet, objects as points', (*_MAP, 'CenterNet'), 'HRNetV2',
           collection='CenterNet HRNetV2'),
    Family('retinanet', 'RetinaNet', (*_PYRAMID, 'RetinaNet')),
    Family('atss', 'ATSS', (*_PYRAMID, 'ATSS')),
    Family('gfl', 'GFL', (*_PYRAMID, 'GFL')),
    Family('dino', 'DINO', (*_PYRAMID, 'DINO')),
    Family('td_hm', 'Top-down heatmaps', ('HRNet',), 'HRNetV1', 'mmpose', 'COCO, MPII, WFLW, AFLW, COFW, 300W',
           collection='Top-down heat maps HRNet'),
    Family('fcn', 'FCN', ('HRNet', 'FCN'), 'HRNetV2', 'mmseg', _SEGMENTATION),
    Family('ocr', 'OCR', ('HRNet', 'FCN', 'OCR'), 'HRNetV2', 'mmseg', _SEGMENTATION),
)


class ConfigName(NamedTuple):
    """Parts of a config's name: ``FAMILY_REPRESENTATION-WIDTH[-VARIANT]_[RECIPE-]LENGTH[-TEST]_DATA[-SIZE]``."""

    representation: str
    width: str
    variant: str
    recipe: str
    length: str
    test: str
    data: str
    size: str

    @property
    def duration(self) -> tuple[str, int]:
        """Length of the training: 'Epochs' or 'Iterations', and their number."""
        number, unit = int(self.length[:-1]), self.length[-1]
        return ('Iterations', 1000 * number) if unit == 'k' else ('Epochs', 12 * number if unit == 'x' else number)


_NAME = re.compile(r'''[a-z-]+_(?P<representation>hrnetv\w+)-(?P<width>w\d+(?:-small-v\d)?)(?:-(?P<variant>[\w-]+))?
                       _(?:(?P<recipe>[a-z\d-]+)-)?(?P<length>\d+[xek])(?:-(?P<test>[a-z]+))?
                       _(?P<data>[a-z\d-]+?)(?:-(?P<size>\d+x\d+))?''', re.X)


def parse_name(name: str) -> ConfigName:
    """Split the name of a config into its fields.

    Raises:
        ValueError: The name does not have the form of :class:`ConfigName`.
    """
    found = _NAME.fullmatch(name)
    if found is None:
        raise ValueError(f'The name of a config must be FAMILY_NETWORK_SCHEDULE_DATA, got {name!r}.')
    return ConfigName(**{part: text or '' for part, text in found.groupdict().items()})


def sort_names(names: list[str], family: Family) -> list[str]:
    """Sort configs for tables: by dataset, representation, recipe, variant, width and length."""
    return sorted(names, key=lambda name: _place(parse_name(name), family.representation.lower()))


def _place(name: ConfigName, representation: str) -> tuple[object, ...]:
    recipe = name.recipe.split('-')[0]
    other = '' if name.representation == representation else name.representation
    variant = '' if name.variant == 'bgr' else name.variant  # bgr variants are sorted by width
    return (_DATA.index(name.data), other, _RECIPES.index(recipe if recipe in _RECIPES else ''), name.test, variant,
            width_number(name.width), 'small' not in name.width, name.recipe, int(name.length[:-1]), name.variant,
            name.size)


def width_number(width: str) -> int:
    """Return the number of a width such as 'w18-small-v2'."""
    return int(width.split('-')[0][1:])
