"""Conversions of tensor values between two layouts of the same module, in both directions."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from hrnet_plugin.checkpoints.rules import matches_any

_EPS = 1e-5


@dataclass(frozen=True)
class Change:
    """Conversion of one tensor, and its inverse.

    Args:
        names: Templates of the keys in the family's layout.
        forward: Function from the family's value to ours.
        backward: Function from our value to the family's. It fills in values that ``forward`` drops.
    """

    names: tuple[str, ...]
    forward: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor], Tensor]

    def applies(self, name: str) -> bool:
        """Return True if the change applies to a key."""
        return matches_any(self.names, name)


def apply_changes(tensors: Mapping[str, Tensor], changes: Sequence[Change],
                  kept: MutableMapping[str, Tensor]) -> OrderedDict[str, Tensor]:
    """Convert the family's values to ours by the first change that applies to each key.

    A value is added to ``kept`` if ``backward`` does not restore it bit by bit.
    """
    return OrderedDict((name, _apply(_change_of(name, changes), name, tensor, kept))
                       for name, tensor in tensors.items())


def revert_changes(tensors: Mapping[str, Tensor], changes: Sequence[Change],
                   kept: Mapping[str, Tensor]) -> OrderedDict[str, Tensor]:
    """Convert our values to the family's. A value in ``kept`` is used if ``forward`` still maps it to ours.

    Args:
        tensors: Our values under the family's keys.
        changes: Changes. For each key, the first one that applies is reverted.
        kept: Values that :func:`apply_changes` has added.
    """
    return OrderedDict((name, _revert(_change_of(name, changes), name, tensor, kept))
                       for name, tensor in tensors.items())


def _change_of(name: str, changes: Sequence[Change]) -> Change | None:
    return next((change for change in changes if change.applies(name)), None)


def _apply(change: Change | None, name: str, tensor: Tensor, kept: MutableMapping[str, Tensor]) -> Tensor:
    if change is None:
        return tensor
    changed = change.forward(tensor)
    if not _same(change.backward(changed), tensor):
        kept[name] = tensor
    return changed


def _revert(change: Change | None, name: str, tensor: Tensor, kept: Mapping[str, Tensor]) -> Tensor:
    if change is None:
        return tensor
    # if the tensor has been trained in between, the kept value is outdated
    return kept[name] if name in kept and _same(change.forward(kept[name]), tensor) else change.backward(tensor)


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and torch.equal(a, b)


def last_to_first(tensor: Tensor) -> Tensor:
    """Move the last class to the front."""
    return tensor.roll(1, 0)


def first_to_last(tensor: Tensor) -> Tensor:
    """Move the first class, the background, to the end."""
    return tensor.roll(-1, 0)


def drop_first_class(rows: int) -> Callable[[Tensor], Tensor]:
    """Return a function that removes the first class.

    Args:
        rows: Rows per class. A tensor with at most this many rows is class-agnostic and not changed.
    """
    return lambda tensor: tensor[rows:] if tensor.size(0) > rows else tensor


def insert_first_class(rows: int) -> Callable[[Tensor], Tensor]:
    """Return a function that inserts a first class of zeros, which is never read.

    Args:
        rows: Rows per class. A tensor with at most this many rows is class-agnostic and not changed.
    """
    return lambda tensor: (torch.cat([tensor.new_zeros(rows, *tensor.shape[1:]), tensor])
                           if tensor.size(0) > rows else tensor)


def in_place_scale(tensor: Tensor) -> Tensor:
    """Return the scale that an in-place activated batch norm (InPlaceABN) computes from its weight."""
    return tensor.abs() + _EPS if tensor.dim() == 1 else tensor


def to_scalar(tensor: Tensor) -> Tensor:
    """Reshape a tensor of one element to shape ()."""
    return tensor.reshape(())


def to_vector(tensor: Tensor) -> Tensor:
    """Reshape a tensor of one element to shape (1,)."""
    return tensor.reshape(1)


def identity(tensor: Tensor) -> Tensor:
    """Return the tensor unchanged."""
    return tensor


def fold_bias(tensors: MutableMapping[str, Tensor], kept: MutableMapping[str, Tensor], bias: str, mean: str) -> None:
    """Fold a convolution's bias into the running mean of the following norm, and store both values in ``kept``.

    The outputs do not change, also in training mode, where the batch mean cancels the bias.
    """
    if bias in tensors and mean in tensors:
        kept[bias], kept[mean] = tensors.pop(bias), tensors[mean]
        tensors[mean] = kept[mean] - kept[bias]


def unfold_bias(tensors: MutableMapping[str, Tensor], kept: Mapping[str, Tensor], bias: str, mean: str) -> None:
    """Restore bias and mean that :func:`fold_bias` has stored. If the mean has changed since, the bias is zero."""
    if mean not in tensors or bias in tensors:
        return
    if bias in kept and mean in kept and torch.equal(kept[mean] - kept[bias], tensors[mean]):
        tensors[bias], tensors[mean] = kept[bias], kept[mean]
    else:
        tensors[bias] = torch.zeros_like(tensors[mean])
