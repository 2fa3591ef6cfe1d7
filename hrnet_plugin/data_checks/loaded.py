"""Checks of datasets that have read their annotations: image files, objects and samples."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset

from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.images import AnnotatedImage, ImageReport, scan_images
from hrnet_plugin.evaluation.leaderboard.evaluated_datasets import inner_datasets
from hrnet_plugin.hosts import type_name

_LOADERS = ('LoadImageFromFile', 'LoadImage')  # of mmcv and mmpose
_NOT_SCANNED, _NOT_ROTATED = 'tifffile', 'turbojpeg'  # backends of mmcv
# annotation file -> name of an image -> height and width in pixels
Sizes = Mapping[Path, Mapping[str, tuple[int | None, int | None]]]


@dataclass(frozen=True, kw_only=True)
class Item:
    """Entry of a dataset.

    Attributes:
        info: Data info of the dataset.
        name: File name of its image below the image folder, as in annotation files.
        file: Annotation file of its dataset.
    """

    info: Mapping[str, Any]
    name: str
    file: Path


def scan_items(config: Config, split: str, dataset: BaseDataset, sizes: Sizes, most: int) -> ImageReport | None:
    """Scan a sample of the image files of a dataset. None if its pipeline does not read local image files.

    Args:
        config: Config of any host.
        split: 'train', 'val' or 'test'.
        dataset: Dataset that has read its annotations.
        sizes: Annotated sizes, for datasets without sizes in their data infos.
        most: Maximum number of images.
    """
    loader = _find_loader(config[f'{split}_dataloader'].dataset)
    if loader is None or loader.get('backend_args') or loader.get('imdecode_backend') == _NOT_SCANNED:
        return None
    color_type = loader.get('color_type', 'color')
    ignores = color_type == 'unchanged' or color_type.endswith('_ignore_orientation')
    images = {item.info['img_path']: _annotated(item, sizes) for item in sample_items(dataset, most)
              if 'img_path' in item.info}
    report = scan_images(list(images.values()), most=most,
                         rotated=not ignores and loader.get('imdecode_backend') != _NOT_ROTATED)
    return replace(report, total=sum(map(len, inner_datasets(dataset)))) if images else None


def check_objects(entry: str, dataset: BaseDataset, most: int) -> Iterator[Finding]:
    """Yield a warning if no sampled image of a detection dataset has objects of its classes.

    Args:
        entry: Path of the dataset in the config.
        dataset: Dataset that has read its annotations.
        most: Maximum number of images.
    """
    infos = [item.info for item in sample_items(dataset, most)]
    if infos and all('instances' in info for info in infos) and not any(info['instances'] for info in infos):
        yield Finding(is_error=False, message=(
            f'{entry} should have objects of its classes, got none in {len(infos)} sampled images. Compare '
            'metainfo.classes with the names in the annotations'))


def sample_items(dataset: BaseDataset, most: int) -> list[Item]:
    """Return at most ``most`` evenly spaced entries of a dataset, without wrappers."""
    parts = list(inner_datasets(dataset))
    places = [(part, k) for part in parts for k in range(len(part))]
    chosen = np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).astype(int))
    return [Item(info=info, name=os.path.relpath(info.get('img_path') or '.', _image_folder(part)),
                 file=Path(str(getattr(part, 'ann_file', ''))).resolve())
            for part, k in (places[place] for place in chosen) for info in [part.get_data_info(k)]]


def _image_folder(dataset: BaseDataset) -> str:
    prefixes = getattr(dataset, 'data_prefix', None) or {}
    return str(prefixes.get('img') or prefixes.get('img_path') or '.')


def _annotated(item: Item, sizes: Sizes) -> AnnotatedImage:
    size = item.info.get('height'), item.info.get('width')
    height, width = sizes.get(item.file, {}).get(item.name, size) if None in size else size
    return AnnotatedImage(path=Path(item.info['img_path']), height=height, width=width)


def _find_loader(cfg: ConfigDict | Sequence[ConfigDict]) -> ConfigDict | None:
    """Return the first transform in a dataset config that reads image files, or None."""
    if isinstance(cfg, Mapping):
        if type_name(cfg.get('type', '')) in _LOADERS:
            return cfg
        entries = list(cfg.values())
    else:
        entries = list(cfg)
    found = (_find_loader(entry) for entry in entries if isinstance(entry, (Mapping, list, tuple)))
    return next((loader for loader in found if loader is not None), None)
