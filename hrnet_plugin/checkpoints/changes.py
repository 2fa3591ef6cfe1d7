"""Numbers that differ between two layouts of the same function, and the way there and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass

import torch
from torch import Tensor

from hrnet_plugin.checkpoints.rules import matches_any

_EPS = 1e-5


@dataclass(frozen=True)
class Change:
    """A function of one tensor.

    Args:
        names: Templates of the names, in the family's layout.
        forward, backward: From the family's values to ours and back; the latter may invent what the former leaves out.
    """

    names: tuple[str, ...]
    forward: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor], Tensor]

    def applies(self, name: str) -> bool:
        return matches_any(self.names, name)


def last_to_first(tensor: Tensor) -> Tensor:
    """The last class becomes the first."""
    return tensor.roll(1, 0)


def first_to_last(tensor: Tensor) -> Tensor:
    """The first class, which was the background, becomes the last."""
    return tensor.roll(-1, 0)


def without_first(rows: int) -> Callable[[Tensor], Tensor]:
    """Without the first class, of which a tensor has ``rows`` rows; as it is if that is all there is (no classes)."""
    return lambda tensor: tensor[rows:] if tensor.size(0) > rows else tensor


def with_first(rows: int) -> Callable[[Tensor], Tensor]:
    """With a first class of zeros before the others, which is never read; as it is if there are no classes."""
    return lambda tensor: (torch.cat([tensor.new_zeros(rows, *tensor.shape[1:]), tensor])
                           if tensor.size(0) > rows else tensor)


def in_place_scale(tensor: Tensor) -> Tensor:
    """What in-place activated batch norms scale by, where they store ``tensor``."""
    return tensor.abs() + _EPS if tensor.dim() == 1 else tensor


def no_axis(tensor: Tensor) -> Tensor:
    """A number, from a list of one."""
    return tensor.reshape(())


def one_axis(tensor: Tensor) -> Tensor:
    """A list of one number."""
    return tensor.reshape(1)


def unchanged(tensor: Tensor) -> Tensor:
    return tensor


def absorb(tensors: MutableMapping[str, Tensor], kept: MutableMapping[str, Tensor], bias: str, mean: str) -> None:
    """Take a convolution's bias out of a state dict: the norm behind it subtracts so much less.

    Exactly the same function: in training, too, where the mean of a batch takes the bias off.
    """
    if bias in tensors and mean in tensors:
        kept[bias], kept[mean] = tensors.pop(bias), tensors[mean]
        tensors[mean] = kept[mean] - kept[bias]


def release(tensors: MutableMapping[str, Tensor], kept: Mapping[str, Tensor], bias: str, mean: str) -> None:
    """Put the bias back: the kept one if the mean still is what it made of it, else zeros, which change nothing."""
    if mean not in tensors or bias in tensors:
        return
    if bias in kept and mean in kept and torch.equal(kept[mean] - kept[bias], tensors[mean]):
        tensors[bias], tensors[mean] = kept[bias], kept[mean]
    else:
        tensors[bias] = torch.zeros_like(tensors[mean])
