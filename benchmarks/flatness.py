"""Criteria of flat memory for a long run.

The first quarter of the measurements is the warm-up, in which caches fill. The slope of the others is fitted to the
means of 20 blocks, because neighboring measurements are not independent.

- A series has no leak if the upper end of the 95 % confidence interval of its slope is below a limit. A run that is too
  short to show this does not pass.
- A series is stationary unless its slope is above 0 with 95 % confidence, and it grows by more than 3 % of its mean.
- A number of file descriptors or threads has a constant level if its median grows by at most 1 after the warm-up. The
  second quarter of all measurements is compared with the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

WARM_UP, BLOCKS = 0.25, 20
MIN_VALUES = int(BLOCKS / (1 - WARM_UP)) + 1
#: Slopes per operation from which a series has a leak: 0.5 MB per 100 operations, and one object per operation.
LIMITS = dict(resident=0.005, allocated=0.005, objects=1.)
MOST_GROWTH = 0.03
MOST_NEW_HANDLES = 1
_T = 2.101  # 97.5 % quantile of Student's t with BLOCKS - 2 degrees of freedom


@dataclass(frozen=True)
class Slope:
    """Growth of a series after its warm-up.

    Attributes:
        slope: Slope, in the unit of the series per measurement.
        margin: Half of the width of its 95 % confidence interval.
        growth: Fitted growth after the warm-up, relative to the mean.
    """
    slope: float
    margin: float
    growth: float

    @property
    def is_stationary(self) -> bool:
        """True if the growth is small, or may be zero."""
        return self.slope - self.margin <= 0 or self.growth <= MOST_GROWTH

    def is_below(self, limit: float) -> bool:
        """Return True if the slope is below a limit with confidence."""
        return self.slope + self.margin < limit


def fit_slope(values: Sequence[float]) -> Slope:
    """Fit the slope of a series, one value per measurement.

    Raises:
        ValueError: If there are fewer values than blocks after the warm-up.
    """
    measured = np.asarray(values[int(len(values) * WARM_UP):], float)
    if len(measured) < BLOCKS:
        raise ValueError(f'values must have at least {MIN_VALUES} entries, got {len(values)}')
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
    """Return True if a count of handles, one value per measurement, does not grow after the warm-up."""
    quarter = max(1, len(values) // 4)
    second = values[quarter:2 * quarter] or values
    return median(values[-quarter:]) - median(second) <= MOST_NEW_HANDLES
