"""Criterion of flat memory for a long run.

The first quarter of the operations is the warm-up, in which caches fill. The slope of the others is fitted to the means
of 20 blocks, because neighboring samples are not independent. Memory is flat unless

- the 95 % confidence interval of the slope is above 0, and
- the growth over the measured operations is more than 3 % of their mean.

File descriptors and threads have medians in the second and in the last quarter of all operations. They are flat if the
difference is at most 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

WARM_UP, BLOCKS = 0.25, 20
MOST_GROWTH = 0.03
MOST_NEW_HANDLES = 4
_T = 2.101  # 97.5 % quantile of Student's t with BLOCKS - 2 degrees of freedom


@dataclass(frozen=True)
class Slope:
    """Growth of a series after its warm-up.

    Attributes:
        per_operation: Slope, in the unit of the series per operation.
        margin: Half of the width of its 95 % confidence interval.
        growth: Fitted growth over the measured operations, relative to their mean.
    """
    per_operation: float
    margin: float
    growth: float

    @property
    def is_flat(self) -> bool:
        """True if the growth is small, or may be zero."""
        return self.per_operation - self.margin <= 0 or self.growth <= MOST_GROWTH


def fit_slope(values: Sequence[float]) -> Slope:
    """Fit the slope of a series, one value per operation.

    Raises:
        ValueError: If there are fewer values than blocks after the warm-up.
    """
    measured = np.asarray(values[int(len(values) * WARM_UP):], float)
    if len(measured) < BLOCKS:
        raise ValueError(f'values must have at least {int(BLOCKS / (1 - WARM_UP)) + 1} entries, got {len(values)}')
    blocks = np.array_split(measured, BLOCKS)
    y = np.array([block.mean() for block in blocks])
    ends = np.cumsum([len(block) for block in blocks])
    x = ends - np.array([len(block) for block in blocks]) / 2
    centered = x - x.mean()
    spread = (centered**2).sum()
    slope = float(centered @ y / spread)
    residuals = y - y.mean() - slope * centered
    error = float(np.sqrt(residuals @ residuals / (BLOCKS - 2) / spread))
    mean = float(measured.mean())
    return Slope(slope, _T * error, slope * len(measured) / mean if mean else 0.)


def has_constant_level(values: Sequence[int]) -> bool:
    """Return True if a count of handles, one value per operation, does not grow after the warm-up."""
    quarter = max(1, len(values) // 4)
    second = values[quarter:2 * quarter] or values
    return median(values[-quarter:]) - median(second) <= MOST_NEW_HANDLES
