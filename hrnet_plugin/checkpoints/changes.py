"""Changes of tensor values between two layouts of the same function, in both directions."""

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
    """Function of one tensor, and its inverse.

    Args:
        names: Templates of the keys in the family's layout.
        forward: Function from the family's value to ours.
        backward: Function from our value to the family's. It may invent what ``forward`` drops.
    """

    names: tuple[str, ...]
    forward: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor], Tensor]

    def applies(self, name: str) -> bool:
        """Return True if the change is for this key."""
        return matches_any(self.names, name)


def apply_changes(tensors: Mapping[str, Tensor], changes: Sequence[Change],
                  kept: MutableMapping[str, Tensor]) -> OrderedDict[str, Tensor]:
    """Return our values for the family's, by the first change that applies to each key.

    A value that the change back does not restore bit by bit is added to ``kept``.
    """
    return OrderedDict((name, _apply(_change_of(name, changes), name, tensor, kept))
                       for name, tensor in tensors.items())


def revert_changes(tensors: Mapping[str, Tensor], changes: Sequence[Change],
                   kept: Mapping[str, Tensor]) -> OrderedDict[str, Tensor]:
    """Return the family's values for ours: the one in ``kept`` if it still gives our value, else a computed one.

    Args:
        tensors: Our values under the family's keys.
        changes: The first that applies to a key is reverted.
        kept: Values that :func:`apply_changes` added.
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
    # the kept value is outdated if the tensor was trained since
    return kept[name] if name in kept and _same(change.forward(kept[name]), tensor) else change.backward(tensor)


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and torch.equal(a, b)


def last_to_first(tensor: Tensor) -> Tensor:
    """Move the last class to the front."""
    return tensor.roll(1, 0)


def first_to_last(tensor: Tensor) -> Tensor:
    """Move the first class, the background, to the end."""
    return tensor.roll(-1, 0)


def without_first(rows: int) -> Callable[[Tensor], Tensor]:
    """Return a function that removes the first class.

    Args:
        rows: Rows per class. A tensor with no more rows has no classes and is not changed.
    """
    return lambda tensor: tensor[rows:] if tensor.size(0) > rows else tensor


def with_first(rows: int) -> Callable[[Tensor], Tensor]:
    """Return a function that inserts a first class of zeros, which nothing reads.

    Args:
        rows: Rows per class. A tensor with no more rows has no classes and is not changed.
    """
    return lambda tensor: (torch.cat([tensor.new_zeros(rows, *tensor.shape[1:]), tensor])
                           if tensor.size(0) > rows else tensor)


def in_place_scale(tensor: Tensor) -> Tensor:
    """Return the scale that in-place activated batch norms apply for a stored weight."""
    return tensor.abs() + _EPS if tensor.dim() == 1 else tensor


def no_axis(tensor: Tensor) -> Tensor:
    """Reshape a tensor of one element to shape ()."""
    return tensor.reshape(())


def one_axis(tensor: Tensor) -> Tensor:
    """Reshape a tensor of one element to shape (1,)."""
    return tensor.reshape(1)


def unchanged(tensor: Tensor) -> Tensor:
    """Return the tensor."""
    return tensor


def fold_bias(tensors: MutableMapping[str, Tensor], kept: MutableMapping[str, Tensor], bias: str, mean: str) -> None:
    """Fold a convolution's bias into the running mean of the following norm, and keep both values.

    The function is the same, in training mode too: there, the batch mean cancels the bias.
    """
    if bias in tensors and mean in tensors:
        kept[bias], kept[mean] = tensors.pop(bias), tensors[mean]
        tensors[mean] = kept[mean] - kept[bias]


def unfold_bias(tensors: MutableMapping[str, Tensor], kept: Mapping[str, Tensor], bias: str, mean: str) -> None:
    """Restore the bias and the mean that :func:`fold_bias` kept. If the mean was trained since, the bias is zero."""
    if mean not in tensors or bias in tensors:
        return
    if bias in kept and mean in kept and torch.equal(kept[mean] - kept[bias], tensors[mean]):
        tensors[bias], tensors[mean] = kept[bias], kept[mean]
    else:
        tensors[bias] = torch.zeros_like(tensors[mean])
