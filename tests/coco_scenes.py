"""Random annotations and detections in COCO format, with crowds, tied scores and objects of all sizes."""

from __future__ import annotations

import copy

import numpy as np
from comparison_data import NAMES, SIGMAS, persons_with_errors, write_persons
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

SIDE = 220
CLASSES = ('ant', 'bee', 'cow', 'dog', 'elk')  # objects of the first three, predictions of four


def random_scene(seed, kind='bbox', images=12):
    """Return annotations and detections. Integer boxes and scores of one digit give ties of both."""
    rng = np.random.default_rng(seed)
    truth, detections = [], []
    for image in range(1, images + 1):
        for _ in range(rng.integers(0, 9)):
            box = np.round([*rng.uniform(0, 60, 2), *rng.uniform(5, 140, 2)])
            label = int(rng.integers(1, 4))
            truth.append(dict(id=len(truth) + 1, image_id=image, category_id=label, iscrowd=int(rng.random() < .15),
                              bbox=box.tolist(), area=float(box[2] * box[3] * rng.uniform(.3, 1)),
                              segmentation=as_mask(box)))
            if rng.random() < .1:  # an object of another class in the same place
                truth.append(dict(truth[-1], id=len(truth) + 1, category_id=label % 3 + 1))
            for _ in range(rng.integers(0, 5)):
                near = np.round(np.abs(box + rng.normal(0, 5, 4)))
                shape = dict(bbox=near.tolist()) if kind == 'bbox' else dict(segmentation=as_mask(near))
                detections.append(dict(image_id=image, score=round(float(rng.uniform()), 1), **shape,
                                       category_id=label if rng.random() < .8 else int(rng.integers(1, 5))))
    content = dict(images=[dict(id=k, width=SIDE, height=SIDE, file_name=f'{k}.jpg') for k in range(1, images + 1)],
                   categories=[dict(id=k, name=name) for k, name in enumerate(CLASSES, 1)], annotations=truth)
    return content, [detections[k] for k in rng.permutation(len(detections))]


def as_mask(box):
    x, y, width, height = (int(value) for value in box)
    pixels = np.zeros((SIDE, SIDE), np.uint8, order='F')
    pixels[y:y + height + 1, x:x + width + 1] = 1
    found = mask.encode(pixels)
    return dict(size=found['size'], counts=found['counts'].decode())


def as_coco(content):
    found = COCO()
    found.dataset = copy.deepcopy(content)
    found.createIndex()
    return found


def run_coco_api(truth, detections, kind, **options):
    """Evaluate with the COCO API itself."""
    evaluation = COCOeval(truth, truth.loadRes(copy.deepcopy(detections)), kind)
    return run(evaluation, kind, **options)


def run(evaluation, kind, most=None, images=None, classes=None, thresholds=None):
    if kind == 'keypoints':
        evaluation.params.kpt_oks_sigmas = np.array(SIGMAS)
    for name, value in (('maxDets', most), ('imgIds', images), ('catIds', classes), ('iouThrs', thresholds)):
        if value is not None:
            setattr(evaluation.params, name, value)
    evaluation.evaluate()
    evaluation.accumulate()
    return evaluation


def person_scene(seed, folder, boxes=False):
    """Return annotations of persons, and detections with or without boxes."""
    persons, detect = persons_with_errors(seed, 30)
    truth = COCO(write_persons(folder / f'persons{seed}.json', persons, range(1, 31), NAMES))
    for annotation in truth.dataset['annotations']:
        annotation['id'] += 1  # the API treats the ID 0 as no match
    detections = detect(6, seed)
    for detection in detections if boxes else ():
        points = np.reshape(detection['keypoints'], (-1, 3))[:, :2]
        detection['bbox'] = [*points.min(0).tolist(), *(np.ptp(points, 0) * 1.5).tolist()]
    return as_coco(truth.dataset), detections
