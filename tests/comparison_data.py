"""Annotations and results for tests of comparisons, and slow computations from the definitions."""

from __future__ import annotations

import json
from math import exp

import numpy as np

NAMES = ('nose', 'left_eye', 'right_eye', 'left_hip', 'right_hip')
SIGMAS = (0.05, 0.06, 0.06, 0.1, 0.1)
THRESHOLDS = [0.5 + 0.05 * k for k in range(10)]
RECALLS = [k / 100 for k in range(101)]


def write_json(path, content):
    path.write_text(json.dumps(content))
    return path


def write_persons(path, persons, images, names=NAMES):
    """Write annotations of persons: (image, keypoints of shape (K, 3), area, iscrowd)."""
    annotations = []
    for number, (image, points, area, crowd) in enumerate(persons):
        points = np.array(points, float)
        low, high = points[:, :2].min(0), points[:, :2].max(0)
        annotations.append(dict(
            id=number, image_id=image, category_id=1, iscrowd=crowd, area=float(area),
            keypoints=points.ravel().tolist(), bbox=[*low.tolist(), *(high - low).tolist()],
            num_keypoints=int((points[:, 2] > 0).sum())))
    return write_json(path, dict(
        images=[dict(id=k, width=640, height=480, file_name=f'{k}.jpg') for k in images],
        categories=[dict(id=1, name='person', keypoints=list(names), skeleton=[])], annotations=annotations))


def detected_person(image, points, score):
    points = np.array(points, float)
    points[:, 2] = 0.9
    return dict(image_id=image, category_id=1, keypoints=points.ravel().tolist(), score=float(score))


def persons_with_errors(seed, images=12, names=NAMES):
    """Return persons, some crowds or without labels, and a function that detects them with errors."""
    rng = np.random.default_rng(seed)
    persons = []
    for image in range(1, images + 1):
        for _ in range(rng.integers(0, 4)):
            points = np.concatenate([rng.uniform(50, 400, 2) + rng.uniform(0, 120, (len(names), 2)),
                                     rng.integers(0, 3, (len(names), 1))], axis=1)
            if rng.random() < 0.15:
                points[:, 2] = 0
            persons.append((image, points, rng.uniform(800, 14000), int(rng.random() < 0.1)))

    def detect(noise, seed, digits=1):
        rng = np.random.default_rng(seed)
        found = []
        for image, points, _, _ in persons:
            for _ in range(rng.integers(0, 3)):
                moved = points.copy()
                moved[:, :2] += rng.normal(0, noise, 2) + rng.normal(0, noise, (len(names), 2))
                found.append(detected_person(image, moved, round(rng.uniform(), digits)))  # one digit gives ties
        return [found[k] for k in rng.permutation(len(found))]

    return persons, detect


def slow_oks(points, truth, area, sigmas=SIGMAS):
    """Compute the OKS of a detection and a person with labeled keypoints, as on cocodataset.org."""
    terms = []
    for (x, y, _), (tx, ty, visible), sigma in zip(points, truth, sigmas):
        if visible > 0:
            terms.append(exp(-((x - tx) ** 2 + (y - ty) ** 2) / (2 * area * (2 * sigma) ** 2)))
    return sum(terms) / len(terms)


def slow_ap(persons, detections, drawn):
    """Compute the AP of drawn images without crowds, by plain loops over thresholds, images and detections."""
    precisions = []
    for threshold in THRESHOLDS:
        hits, objects = [], 0
        for place, image in enumerate(drawn):
            mine = [p for p in persons if p[0] == image and (p[1][:, 2] > 0).any()]
            objects += len(mine)
            free = list(range(len(mine)))
            found = [d for d in detections if d['image_id'] == image]
            for d in sorted(found, key=lambda d: -d['score'])[:20]:
                points = np.reshape(d['keypoints'], (-1, 3))
                best, chosen = threshold, None
                for k in free:
                    oks = slow_oks(points, mine[k][1], mine[k][2])
                    if oks >= best:
                        best, chosen = oks, k
                if chosen is not None:
                    free.remove(chosen)
                hits.append((d['score'], place, chosen is not None))
        hits.sort(key=lambda hit: -hit[0])
        true, curve = 0, []
        for number, (_, _, hit) in enumerate(hits, 1):
            true += hit
            curve.append((true / objects, true / number))
        precisions += [max((p for r, p in curve if r >= recall - 1e-12), default=0) for recall in RECALLS]
    return sum(precisions) / len(precisions)


def slow_label_metrics(pairs, classes, ignored=255):
    """Compute IoU per class, mIoU, mAcc and aAcc by plain loops over the pixels of pairs (prediction, truth)."""
    hits, predicted, labeled = ([0] * classes for _ in range(3))
    for prediction, truth in pairs:
        for found, label in zip(np.ravel(prediction).tolist(), np.ravel(truth).tolist()):
            if label == ignored:
                continue
            labeled[label] += 1
            if found < classes:
                predicted[found] += 1
            if found == label:
                hits[label] += 1
    ious = [h / (p + t - h) if p + t - h else None for h, p, t in zip(hits, predicted, labeled)]
    accuracies = [h / t for h, t in zip(hits, labeled) if t]
    known = [iou for iou in ious if iou is not None]
    return ious, sum(known) / len(known), sum(accuracies) / len(accuracies), sum(hits) / sum(labeled)


