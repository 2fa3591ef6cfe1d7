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


def in_per_cent(name: str, value: float) -> float:
    """A value of a record as tables show it: AP and AR are fractions, all others as their evaluators have them."""
    return 100 * value if _FRACTION.fullmatch(name) else value
