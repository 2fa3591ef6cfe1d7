"""Images that a test evaluated, so that later evaluations of its results use the same images."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrnet_plugin.evaluation.detections import SHAPES, is_known_id, short
from hrnet_plugin.files import atomic_write
from hrnet_plugin.json_files import DATA_BYTES, DATA_DEPTH, read_json

if TYPE_CHECKING:
    from pycocotools.coco import COCO

ALL = 'all'
_SUFFIX = '.images.json'
_WHAT = 'a list of image IDs or annotations in COCO format'


def write_tested_images(prefix: str | Path, images: Collection[int]) -> None:
    """Write the IDs of the tested images to the file that belongs to the results of a test.

    Args:
        prefix: Path of the results without '.bbox.json', as in ``outfile_prefix`` of mmdet and mmpose.
        images: IDs of the tested images. If there are none, the file of an earlier test is removed.
    """
    if not images:
        Path(f'{prefix}{_SUFFIX}').unlink(missing_ok=True)
        return
    with atomic_write(f'{prefix}{_SUFFIX}') as scratch:
        scratch.write_text(json.dumps(sorted(images)) + '\n', encoding='utf-8')


def evaluated_images(truth: COCO, results: Sequence[str | Path], subset: str | Path | None = None) -> set[int] | None:
    """Return the IDs of the images to evaluate, or None for all images of the annotations.

    Args:
        truth: Ground truth.
        results: Files of results, whose tests must have evaluated the same images.
        subset: 'all', or a JSON file: a list of image IDs, or annotations in COCO's format. Default: the images of the
            test, which ``RecordHook`` writes beside its results. Without this file, all images.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file is invalid, an image is not in the annotations, or the tests differ in their images.
    """
    if subset is not None:
        return None if str(subset) == ALL else _read(Path(subset), truth)
    found = {file: _read(place, truth) if (place := _beside(Path(file))) else None for file in map(str, results)}
    whole = set(truth.imgs)
    chosen = [whole if images is None else images for images in found.values()]
    if any(images != chosen[0] for images in chosen):
        numbers = ', '.join(f'{len(images)} of {file}' for images, file in zip(chosen, found))
        raise ValueError(f'results must be from tests of the same images, got {numbers}. Choose the images with '
                         '--subset FILE or --subset all.')
    return None if not chosen or chosen[0] == whole else chosen[0]


def _beside(results: Path) -> Path | None:
    """Return the file of the tested images of a results file, or None if there is none."""
    for shape in SHAPES:
        if results.name.endswith(f'.{shape}.json'):
            file = results.with_name(results.name.removesuffix(f'.{shape}.json') + _SUFFIX)
            return file if file.is_file() else None
    return None


def _read(file: Path, truth: COCO) -> set[int]:
    content = read_json(file, _WHAT, max_bytes=DATA_BYTES, max_depth=DATA_DEPTH, allow_nan=True)
    try:
        ids = _ids_of(content)
    except (KeyError, TypeError) as error:
        raise ValueError(f'{file} must be {_WHAT}, got {error!r}') from None
    unknown = [number for number in ids if not is_known_id(number, truth.imgs)]
    if unknown or not ids:
        raise ValueError(f'{file} must have IDs of images in the annotations, got {short(unknown[:5])}. Use the '
                         'annotations of the test.')
    return set(ids)


def _ids_of(content: Any) -> list[Any]:
    """Return the image IDs of parsed JSON, of any type.

    Raises:
        KeyError, TypeError: If it is neither a list of IDs nor annotations in COCO format.
    """
    ids = [image['id'] for image in content['images']] if isinstance(content, dict) else content
    if not isinstance(ids, list) or any(isinstance(number, (list, dict)) for number in ids):
        raise TypeError(short(ids))
    return ids
