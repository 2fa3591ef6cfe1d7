"""Convolutions for inference: prepacked weights, and fused residual sum and ReLU if possible."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hrnet_plugin.execution.memory_format import to_channels_last

# per convolution: prepacked copies of the weight, and input shapes with a known copy
_MAX_COPIES, _MAX_SHAPES = 8, 256

_Ints = list[int] | tuple[int, ...]


Conv = Callable[..., Tensor]


@dataclass(frozen=True)
class ConvWeights:
    """Weight, bias and geometry of a convolution."""
    weight: Tensor
    bias: Tensor | None
    stride: tuple[int, ...] = (1, 1)
    padding: tuple[int, ...] = (0, 0)
    dilation: tuple[int, ...] = (1, 1)
    groups: int = 1

    @classmethod
    def of(cls, conv: nn.Conv2d) -> ConvWeights:
        """Return weight, bias and geometry of a ``nn.Conv2d``.

        Raises:
            ValueError: If its padding is a string.
        """
        if isinstance(conv.padding, str):
            raise ValueError(f'padding must be numbers, got {conv.padding!r}')
        return cls(conv.weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups)


class PackedConv:
    """Convolution with constant weights, for all devices and dtypes.

    Args:
        conv: Weights and geometry.
        dtype: Data type of the feature maps.
    """

    def __init__(self, conv: ConvWeights, dtype: torch.dtype) -> None:
        self.weight = to_channels_last(conv.weight.detach().to(dtype))
        self.bias = None if conv.bias is None else conv.bias.detach().to(dtype)
        self.geometry: tuple[_Ints, _Ints, _Ints, int] = (conv.stride, conv.padding, conv.dilation, conv.groups)

    def __call__(self, x: Tensor, residual: Tensor | None = None, relu: bool = False) -> Tensor:
        """Compute ``conv(x) + residual``, then ReLU if ``relu``. May overwrite ``residual``."""
        out = F.conv2d(x, self.weight, self.bias, *self.geometry)
        if residual is not None:
            out = residual.add_(out) if residual.shape == out.shape else residual + out
        return out.relu_() if relu else out


class OneDnnConv(PackedConv):
    """Convolution in float32 on CPUs by oneDNN, with fused sum and ReLU.

    The weight layout that oneDNN prefers depends on the input shape. A weight in another layout is reordered at every
    call, which takes several times as long as a small convolution. Input shapes with the same layout share a copy.
    """

    def __init__(self, conv: ConvWeights, dtype: torch.dtype) -> None:
        super().__init__(conv, dtype)
        self.geometry = (list(conv.padding), list(conv.stride), list(conv.dilation), conv.groups)
        self._by_shape: dict[torch.Size, tuple[Tensor, torch.Size]] = {}
        self._by_layout: dict[torch.Size | bytes, Tensor] = {}

    def __call__(self, x: Tensor, residual: Tensor | None = None, relu: bool = False) -> Tensor:
        weight, out_shape = self._by_shape.get(x.shape) or self._prepacked(x.shape)
        if residual is None:
            return torch.ops.mkldnn._convolution_pointwise(
                x, weight, self.bias, *self.geometry, 'relu' if relu else 'none', [], '')
        if residual.shape != out_shape:
            out = residual + self(x)
            return out.relu_() if relu else out
        # the out-of-place variant would copy the residual first
        return torch.ops.mkldnn._convolution_pointwise_.binary(
            residual, x, weight, self.bias, *self.geometry, 'add', 1.0, 'relu' if relu else None, [], None)

    def _prepacked(self, shape: torch.Size) -> tuple[Tensor, torch.Size]:
        """Return the weight in the layout for an input shape, and the output's shape."""
        reorder: Any = torch._C._nn.mkldnn_reorder_conv2d_weight
        weight = reorder(self.weight.to_mkldnn(), *self.geometry, list(shape))
        describe = getattr(torch.ops.mkldnn, '_get_mkldnn_serialized_md', None)
        layout = shape if describe is None else bytes(describe(weight).tolist())
        is_new = layout not in self._by_layout
        if (is_new and len(self._by_layout) >= _MAX_COPIES) or len(self._by_shape) >= _MAX_SHAPES:
            self._by_layout.clear()
            self._by_shape.clear()
        found = self._by_layout.setdefault(layout, weight), self._out_shape(shape)
        self._by_shape[shape] = found
        return found

    def _out_shape(self, shape: torch.Size) -> torch.Size:
        weight = self.weight.to('meta')
        padding, stride, dilation, groups = self.geometry
        return F.conv2d(torch.empty(shape, device='meta'), weight, None, stride, padding, dilation, groups).shape


def packed_conv_class(device: torch.device, dtype: torch.dtype) -> type[PackedConv]:
    """Return the fastest convolution for feature maps of a device and dtype."""
    onednn = torch.backends.mkldnn
    if device.type == 'cpu' and dtype == torch.float32 and onednn.is_available() and onednn.enabled and onednn_fuses():
        return OneDnnConv
    return PackedConv


@cache
def onednn_fuses() -> bool:
    """Return True if the private torch operators of :class:`OneDnnConv` exist and compute correct results."""
    def values(*shape: int) -> Tensor:
        # deterministic, so that the user's random state does not change
        return torch.arange(math.prod(shape), dtype=torch.float32, device='cpu').sin().view(shape)

    with torch.no_grad():
        conv = ConvWeights(values(8, 4, 3, 3), values(8), padding=(1, 1))
        x, residual = to_channels_last(values(1, 4, 9, 9)), to_channels_last(values(1, 8, 9, 9))
        plain = PackedConv(conv, torch.float32)
        expected = [plain(x, relu=True), plain(x, residual.clone(), relu=True)]
        try:
            fused = OneDnnConv(conv, torch.float32)
            got = [fused(x, relu=True), fused(x, residual.clone(), relu=True)]
        except (AttributeError, RuntimeError, TypeError):  # raised by operators whose schema has changed
            return False
        return all(torch.allclose(a, b, rtol=1e-4, atol=1e-4) for a, b in zip(got, expected))
