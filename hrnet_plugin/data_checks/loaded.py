"""Checks of datasets that have read their annotations: image files and objects."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.images import AnnotatedImage, ImageLoader, ImageReport, scan_images

_LOADERS = ('LoadImageFromFile', 'LoadImage')  # of mmcv and mmpose
_NOT_SCANNED = 'tifffile'  # backend of mmcv
# annotation file -> name of an image -> height and width in pixels
Sizes = Mapping[Path, Mapping[str, tuple[int | None, int | None]]]


@dataclass(frozen=True, kw_only=True)
class Item:
    """Entry of a dataset.

    Attributes:
        info: Data info of the dataset.
        name: File name of its image below the image folder, as in annotation files.
        file: Annotation file of its dataset.
        loader: Transform that loads its image. None if no transform reads local image files.
    """

    info: Mapping[str, Any]
    name: str
    file: Path
    loader: ImageLoader | None = None


def sample_items(dataset: BaseDataset, most: int) -> list[Item]:
    """Return at most ``most`` evenly spaced entries of a dataset, without wrappers."""
    parts = list(_with_loaders(dataset, None))
    ends = list(accumulate(len(part) for part, _ in parts))
    total = ends[-1] if ends else 0
    places = np.unique(np.linspace(0, total - 1, min(most, total)).astype(int)).tolist()
    found = []
    for place in places:
        number = bisect_right(ends, place)
        part, loader = parts[number]
        found.append(_item(part, loader, place - (ends[number] - len(part))))
    return found


def _item(dataset: BaseDataset, loader: ImageLoader | None, index: int) -> Item:
    info = dataset.get_data_info(index)
    prefixes = getattr(dataset, 'data_prefix', None) or {}
    folder = str(prefixes.get('img') or prefixes.get('img_path') or '.')
    return Item(info=info, name=os.path.relpath(info.get('img_path') or '.', folder), loader=loader,
                file=Path(str(getattr(dataset, 'ann_file', ''))).resolve())


def scan_items(items: Sequence[Item], total: int, sizes: Sizes) -> ImageReport | None:
    """Scan the image files of entries. None if no pipeline reads local image files.

    Args:
        items: Sample of the entries of a dataset.
        total: Number of entries of the dataset.
        sizes: Annotated sizes, for datasets without sizes in their data infos.
    """
    images = {item.info['img_path']: _annotated(item, item.loader, sizes) for item in items
              if item.loader is not None and 'img_path' in item.info}
    return replace(scan_images(list(images.values()), most=len(images)), total=total) if images else None


def check_any_object(entry: str, items: Sequence[Item]) -> Iterator[Finding]:
    """Yield a warning if no sampled image of a detection dataset has objects of its classes.

    Args:
        entry: Path of the dataset in the config.
        items: Sample of the entries of the dataset.
    """
    infos = [item.info for item in items]
    if infos and all('instances' in info for info in infos) and not any(info['instances'] for info in infos):
        yield Finding(is_error=False, message=(
            f'{entry} should have objects of its classes, got none in {len(infos)} sampled images. Compare '
            'metainfo.classes with the names in the annotations'))


def _annotated(item: Item, loader: ImageLoader, sizes: Sizes) -> AnnotatedImage:
    size = item.info.get('height'), item.info.get('width')
    height, width = sizes.get(item.file, {}).get(item.name, size) if None in size else size
    return AnnotatedImage(path=Path(item.info['img_path']), height=height, width=width, loader=loader)


def _with_loaders(dataset: BaseDataset,
                  outer: ImageLoader | None) -> Iterator[tuple[BaseDataset, ImageLoader | None]]:
    """Yield the innermost datasets of wrappers, each with the transform that loads its images.

    Args:
        dataset: Dataset or wrapper.
        outer: Transform of the wrappers, for datasets whose own pipeline loads no images.
    """
    pipeline = getattr(dataset, 'pipeline', None)
    transform = next(_image_transforms(pipeline), None)
    loader = outer if transform is None else _image_loader(transform)
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner == [None]:
        yield dataset, loader
        return
    for part in inner:
        yield from _with_loaders(part, loader)


def _image_transforms(transforms: Any) -> Iterator[Any]:
    """Yield the transforms of a pipeline that read image files. Transforms may contain others."""
    if type(transforms).__name__ in _LOADERS:
        yield transforms
        return
    inner = transforms if isinstance(transforms, (list, tuple)) else getattr(transforms, 'transforms', ())
    for transform in inner:
        yield from _image_transforms(transform)


def _image_loader(transform: Any) -> ImageLoader | None:
    """Return the options of a transform. None if PIL does not read its images, or they are in remote storage."""
    if transform.backend_args or transform.imdecode_backend == _NOT_SCANNED:
        return None
    return ImageLoader(color_type=transform.color_type, backend=transform.imdecode_backend)
