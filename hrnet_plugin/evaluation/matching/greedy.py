"""Greedy matching of many independent groups at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hrnet_plugin.array_types import Bools, Floats, Ints
from hrnet_plugin.evaluation.matching.groups import count_within
from hrnet_plugin.evaluation.matching.overlaps import Pairs


@dataclass(frozen=True)
class Assignment:
    """Objects that predictions match.

    Attributes:
        predictions: Indices of the predictions that match an object at any threshold, or that no free object was left
            for, shape (M,).
        objects: Index of the object at each threshold, or -1, shape (T, M).
    """

    predictions: Ints
    objects: Ints


def match_greedily(pairs: Pairs, groups: Ints, sequence: Ints, ignored: Bools, crowd: Bools,
                   thresholds: Floats) -> Assignment:
    """Match each prediction with the free object that overlaps most, as the COCO API does.

    The predictions of a group choose one after the other. An object is free until a prediction matches it, and a crowd
    is always free. Objects that count precede ignored ones. Of equal overlaps, the last object precedes. Groups are
    independent, so their first predictions choose at the same time, then their second ones.

    Args:
        pairs: Candidates. An object must have candidates of one group only.
        groups: Group of each prediction, shape (D,).
        sequence: Position of each prediction in an order in which groups are contiguous, shape (D,).
        ignored: True for ignored objects, shape (N,).
        crowd: True for crowds, shape (N,).
        thresholds: Minimum overlaps, shape (T,).
    """
    least = np.minimum(thresholds, 1 - 1e-10)  # as in the API
    pairs = pairs.select(pairs.overlap >= least.min(initial=1))
    pairs = pairs.select(np.lexsort((-pairs.object, -pairs.overlap, ignored[pairs.object],
                                     sequence[pairs.prediction])))
    choice = count_within(pairs.prediction)
    predictions = pairs.prediction[choice == 0]
    turn = count_within(groups[predictions])
    row = np.cumsum(choice == 0) - 1
    order = np.lexsort((choice, turn[row]))
    starts = np.flatnonzero(np.diff(turn[row][order], prepend=-1) | np.diff(choice[order], prepend=-1))
    found = np.full((len(predictions), len(least)), -1)
    taken = np.zeros((len(ignored), len(least)), bool)
    for step in np.split(order, starts[1:]):  # the same turn and choice of all groups
        rows, owners = row[step], pairs.object[step]
        match = (pairs.overlap[step, None] >= least) & (found[rows] < 0) & ~taken[owners]
        found[rows] = np.where(match, owners[:, None], found[rows])
        taken[owners] |= match & ~crowd[owners, None]
    return Assignment(predictions, found.T)
