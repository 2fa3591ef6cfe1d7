"""COCO evaluation on arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from hrnet_plugin.array_types import Ints
from hrnet_plugin.evaluation.detections import short
from hrnet_plugin.evaluation.matching.area_matches import AreaMatches, class_curves, match_area
from hrnet_plugin.evaluation.matching.arrays import Objects, Predictions, collect_objects, collect_predictions
from hrnet_plugin.evaluation.matching.overlaps import Pairs, find_pairs

#: Minimum IoU or OKS of the pairs of an evaluation with higher thresholds: TIDE's threshold of background.
LEAST_OVERLAP = 0.1


class ArrayEvaluation(COCOeval):
    """Evaluation by class with the parameters and results of ``COCOeval``, without its dict per detection.

    ``eval`` and ``stats`` are those of the API. ``evalImgs`` and ``ious`` are empty. The attributes below replace them
    after :meth:`evaluate`.

    Args:
        truth: Ground truth, whose annotations are valid.
        results: Valid detections in COCO's results format.
        kind: 'bbox', 'segm' or 'keypoints'.

    Attributes:
        objects: Objects of the evaluated images and classes.
        predictions: Predictions of the evaluated images and classes, at most ``maxDets[-1]`` per image and class.
        pairs: Overlapping pairs of both.
        matches: Matches in each area range. The first range is 'all'.
    """

    objects: Objects
    predictions: Predictions
    pairs: Pairs
    matches: list[AreaMatches]

    def __init__(self, truth: COCO, results: Sequence[Mapping[str, Any]], kind: str) -> None:
        super().__init__(truth, None, kind)
        self.results = results

    def evaluate(self) -> None:
        """Match predictions and objects in all area ranges.

        Raises:
            ValueError: If ``params.useCats`` is 0.
        """
        params = self.params
        if not params.useCats:
            raise ValueError('params.useCats must be 1, got 0. Give all annotations and results the same category.')
        if np.any(np.diff(params.recThrs) <= 0):
            raise ValueError(f'params.recThrs must be ascending, got {short(list(params.recThrs))}')
        params.imgIds, params.catIds = sorted(set(params.imgIds)), sorted(set(params.catIds))
        params.maxDets = sorted(params.maxDets)
        with np.errstate(over='ignore'):  # of coordinates far outside: an OKS of 0, or an infinite area
            self._match()

    def _match(self) -> None:
        params = self.params
        self.objects = collect_objects(self.cocoGt, params.iouType, params.imgIds, params.catIds)
        self.predictions = collect_predictions(self.results, params.iouType, params.imgIds, params.catIds,
                                               params.maxDets[-1])
        sigmas = params.kpt_oks_sigmas if params.iouType == 'keypoints' else None
        least = min(LEAST_OVERLAP, *params.iouThrs)
        self.pairs = find_pairs(self.objects, self.predictions, least, sigmas)
        self.matches = [match_area(self.objects, self.predictions, self.pairs, tuple(area), params.iouThrs)
                        for area in params.areaRng]

    def accumulate(self, p: object = None) -> None:
        """Compute precision, recall and scores of each class, area range and number of detections.

        Args:
            p: None. The COCO API accepts other parameters here.

        Raises:
            ValueError: If ``p`` is not None.
        """
        if p is not None:
            raise ValueError('p must be None, got other parameters. Set params before evaluate().')
        params = self.params
        sizes = len(params.iouThrs), len(params.catIds), len(params.areaRng), len(params.maxDets)
        recall = -np.ones(sizes)
        precision, scores = (-np.ones((sizes[0], len(params.recThrs), *sizes[1:])) for _ in range(2))
        for category, order in enumerate(self.class_orders()):
            for area, matches in enumerate(self.matches):
                objects = np.count_nonzero((self.objects.category == category) & ~matches.ignored)
                if not objects:
                    continue
                hits, counted = matches.hits_and_counted(order)
                for number, most in enumerate(params.maxDets):
                    chosen = self.predictions.rank[order] < most
                    found = class_curves(hits[:, chosen], counted[:, chosen], self.predictions.score[order][chosen],
                                         objects, params.recThrs)
                    precision[:, :, category, area, number] = found.precision
                    recall[:, category, area, number] = found.recall
                    scores[:, :, category, area, number] = found.scores
        self.eval = dict(params=params, counts=[sizes[0], len(params.recThrs), *sizes[1:]], precision=precision,
                         recall=recall, scores=scores)

    def class_orders(self) -> list[Ints]:
        """Return the indices of the predictions of each class by descending score. Equal scores are in image order."""
        order = np.lexsort((-self.predictions.score, self.predictions.category))
        numbers = np.bincount(self.predictions.category, minlength=len(self.params.catIds))
        return [order[end - number:end] for number, end in zip(numbers, np.cumsum(numbers))]

    def threshold_index(self, overlap: float) -> int:
        """Return the index of the threshold nearest to an IoU or OKS."""
        return int(np.argmin(np.abs(self.params.iouThrs - overlap)))
