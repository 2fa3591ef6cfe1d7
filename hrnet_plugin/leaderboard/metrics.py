"""The hosts' names of metrics, and those of the published tables."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from numbers import Real
from typing import Any

_SIZES = {'': '', '50': '_50', '75': '_75', 's': '_s', 'm': '_m', 'l': '_l'}
_KEYPOINTS = {'': '', '50': ' .5', '75': ' .75', 'm': ' (M)', 'l': ' (L)'}
# task -> published name -> the hosts' key
KEYS = {
    'detection': {f'{mask}AP{size}': f'coco/{kind}_mAP{key}' for mask, kind in (('', 'bbox'), ('mask ', 'segm'))
                  for size, key in _SIZES.items()},
    'pose': {**{f'{what}{size}': f'coco/{what}{key}' for what in ('AP', 'AR') for size, key in _KEYPOINTS.items()},
             'PCKh': 'PCK', 'PCKh@0.1': 'PCK@0.1'},  # of MPII's evaluator
    'segmentation': {name: name for name in ('mIoU', 'mAcc', 'aAcc')},
}
_FRACTION = re.compile(r'(mask )?A[PR]\w*')
# last part of the keys of the hosts' evaluators by which a lower value is better
_PER_ACTION = ('MPJPE', 'P-MPJPE', 'N-MPJPE')  # of mmpose in millimeters, as a whole and as 'MPJPE_Walking'
_LOWER_IS_BETTER = frozenset((
    'NME', 'EPE', 'MRRPE',  # mmpose: errors as a fraction, in pixels, in millimeters
    'mMR', 'IDSW', 'FP', 'FN', 'IDFP', 'IDFN', 'Frag', 'ML',  # mmdet: CrowdHuman's miss rate, errors of MOTChallenge
    'abs_rel', 'sq_rel', 'rmse', 'rmse_log', 'log10', 'silog',  # mmsegmentation: depth
))


def named(task: str, metrics: Mapping[str, Any]) -> dict[str, float | None]:
    """A host's metrics by the published names; others keep theirs.

    Args:
        task: As in :class:`~hrnet_plugin.leaderboard.record.Record`.
        metrics: Key -> value. What is not defined, the COCO API's -1 and what is not a finite number, becomes None;
            what is no number is left out.
    """
    names = {key: name for name, key in KEYS[task].items() if key != 'PCK' or 'Head PCK' in metrics}
    numbers = {names.get(key, key): float(value) for key, value in metrics.items() if isinstance(value, Real)}
    return {name: value if math.isfinite(value) and value >= 0 else None for name, value in numbers.items()}


def lower_is_better(name: str) -> bool:
    """Return True if a lower value of a metric is better, as for errors. Unknown metrics are better if higher.

    Args:
        name: As :func:`named` gives it, with a prefix of the evaluator or data set ('crowd_human/mMR') or without.
    """
    last = name.rpartition('/')[2].partition('@')[0]
    return last in _LOWER_IS_BETTER or last.partition('_')[0] in _PER_ACTION


def in_per_cent(name: str, value: float) -> float:
    """A value of a record as tables show it: AP and AR are fractions, all others as their evaluators have them."""
    return 100 * value if _FRACTION.fullmatch(name) else value
