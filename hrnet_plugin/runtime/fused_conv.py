"""A convolution with the norm behind it folded in, its weights prepared once, and what follows it in the same pass."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hrnet_plugin.models.layers.folding import folded, has_fixed_statistics, is_plain
from hrnet_plugin.models.layers.memory_format import channels_last

# of each convolution: copies of its weights that are kept, and shapes of which it is known which they want
_ORDERS, _SHAPES = 8, 256
_GAP = slice(108, 112)  # of oneDNN's description of a tensor; if it is another one, at worst more copies are kept


class NoFastForm(Exception):
    """A network has a layer that the fast form does not know; the message says which."""


@dataclass(frozen=True)
class Kernel:
    """Weights and geometry of a convolution, the norm behind it folded in."""
    weight: Tensor
    bias: Tensor | None
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int

    @classmethod
    def of(cls, conv: nn.Module, norm: nn.Module | None = None) -> Kernel:
        """Of modules.

        Raises:
            NoFastForm: If the convolution is not torch's own, or the norm not a batch norm with fixed statistics.
        """
        if not isinstance(conv, nn.Conv2d) or not is_plain(conv):
            raise NoFastForm(f'its convolutions have to be Conv2d, padded with zeros, and one is {type(conv).__name__}')
        if norm is not None and not has_fixed_statistics(norm):
            raise NoFastForm('its norms have to be batch norms in eval mode with running statistics, '
                             f'and one is {norm}')
        weight, bias = (conv.weight, conv.bias) if norm is None else folded(conv, norm)
        geometry: Any = conv
        return cls(weight.detach(), None if bias is None else bias.detach(), geometry.stride, geometry.padding,
                   geometry.dilation, geometry.groups)

    def of_inputs(self, start: int, stop: int, bias: bool) -> Kernel:
        """Of some of the input channels only, with the bias or without."""
        return replace(self, weight=self.weight[:, start:stop], bias=self.bias if bias else None)


class FusedConv:
    """Prepared weights; a call convolves, and adds and applies ReLU in the same pass where the machine can.

    This one works on all devices and in all precisions.

    Args:
        kernel: Weights and geometry.
        dtype: Of the maps.
    """

    def __init__(self, kernel: Kernel, dtype: torch.dtype) -> None:
        self.weight = channels_last(kernel.weight.to(dtype))
        self.bias = None if kernel.bias is None else kernel.bias.to(dtype)
        self.geometry: tuple[Any, ...] = (kernel.stride, kernel.padding, kernel.dilation, kernel.groups)

    def __call__(self, x: Tensor, relu: bool = False) -> Tensor:
        """A fresh map."""
        out = F.conv2d(x, self.weight, self.bias, *self.geometry)
        return out.relu_() if relu else out

    def add_to(self, total: Tensor, x: Tensor, relu: bool = False) -> Tensor:
        """Add what a call gives to ``total``, in place, apply ReLU to the sum where asked for, and return it."""
        out = total.add_(F.conv2d(x, self.weight, self.bias, *self.geometry))
        return out.relu_() if relu else out


class OneDnnConv(FusedConv):
    """On CPUs in single precision, by oneDNN: weights in its own order, sum and ReLU while the result is in cache.

    The order that oneDNN wants depends on the shape of the input, and weights in another one are turned at every call,
    which takes several times as long as small convolutions. Shapes that want the same order share the weights.
    """

    def __init__(self, kernel: Kernel, dtype: torch.dtype) -> None:
        super().__init__(kernel, dtype)
        self.geometry = (list(kernel.padding), list(kernel.stride), list(kernel.dilation), kernel.groups)
        self._of_shape: dict[torch.Size, Tensor] = {}
        self._of_order: dict[Any, Tensor] = {}

    def __call__(self, x: Tensor, relu: bool = False) -> Tensor:
        return torch.ops.mkldnn._convolution_pointwise(
            x, self._ordered(x), self.bias, *self.geometry, 'relu' if relu else 'none', [], '')

    def add_to(self, total: Tensor, x: Tensor, relu: bool = False) -> Tensor:
        # The variant that is not in place would copy the total first.
        return torch.ops.mkldnn._convolution_pointwise_.binary(
            total, x, self._ordered(x), self.bias, *self.geometry, 'add', 1.0, 'relu' if relu else None, [], None)

    def _ordered(self, x: Tensor) -> Tensor:
        weight = self._of_shape.get(x.shape)
        if weight is None:
            turn: Any = torch._C._nn.mkldnn_reorder_conv2d_weight
            weight = turn(self.weight.to_mkldnn(), *self.geometry, list(x.shape))
            order = _order(weight, x.shape)
            new = order not in self._of_order
            if (new and len(self._of_order) >= _ORDERS) or len(self._of_shape) >= _SHAPES:
                self._of_order.clear()
                self._of_shape.clear()
            weight = self._of_shape[x.shape] = self._of_order.setdefault(order, weight)
        return weight


def _order(weight: Tensor, shape: torch.Size) -> Any:
    """What is equal for weights in the same order: oneDNN's description, or the shape where torch does not give it."""
    describe = getattr(torch.ops.mkldnn, '_get_mkldnn_serialized_md', None)
    if describe is None:
        return shape
    description = bytearray(describe(weight).tolist())
    # nobody writes the bytes between the type of the values, an int, and the padded sizes, which are longer
    description[_GAP] = bytes(4)
    return bytes(description)


def fused_conv(device: torch.device, dtype: torch.dtype) -> type[FusedConv]:
    """What is quickest for maps on a device."""
    onednn = torch.backends.mkldnn
    if device.type == 'cpu' and dtype == torch.float32 and onednn.is_available() and onednn.enabled and onednn_fuses():
        return OneDnnConv
    return FusedConv


@cache
def onednn_fuses() -> bool:
    """Whether torch has the operators that :class:`OneDnnConv` calls, which are no part of its public interface."""
    def values(*shape: int) -> Tensor:
        # not random ones: a run's own random numbers are to stay the same
        return torch.arange(math.prod(shape), dtype=torch.float32, device='cpu').sin().view(shape)

    with torch.no_grad():
        kernel = Kernel(values(8, 4, 3, 3), values(8), (1, 1), (1, 1), (1, 1), 1)
        x, total = channels_last(values(1, 4, 9, 9)), channels_last(values(1, 8, 9, 9))
        plain = FusedConv(kernel, torch.float32)
        expected = [plain(x, relu=True), plain.add_to(total.clone(), x, relu=True)]
        try:
            fused = OneDnnConv(kernel, torch.float32)
            got = [fused(x, relu=True), fused.add_to(total.clone(), x, relu=True)]
        except (AttributeError, RuntimeError, TypeError):  # what calling an operator that has changed may raise
            return False
        return all(torch.allclose(a, b, rtol=1e-4, atol=1e-4) for a, b in zip(got, expected))
