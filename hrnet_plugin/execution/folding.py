"""Folding of batch norms with fixed statistics into the convolutions before them.

With fixed statistics a batch norm multiplies each channel by a number and adds another one. Multiplying the weights
instead is the same function, with the same gradients. It costs a pass over the weights instead of one over the feature
map, and the convolution's output is not kept for the backward pass.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from hrnet_plugin.execution.memory_format import prefers_channels_last, to_channels_last, to_contiguous
from hrnet_plugin.models.layers.execution import EXECUTIONS, Execution, finish
from hrnet_plugin.models.layers.module_checks import has_hooks, is_plain_conv
from hrnet_plugin.tracing import is_tracing

# Largest weight that is folded at each call. HRNet's larger ones are at low resolutions, where feature maps are small.
_MAX_FOLDED = 1 << 17


class FixedNorm(Protocol):
    """Batch norm with running statistics, as far as folding reads it."""

    weight: Tensor | None
    bias: Tensor | None
    running_mean: Tensor
    running_var: Tensor
    eps: float


@EXECUTIONS.register_module(name='folded')
class FoldedExecution(Execution):
    """Execution that folds norms where nobody can tell, in the preferred memory format."""

    def conv_norm_act(self, conv: nn.Module, norm: nn.Module, act: nn.Module | None, x: Tensor,
                      residual: Tensor | None = None) -> Tensor:
        """As :meth:`Execution.conv_norm_act`."""
        pair = foldable(conv, norm)
        return finish(norm(conv(x)) if pair is None else folded_conv(*pair, x), act, residual)

    def run(self, function: Callable[[Sequence[Tensor]], Sequence[Tensor]], inputs: Sequence[Tensor],
            plain_convs: bool) -> Sequence[Tensor]:
        """As :meth:`Execution.run`; of contiguous inputs the outputs are contiguous."""
        if is_tracing() or not (plain_convs and all(map(prefers_channels_last, inputs))):
            return function(inputs)
        return [to_contiguous(out) for out in function([to_channels_last(x) for x in inputs])]


def folds(conv: nn.Module, norm: nn.Module) -> bool:
    """Return True if an eager network folds these modules."""
    return foldable(conv, norm) is not None


def foldable(conv: nn.Module, norm: nn.Module) -> tuple[nn.Conv2d, FixedNorm] | None:
    """Return the modules if an eager network folds them, by type, mode, hooks and size of the weight, else None."""
    if is_tracing() or not is_plain_conv(conv):
        return None
    fixed = norm if has_fixed_statistics(norm) else None
    if fixed is None or conv.weight.numel() > _MAX_FOLDED or has_hooks(conv) or has_hooks(norm):
        return None
    return conv, fixed


def folded_conv(conv: nn.Conv2d, norm: FixedNorm, x: Tensor) -> Tensor:
    """Compute ``norm(conv(x))`` by one convolution; autograd reaches the parameters of both."""
    weight, bias = fold(conv.weight, conv.bias, norm)
    return F.conv2d(x, weight, bias, conv.stride, conv.padding, conv.dilation, conv.groups)


def fold(weight: Tensor, bias: Tensor | None, norm: FixedNorm) -> tuple[Tensor, Tensor]:
    """Fold a batch norm into the weight and bias of the preceding convolution."""
    scale = torch.rsqrt(norm.running_var + norm.eps)
    if norm.weight is not None:
        scale = scale * norm.weight
    shift = norm.running_mean if bias is None else norm.running_mean - bias
    folded = -shift * scale if norm.bias is None else norm.bias - shift * scale
    return weight * scale.to(weight.dtype).view(-1, 1, 1, 1), folded.to(weight.dtype)


def is_batch_norm(norm: nn.Module) -> TypeGuard[_BatchNorm]:
    """Return True if a norm computes what torch's batch norm does, not what a subclass has in its place."""
    return (isinstance(norm, _BatchNorm) and type(norm).forward in (_BatchNorm.forward, nn.SyncBatchNorm.forward)
            and 'forward' not in norm.__dict__)


def has_fixed_statistics(norm: nn.Module) -> TypeGuard[FixedNorm]:
    """Return True if a norm is a batch norm that uses its running statistics."""
    return is_batch_norm(norm) and not norm.training and norm.running_var is not None


def has_batch_statistics(norm: nn.Module) -> TypeGuard[_BatchNorm]:
    """Return True if a norm is a batch norm that computes the statistics of its input."""
    return is_batch_norm(norm) and (norm.training or norm.running_var is None)
