"""Differences between predictions on one image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hrnet_plugin.results.prediction import Prediction

#: Largest differences of coordinates in pixels, and of scores.
PIXELS, SCORES = 1e-2, 1e-3
#: Largest fraction of pixels with another label. They have near-ties between classes.
LABEL_FRACTION = 1e-3
#: Largest number and fraction of pixels that differ in the mask of one object.
MASK_PIXELS, MASK_FRACTION = 4, 1e-2


@dataclass
class Tally:
    """Number of compared results, and their largest differences.

    Attributes:
        compared: Kind of result -> number of compared results.
        largest: Output -> largest difference.
        unstable: Number of results that PyTorch itself does not keep after a change of the pixels by 1e-5.
    """

    compared: dict[str, int] = field(default_factory=dict)
    largest: dict[str, float] = field(default_factory=dict)
    unstable: int = 0

    def add(self, what: str, number: int, **differences: NDArray[Any]) -> None:
        """Count results, and update the largest differences."""
        self.compared[what] = self.compared.get(what, 0) + number
        for name, values in differences.items():
            self.largest[name] = max(self.largest.get(name, 0.), float(np.max(values, initial=0)))


Changed = Callable[[], Iterable[Prediction]]


def compare_detections(expected: Prediction, found: Prediction, changed: Changed, tally: Tally) -> Iterator[str]:
    """Yield the first difference between detections, and count them.

    A detection of one side only is accepted if it has a near-tie, e.g. a score at the threshold. Then a small change of
    the pixels has the same effect in PyTorch.

    Args:
        expected: Detections of PyTorch.
        found: Detections of the exported model.
        changed: Function that returns detections of PyTorch after small changes of the pixels.
        tally: Tally to update.
    """
    pairs = match_detections(expected, found)
    missing = sorted(set(range(_count(expected))) - {i for i, _ in pairs})
    extra = sorted(set(range(_count(found))) - {j for _, j in pairs})
    others = list(changed()) if missing or extra else []
    missing = [i for i in missing if all(i in _matched(expected, other) for other in others)]
    extra = [j for j in extra if not any(j in _matched(found, other) for other in others)]
    if missing or extra:
        yield _describe_detection(expected, found, missing, extra)
        return
    tally.unstable += max(_count(expected), _count(found)) - len(pairs)
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    tally.add('detections', len(pairs), **{name: np.abs(_array(expected, name)[first] - _array(found, name)[second])
                                           for name in ('boxes', 'scores')})
    if expected.masks is not None and found.masks is not None:
        yield from _compare_masks(expected, found, pairs, changed, tally)


def match_detections(expected: Prediction, found: Prediction) -> list[tuple[int, int]]:
    """Return indices of pairs of equal detections, with one pair per detection."""
    agree = _box_differences(expected, found) <= PIXELS
    agree &= np.abs(_array(expected, 'scores')[:, None] - _array(found, 'scores')[None]) <= SCORES
    pairs = []
    for i, row in enumerate(agree):
        candidates = np.flatnonzero(row)
        if len(candidates):
            pairs.append((i, int(candidates[0])))
            agree[:, candidates[0]] = False
    return pairs


def _compare_masks(expected: Prediction, found: Prediction, pairs: Sequence[tuple[int, int]], changed: Changed,
                   tally: Tally) -> Iterator[str]:
    """Yield the largest difference between the masks of pairs of detections, and count them.

    Larger differences are accepted where PyTorch itself has them after a small change of the pixels.
    """
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    areas, others = _array(expected, 'masks')[first], _array(found, 'masks')[second]
    differing = (areas != others).sum((1, 2))
    allowed = np.maximum(MASK_PIXELS, MASK_FRACTION * np.maximum(areas.sum((1, 2)), others.sum((1, 2))))
    wrong = differing > allowed
    ties = wrong & (differing <= _mask_spreads(expected, changed())[first]) if wrong.any() else wrong
    tally.unstable += int(ties.sum())
    wrong &= ~ties
    if wrong.any():
        worst = int(np.argmax(np.where(wrong, differing - allowed, -np.inf)))
        yield (f'masks that differ in {differing[worst]} of {areas[worst].sum()} pixels (tolerance: '
               f'{allowed[worst]:.0f})')
    tally.add('masks', int((~ties).sum()), mask_pixels=differing[~ties].astype(float))


def _mask_spreads(expected: Prediction, others: Iterable[Prediction]) -> NDArray[Any]:
    """Return the largest number of pixels in which the mask of each detection differs in other predictions."""
    spreads = np.zeros(_count(expected))
    for other in others:
        for i, j in match_detections(expected, other):
            spreads[i] = max(spreads[i], (_array(expected, 'masks')[i] != _array(other, 'masks')[j]).sum())
    return spreads


def compare_poses(expected: Prediction, found: Prediction, changed: Changed, tally: Tally) -> Iterator[str]:
    """Yield the first difference between keypoints, and count them.

    Larger differences are accepted where PyTorch itself has them after a small change of the pixels. Heat maps may have
    near-ties, and refinements of flat ones are ill-conditioned.

    Args:
        expected: Keypoints of PyTorch.
        found: Keypoints of the exported model.
        changed: Function that returns keypoints of PyTorch after small changes of the pixels.
        tally: Tally to update.
    """
    distances, scores = _keypoint_differences(expected, found)
    wrong = (distances > PIXELS) | (scores > SCORES)
    spreads = [_keypoint_differences(expected, other) for other in changed()] if wrong.any() else []
    ties = wrong & False
    if spreads:
        largest = [np.max(each, 0) for each in zip(*spreads)]
        ties = wrong & (distances <= np.maximum(PIXELS, largest[0])) & (scores <= np.maximum(SCORES, largest[1]))
    tally.unstable += int(ties.sum())
    tally.add('keypoints', int((~wrong).sum()), keypoints=distances[~wrong], scores=scores[~wrong])
    wrong &= ~ties
    if wrong.any():
        yield (f'{wrong.sum()} of {wrong.size} keypoints that differ by up to {distances[wrong].max():.3g} px '
               f'(tolerance: {PIXELS:g}) and their scores by up to {scores[wrong].max():.3g} (tolerance: {SCORES:g})')


def compare_labels(expected: NDArray[np.int64], found: NDArray[np.int64], tally: Tally) -> Iterator[str]:
    """Yield the difference between label maps, and count their pixels.

    Args:
        expected: Label map of PyTorch.
        found: Label map of the exported model.
        tally: Tally to update.
    """
    if expected.shape != found.shape:
        yield f'a label map of shape {found.shape} instead of {expected.shape}'
        return
    fraction = float((expected != found).mean())
    tally.add('label map pixels', expected.size, labels=np.array([fraction]))
    if fraction > LABEL_FRACTION:
        yield f'label maps that differ in {fraction:.3%} of the pixels (tolerance: {LABEL_FRACTION:.1%})'


def _describe_detection(expected: Prediction, found: Prediction, missing: list[int], extra: list[int]) -> str:
    """Describe the first detection that only one side has, by the closest one of the other side."""
    one, other, index, text = ((expected, found, missing[0], 'lacks') if missing else
                               (found, expected, extra[0], 'adds'))
    name = f'label {_array(one, "labels")[index]} with score {_array(one, "scores")[index]:.3f}'
    number = f'{len(missing)} missing and {len(extra)} additional detections'
    differences = _box_differences(one, other)[index]
    closest = int(np.argmin(differences)) if differences.size else -1
    if closest < 0 or not np.isfinite(differences[closest]):
        return f'{number}: it {text} {name}'
    score = abs(_array(one, 'scores')[index] - _array(other, 'scores')[closest])
    return (f'{number}: for {name}, the boxes differ by {differences[closest]:.3g} px (tolerance: {PIXELS:g}) and the '
            f'scores by {score:.3g} (tolerance: {SCORES:g})')


def _box_differences(expected: Prediction, found: Prediction) -> NDArray[Any]:
    """Return the largest difference of coordinates for each pair of detections, infinite for other labels."""
    differences = np.abs(_array(expected, 'boxes')[:, None] - _array(found, 'boxes')[None]).max(2, initial=0)
    return np.where(_array(expected, 'labels')[:, None] == _array(found, 'labels')[None], differences, np.inf)


def _keypoint_differences(expected: Prediction, found: Prediction) -> tuple[NDArray[Any], NDArray[Any]]:
    distances = np.abs(_array(expected, 'keypoints') - _array(found, 'keypoints')).max(2)
    return distances, np.abs(_array(expected, 'keypoint_scores') - _array(found, 'keypoint_scores'))


def _matched(one: Prediction, other: Prediction) -> set[int]:
    return {i for i, _ in match_detections(one, other)}


def _array(prediction: Prediction, name: str) -> NDArray[Any]:
    values: NDArray[Any] | None = getattr(prediction, name)
    if values is None:
        raise ValueError(f'model must predict {name}, got none')
    return values


def _count(prediction: Prediction) -> int:
    return len(_array(prediction, 'scores'))
