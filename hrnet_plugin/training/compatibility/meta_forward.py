"""Shapes of a module's outputs, computed without data."""

from __future__ import annotations

import copy
import random
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from hrnet_plugin.training.compatibility.origin import is_known

if TYPE_CHECKING:
    from hrnet_plugin.config_types import ConfigValue

_IMAGE_SIZE = 2048  # a multiple of all strides
# operators that fail for wrong channels or wrong strides; a leading or trailing '_' is ignored
_COMBINING = {'add', 'iadd', 'radd', 'cat'}
_CHECKING = {'conv2d', 'linear', *_COMBINING}


class _Operators(TorchFunctionMode):
    """Context that records the operator and its inputs where an error was raised."""

    error: Exception | None = None
    name = ''
    inputs: tuple[object, ...] = ()

    def __torch_function__(self, func: Callable[..., object], types: Iterable[type], args: tuple[object, ...] = (),
                           kwargs: Mapping[str, ConfigValue] | None = None) -> object:
        try:
            return func(*args, **(kwargs or {}))
        except Exception as error:
            self.error, self.name, self.inputs = error, getattr(func, '__name__', '').strip('_'), args
            raise

    def failed_for_shape(self, error: Exception) -> bool:
        """Return True if an error means that channels or strides of the feature maps are wrong."""
        # NotImplementedError is a RuntimeError
        if type(error) is not RuntimeError or error is not self.error or ' meta' in str(error):
            return False
        # a parameter of fixed size fits other images than the one of this test
        fixed = any(isinstance(value, nn.Parameter) for value in self.inputs)
        return self.name in _CHECKING and not (fixed and self.name in _COMBINING)


def output_shapes(module: nn.Module, channels: Sequence[int], strides: Sequence[int]
                  ) -> tuple[tuple[int, ...], tuple[int, ...] | None] | None:
    """Return channels and strides of the feature maps that a module computes.

    A copy of the module runs on the meta device. Neither the module nor the random number generators change.

    Args:
        module: Module that maps a sequence of feature maps to another one.
        channels: Channels of each input.
        strides: Stride of each input.

    Returns:
        Channels and strides of each output. The strides are None if one is not an integer. None for modules of other
        packages, for those with hooks, and for those with operators that do not support the meta device.

    Raises:
        ValueError: If the module cannot process the number or the channels of the inputs. The message is the reason.
    """
    if not all(_can_run(part) for part in module.modules()):
        return None
    operators = _Operators()
    with _kept_random_numbers(), torch.no_grad(), torch.device('meta'), operators:
        inputs = tuple(torch.empty(2, width, _IMAGE_SIZE // stride, _IMAGE_SIZE // stride)
                       for width, stride in zip(channels, strides))
        try:
            outs = _meta_copy(module)(inputs)
        except Exception as error:
            if operators.failed_for_shape(error) or (error is not operators.error and _failed_for_number(error)):
                raise ValueError(_reason(error)) from None
            return None
    return _shapes(outs)


def _can_run(module: nn.Module) -> bool:
    """Return True unless user code may run with a module, which may have side effects."""
    return is_known(module) and 'forward' not in vars(module) and not (
        module._forward_hooks or module._forward_pre_hooks)


@contextmanager
def _kept_random_numbers() -> Iterator[None]:
    """Restore the states of the random number generators of Python, NumPy and torch at the end."""
    python, numpy = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)


def _meta_copy(module: nn.Module) -> nn.Module:
    """Return a copy in eval mode with parameters and buffers on the meta device."""
    parameters = {id(tensor): nn.Parameter(torch.empty_like(tensor, device='meta'), requires_grad=False)
                  for tensor in module.parameters()}
    buffers = {id(tensor): torch.empty_like(tensor, device='meta') for tensor in module.buffers()}
    # deepcopy takes an object with this id from its memo, and copies all others
    return copy.deepcopy(module, dict(chain(parameters.items(), buffers.items()))).eval()


def _failed_for_number(error: Exception) -> bool:
    """Return True if an error means that the number of inputs is wrong."""
    # host necks compare it by 'assert len(inputs) == ...'
    return isinstance(error, IndexError) or (isinstance(error, AssertionError)
                                             and _failed_line(error).startswith('assert len('))


def _failed_line(error: Exception) -> str:
    return traceback.extract_tb(error.__traceback__)[-1].line or ''


def _reason(error: Exception) -> str:
    """Return the first line of an error, or the line of code of an error without message."""
    return str(error).split('\n')[0] or f'{type(error).__name__} at "{_failed_line(error)}"'


def _shapes(outs: Tensor | Sequence[Tensor]) -> tuple[tuple[int, ...], tuple[int, ...] | None] | None:
    outs = [outs] if isinstance(outs, Tensor) else outs
    if not isinstance(outs, (list, tuple)) or not outs or any(
            not isinstance(out, Tensor) or out.dim() != 4 or not out.size(2) for out in outs):
        return None
    exact = all(_IMAGE_SIZE % out.size(2) == 0 for out in outs)
    return (tuple(out.size(1) for out in outs),
            tuple(_IMAGE_SIZE // out.size(2) for out in outs) if exact else None)
