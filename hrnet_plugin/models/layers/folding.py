"""A convolution and the norm behind it, as one convolution where the norm's statistics are fixed.

With fixed statistics a batch norm multiplies each channel by a number and adds another one. Multiplying the weights
instead is the same function, with the same gradients, for a pass over the weights in the place of one over the map;
and the map between the two, which the norm would keep for the backward pass, is never made.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules import module as torch_module
from torch.nn.modules.batchnorm import _BatchNorm

# newer than the oldest torch that the package takes; without it a compiler sees the folding, which is as right
_is_compiling = getattr(torch.compiler, 'is_compiling', lambda: False)
# torch's mappings of them, which it changes and never replaces
_GLOBAL_HOOKS = [getattr(torch_module, f'_global_{kind}_hooks') for kind in (
    'backward_pre', 'backward', 'forward_pre', 'forward')]


def folded_conv(conv: Any, norm: Any, x: Tensor) -> Tensor:
    """``norm(conv(x))`` by one convolution; autograd reaches the parameters of both."""
    weight, bias = folded(conv, norm)
    return F.conv2d(x, weight, bias, conv.stride, conv.padding, conv.dilation, conv.groups)


def folded(conv: Any, norm: Any) -> tuple[Tensor, Tensor]:
    """Weight and bias of the convolution that is a convolution and, behind it, a batch norm with fixed statistics."""
    scale = torch.rsqrt(norm.running_var + norm.eps)
    if norm.weight is not None:
        scale = scale * norm.weight
    shift = norm.running_mean if conv.bias is None else norm.running_mean - conv.bias
    bias = -shift * scale if norm.bias is None else norm.bias - shift * scale
    return conv.weight * scale.to(conv.weight.dtype).view(-1, 1, 1, 1), bias.to(conv.weight.dtype)


def is_batch_norm(norm: nn.Module) -> bool:
    """Whether a norm computes what torch's batch norm does, and not what a subclass has in its place."""
    return isinstance(norm, _BatchNorm) and type(norm).forward in (_BatchNorm.forward, nn.SyncBatchNorm.forward)


def has_fixed_statistics(norm: Any) -> bool:
    """Whether a norm is a batch norm that uses its running statistics."""
    return is_batch_norm(norm) and not norm.training and norm.running_var is not None


def has_batch_statistics(norm: Any) -> bool:
    """Whether a norm is a batch norm that computes the statistics of its input."""
    return is_batch_norm(norm) and (norm.training or norm.running_var is None)


def is_plain(conv: nn.Module) -> bool:
    """Whether a convolution is torch's own, padded with zeros."""
    return type(conv) is nn.Conv2d and conv.padding_mode == 'zeros'


def folds(conv: Any, norm: nn.Module, x: Tensor) -> bool:
    """Whether to fold here: it is the same function, it pays, and nobody watches the two modules.

    It pays where the map has more values than the weight. A compiler sees the modules as they are.
    """
    if not (is_plain(conv) and has_fixed_statistics(norm)) or is_traced() or is_watched(conv) or is_watched(norm):
        return False
    pixels = x.size(0) * x.size(2) * x.size(3) // (conv.stride[0] * conv.stride[1])
    return bool(pixels > conv.weight[0].numel())


def is_traced() -> bool:
    """Whether a compiler or a tracer, and not a user, runs the network."""
    return torch.jit.is_tracing() or _is_compiling()


def has_global_hooks() -> bool:
    """Return True if there are hooks of all modules. torch has a function for it only in newer versions."""
    return any(_GLOBAL_HOOKS)


def is_watched(module: nn.Module) -> bool:
    """Whether a module's call does more than its forward: hooks of its own, or of all modules."""
    return bool(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks
                or module._backward_pre_hooks or has_global_hooks())
