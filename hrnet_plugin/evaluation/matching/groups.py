"""Positions in groups of array entries."""

from __future__ import annotations

import numpy as np

from hrnet_plugin.array_types import Ints


def count_within(groups: Ints) -> Ints:
    """Count the entries of the same group before each entry. Entries of a group must be contiguous."""
    starts = np.flatnonzero(np.diff(groups, prepend=groups[:1] - 1))
    lengths = np.diff(np.append(starts, len(groups)))
    return np.arange(len(groups)) - np.repeat(starts, lengths)
