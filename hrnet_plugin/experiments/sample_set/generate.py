"""Writer of the sample set, with the folders, files and categories of COCO, so that every COCO config runs on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hrnet_plugin.array_types import Floats, Ints, Pixels
from hrnet_plugin.checks import check_int
from hrnet_plugin.evaluation.detections import short
from hrnet_plugin.experiments.sample_set.coco import CATEGORY_IDS, TRAIN_IDS
from hrnet_plugin.experiments.sample_set.person import KEYPOINTS, SKELETON
from hrnet_plugin.experiments.sample_set.scene import Scene, Thing, draw_scene
from hrnet_plugin.files import atomic_folder, is_empty_folder
from hrnet_plugin.json_files import read_json
from hrnet_plugin.json_types import JsonObject

SPLITS = ('train2017', 'val2017')
_STAMP = 'sample_set.json'
_TRAIN_IDS = np.array([TRAIN_IDS.get(value, 255) for value in range(256)], np.uint8)


def write_sample_set(root: str | Path, train: int = 400, val: int = 100, width: int = 320, height: int = 256,
                     seed: int = 0) -> Path:
    """Write the sample set. The same arguments give the same pixels and annotations.

    Files in ``root``:

    - ``train2017/*.png``, ``val2017/*.png``: images.
    - ``annotations/instances_*.json``, ``annotations/person_keypoints_*.json``: annotations.
    - ``stuffthingmaps/*/*.png``: COCO-Stuff pixel maps (id - 1), as for Hybrid Task Cascade in mmdet.
    - ``stuffthingmaps/*/*_labelTrainIds.png``: indices of the 171 COCO-Stuff classes, as for mmsegmentation.

    An existing set with the same arguments is not changed. No file is overwritten.

    Args:
        root: Output folder. It must be missing, empty, or a set made with the same arguments.
        train: Number of training images, at least 1.
        val: Number of validation images, at least 1. They are drawn with another seed.
        width: Width of the images in pixels, at least 64.
        height: Height of the images in pixels, at least 64.
        seed: Random seed, at least 0.

    Returns:
        The output folder.

    Raises:
        TypeError, ValueError: An argument is invalid.
        FileExistsError: The folder has other files.
    """
    for name, value, least in (('train', train, 1), ('val', val, 1), ('width', width, 64), ('height', height, 64),
                               ('seed', seed, 0)):
        check_int(name, value, least)
    root = Path(root)
    made_with = dict(version=2, train=train, val=val, width=width, height=height, seed=seed)
    if _is_complete(root, made_with):
        return root
    try:
        with atomic_folder(root, last=_STAMP) as scratch:
            for split, (name, count) in enumerate(zip(SPLITS, (train, val))):
                _write_split(scratch, name, count, width, height, (seed, split))
            (scratch / _STAMP).write_text(json.dumps(made_with), encoding='utf-8')
    except OSError:
        if not _is_complete(root, made_with):  # another process has written it meanwhile
            raise
    return root


def _is_complete(root: Path, made_with: dict[str, int]) -> bool:
    if not root.exists() or is_empty_folder(root):
        return False
    stamp = root / _STAMP
    found = read_json(stamp, 'the arguments of a sample set') if stamp.is_file() else None
    if found != made_with:
        content = f'a sample set made with {short(found)}' if found else 'other files'
        raise FileExistsError(f'root must be a new or empty folder, or a sample set made with {made_with}, '
                              f'got {root} with {content}. Choose another folder.')
    return True


def _write_split(root: Path, split: str, count: int, width: int, height: int, seed: tuple[int, int]) -> None:
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for folder in (root / split, root / 'stuffthingmaps' / split, root / 'annotations'):
        folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        scene = draw_scene(np.random.default_rng((*seed, index)), width, height)
        # ids differ between the splits, as in COCO
        image_id, name = seed[1] * 1_000_000 + index + 1, f'{index + 1:012d}.png'
        images.append(dict(id=image_id, file_name=name, width=width, height=height))
        _write_png(root / split / name, scene.image)
        semantic = _semantic_map(scene)
        _write_png(root / 'stuffthingmaps' / split / name, semantic)
        _write_png(root / 'stuffthingmaps' / split / name.replace('.png', '_labelTrainIds.png'), _TRAIN_IDS[semantic])
        for thing in scene.things:
            annotations.append(_annotation(thing, image_id, len(annotations) + 1))
    _write_json(root / 'annotations' / f'instances_{split}.json', images, annotations, keypoints=False)
    _write_json(root / 'annotations' / f'person_keypoints_{split}.json', images, annotations, keypoints=True)


def _write_png(path: Path, image: Pixels) -> None:
    # compression level 1: four times as fast to write, files a tenth larger
    # not by its name: errors of OpenCV do not tell that the disk is full
    path.write_bytes(cv2.imencode('.png', image, [cv2.IMWRITE_PNG_COMPRESSION, 1])[1].tobytes())


def _write_json(path: Path, images: Sequence[JsonObject], annotations: Sequence[JsonObject], keypoints: bool) -> None:
    # all 80 categories, since hosts derive class indices from this list
    categories = [dict(id=number, name=name, supercategory='sample') for name, number in CATEGORY_IDS.items()]
    if keypoints:
        annotations = [annotation for annotation in annotations if 'keypoints' in annotation]
        categories = [dict(categories[0], keypoints=KEYPOINTS, skeleton=SKELETON)]  # person
    else:
        without = ('keypoints', 'num_keypoints')
        annotations = [{key: a[key] for key in a if key not in without} for a in annotations]
    info = dict(description='hrnet_plugin sample set, generated', version='2')
    path.write_text(json.dumps(dict(info=info, images=images, annotations=annotations, categories=categories)),
                    encoding='utf-8')


def _semantic_map(scene: Scene) -> Pixels:
    pixels = scene.stuff.copy()
    for thing in scene.things:
        pixels[thing.mask] = CATEGORY_IDS[thing.category] - 1
    return pixels


def _annotation(thing: Thing, image_id: int, annotation_id: int) -> dict[str, Any]:
    rows, columns = np.flatnonzero(thing.mask.any(1)), np.flatnonzero(thing.mask.any(0))
    x, y = int(columns[0]), int(rows[0])
    box = [x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y]
    record = dict(id=annotation_id, image_id=image_id, category_id=CATEGORY_IDS[thing.category], bbox=box, iscrowd=0,
                  area=int(thing.mask.sum()), segmentation=_polygons(thing.mask))
    if thing.keypoints is not None:
        record.update(_keypoints(thing.keypoints, thing.mask))
    return record


def _polygons(mask: Pixels) -> list[list[float]]:
    """Convert a mask to polygons of its visible parts, along pixel borders as in COCO."""
    # findContours returns pixel centers, which would shrink the mask by half a pixel on each side. Doubling the mask
    # gives contours along the pixel borders.
    doubled = np.repeat(np.repeat(mask.astype(np.uint8), 2, axis=0), 2, axis=1)
    outlines, hierarchy = cv2.findContours(doubled, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    if hierarchy is None:
        return []
    for outline, (_, _, _, parent) in zip(outlines, hierarchy[0]):
        if parent >= 0:  # a hole: COCO polygons have none, so split the mask at the middle of the hole
            column = int(outline[:, 0, 0].mean() / 2)
            right = np.arange(mask.shape[1]) > column
            return _polygons(mask & ~right) + _polygons(mask & right)
    return [((outline.reshape(-1) + 0.5) / 2).tolist() for outline in outlines if len(outline) >= 3]


def _keypoints(points: Floats | Ints, mask: Pixels) -> dict[str, Any]:
    """Return keypoints in COCO format: visibility 2 (visible), 1 (occluded) or 0 (outside the image)."""
    height, width = mask.shape
    flat: list[float] = []
    for x, y in points:
        if not (0 <= x < width and 0 <= y < height):
            flat += [0, 0, 0]
            continue
        flat += [round(float(x), 1), round(float(y), 1), 2 if mask[int(y), int(x)] else 1]
    return dict(keypoints=flat, num_keypoints=sum(v > 0 for v in flat[2::3]))
