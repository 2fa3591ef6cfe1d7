"""Shapes of a module's outputs, computed without data."""

from __future__ import annotations

import re
import traceback
from collections.abc import Sequence
from itertools import chain

import torch
from torch import Tensor, nn
from torch.func import functional_call

from hrnet_plugin.hosts import HOSTS

_IMAGE_SIZE = 2048  # a multiple of all strides
# errors for wrong shapes; other errors mean that an operator does not support the device
_WRONG_SHAPE = re.compile(r'channels|size of tensor|sizes of tensors|shape|dimension', re.IGNORECASE)


def is_host_module(module: nn.Module) -> bool:
    """Return True if a module is of a host, or derived from one."""
    return any(host.owns(module) for host in HOSTS.values())


def output_shapes(module: nn.Module, channels: Sequence[int], strides: Sequence[int]
                  ) -> tuple[tuple[int, ...], tuple[int, ...] | None] | None:
    """Return channels and strides of the feature maps that a module of a host computes.

    The module runs on the meta device. Its parameters, buffers and mode do not change.

    Args:
        module: Module that maps a sequence of feature maps to another one.
        channels: Channels of each input.
        strides: Stride of each input.

    Returns:
        Channels and strides of each output. The strides are None if one is not an integer. None for modules of other
        packages, and for those with operators that do not support the meta device.

    Raises:
        ValueError: If the module cannot process these inputs. The message is the reason.
    """
    if not is_host_module(module):
        return None  # the forward method of a user may have side effects
    state = {name: torch.empty_like(tensor, device='meta')
             for name, tensor in chain(module.named_parameters(), module.named_buffers())}
    inputs = tuple(torch.empty(2, width, _IMAGE_SIZE // stride, _IMAGE_SIZE // stride, device='meta')
                   for width, stride in zip(channels, strides))
    try:
        with torch.no_grad():
            outs = functional_call(module, state, (inputs, ))
    except (AssertionError, IndexError) as error:
        raise ValueError(_reason(error)) from None
    except Exception as error:
        if isinstance(error, RuntimeError) and _WRONG_SHAPE.search(str(error)):
            raise ValueError(_reason(error)) from None
        return None
    return _shapes(outs)


def _reason(error: Exception) -> str:
    """Return the first line of an error, or the line of code of an error without message."""
    text = str(error).split('\n')[0]
    return text or f'{type(error).__name__} at "{traceback.extract_tb(error.__traceback__)[-1].line}"'


def _shapes(outs: Tensor | Sequence[Tensor]) -> tuple[tuple[int, ...], tuple[int, ...] | None] | None:
    outs = [outs] if isinstance(outs, Tensor) else outs
    if not isinstance(outs, (list, tuple)) or not outs or any(
            not isinstance(out, Tensor) or out.dim() != 4 or not out.size(2) for out in outs):
        return None
    exact = all(_IMAGE_SIZE % out.size(2) == 0 for out in outs)
    return (tuple(out.size(1) for out in outs),
            tuple(_IMAGE_SIZE // out.size(2) for out in outs) if exact else None)
