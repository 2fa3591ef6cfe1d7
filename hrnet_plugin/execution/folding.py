"""Folding of frozen batch norms into the preceding convolutions.

A frozen batch norm is a scale and a shift per channel. Scaling the convolution's weights instead gives the same outputs
and gradients. It reads the weights once more instead of the feature map, and autograd does not save the convolution's
output.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.modules.batchnorm import _BatchNorm

from hrnet_plugin.execution.memory_format import prefers_channels_last, to_channels_last, to_contiguous
from hrnet_plugin.models.layers.execution import EXECUTIONS, Execution, add_and_activate
from hrnet_plugin.models.layers.module_checks import has_hooks, is_plain_conv
from hrnet_plugin.tracing import is_tracing

# Number of elements up to which weights are folded. Larger ones of HRNet belong to low resolutions, where feature maps
# are smaller than the weights.
_MAX_FOLDED = 1 << 17


class FrozenNorm(Protocol):
    """Attributes of a frozen batch norm that folding reads."""

    weight: Tensor | None
    bias: Tensor | None
    running_mean: Tensor
    running_var: Tensor
    eps: float


@EXECUTIONS.register_module(name='folded')
class FoldedExecution(Execution):
    """Execution that folds frozen batch norms if no hook or tracer is affected, in the faster memory format."""

    def conv_norm_act(self, conv: nn.Module, norm: nn.Module, act: nn.Module | None, x: Tensor,
                      residual: Tensor | None = None) -> Tensor:
        """Apply convolution, norm, residual sum and activation. See :meth:`Execution.conv_norm_act`."""
        pair = foldable(conv, norm)
        return add_and_activate(norm(conv(x)) if pair is None else folded_conv(*pair, x), act, residual)

    def run(self, function: Callable[[Sequence[Tensor]], Sequence[Tensor]], inputs: Sequence[Tensor],
            plain_convs: bool) -> Sequence[Tensor]:
        """Run a function of feature maps. The outputs are contiguous if the inputs are. See :meth:`Execution.run`."""
        if is_tracing() or not (plain_convs and all(map(prefers_channels_last, inputs))):
            return function(inputs)
        return [to_contiguous(out) for out in function([to_channels_last(x) for x in inputs])]


def can_fold(conv: nn.Module, norm: nn.Module) -> bool:
    """Return True if the eager network folds ``norm`` into ``conv``."""
    return foldable(conv, norm) is not None


def foldable(conv: nn.Module, norm: nn.Module) -> tuple[nn.Conv2d, FrozenNorm] | None:
    """Return the modules if the eager network folds them, else None. Depends on types, mode, hooks and weight size."""
    if is_tracing() or not is_plain_conv(conv):
        return None
    frozen = norm if is_frozen_batch_norm(norm) else None
    if frozen is None or conv.weight.numel() > _MAX_FOLDED or has_hooks(conv) or has_hooks(norm):
        return None
    return conv, frozen


def folded_conv(conv: nn.Conv2d, norm: FrozenNorm, x: Tensor) -> Tensor:
    """Compute ``norm(conv(x))`` by one convolution. Gradients reach the parameters of both modules."""
    weight, bias = fold(conv.weight, conv.bias, norm)
    return F.conv2d(x, weight, bias, conv.stride, conv.padding, conv.dilation, conv.groups)


def fold(weight: Tensor, bias: Tensor | None, norm: FrozenNorm) -> tuple[Tensor, Tensor]:
    """Fold a batch norm into the weight and bias of the preceding convolution."""
    scale = torch.rsqrt(norm.running_var + norm.eps)
    if norm.weight is not None:
        scale = scale * norm.weight
    shift = norm.running_mean if bias is None else norm.running_mean - bias
    folded = -shift * scale if norm.bias is None else norm.bias - shift * scale
    return weight * scale.to(weight.dtype).view(-1, 1, 1, 1), folded.to(weight.dtype)


def is_batch_norm(norm: nn.Module) -> TypeGuard[_BatchNorm]:
    """Return True if a norm is a batch norm whose forward is not overridden."""
    return (isinstance(norm, _BatchNorm) and type(norm).forward in (_BatchNorm.forward, nn.SyncBatchNorm.forward)
            and 'forward' not in norm.__dict__)


def is_frozen_batch_norm(norm: nn.Module) -> TypeGuard[FrozenNorm]:
    """Return True if a norm is a batch norm that uses its running statistics."""
    return is_batch_norm(norm) and not norm.training and norm.running_var is not None


def has_batch_statistics(norm: nn.Module) -> TypeGuard[_BatchNorm]:
    """Return True if a norm is a batch norm that computes the statistics of its input."""
    return is_batch_norm(norm) and (norm.training or norm.running_var is None)
