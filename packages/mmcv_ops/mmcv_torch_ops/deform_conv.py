"""Deformable convolution (DCN v1) on torchvision's operator."""

from __future__ import annotations

import torch
from torch import Tensor

from mmcv_torch_ops.backend import operators, widen
from mmcv_torch_ops.deform_columns import finite_offsets, image_chunks, sample_columns
from mmcv_torch_ops.eager import eager, nondeterministic


@eager
def deform_conv_forward(input: Tensor, weight: Tensor, offset: Tensor, output: Tensor, columns: Tensor, ones: Tensor,
                        kW: int, kH: int, dW: int, dH: int, padW: int, padH: int, dilationW: int, dilationH: int,
                        group: int, deformable_group: int, im2col_step: int) -> None:
    """Convolve a feature map that is sampled at offsets from the kernel's grid.

    Args:
        input: Feature map, shape (N, C, H, W).
        weight: Kernels, shape (O, C / group, kH, kW).
        offset: Offsets (y, x) in pixels, shape (N, 2 * deformable_group * kH * kW, OH, OW).
        output: Output, shape (N, O, OH, OW).
        columns: Not used.
        ones: Not used.
        kW, kH: Kernel size, that of ``weight``.
        dW, dH: Stride.
        padW, padH: Zero padding.
        dilationW, dilationH: Dilation.
        group: Number of convolution groups.
        deformable_group: Number of channel groups with separate offsets.
        im2col_step: Not used.
    """
    geometry = (dH, dW, padH, padW, dilationH, dilationW, group, deformable_group)
    for part in image_chunks(offset, weight, group):
        tensors = _operands(input[part], weight, offset[part])
        output[part].copy_(operators.deform_conv2d(*tensors, *geometry, False))


@eager
def deform_conv_backward_input(input: Tensor, offset: Tensor, gradOutput: Tensor, gradInput: Tensor,
                               gradOffset: Tensor, weight: Tensor, columns: Tensor, kW: int, kH: int, dW: int,
                               dH: int, padW: int, padH: int, dilationW: int, dilationH: int, group: int,
                               deformable_group: int, im2col_step: int) -> None:
    """Add the gradient of the feature map to ``gradInput`` and write that of the offsets to ``gradOffset``.

    ``gradOutput`` has the shape of the output, (N, O, OH, OW). The other arguments are those of
    ``deform_conv_forward``.
    """
    geometry = (dH, dW, padH, padW, dilationH, dilationW, group, deformable_group)
    for part in image_chunks(offset, weight, group):
        tensors = _operands(input[part], weight, offset[part])
        with nondeterministic(input.device):
            grads = operators._deform_conv2d_backward(widen(gradOutput[part]), *tensors, *geometry, False)
        gradInput[part].add_(grads[0])
        gradOffset[part].copy_(grads[2])


@eager
def deform_conv_backward_parameters(input: Tensor, offset: Tensor, gradOutput: Tensor, gradWeight: Tensor,
                                    columns: Tensor, ones: Tensor, kW: int, kH: int, dW: int, dH: int, padW: int,
                                    padH: int, dilationW: int, dilationH: int, group: int, deformable_group: int,
                                    scale: float, im2col_step: int) -> None:
    """Add the gradient of the kernels, times ``scale``, to ``gradWeight``.

    ``gradOutput`` has the shape of the output, (N, O, OH, OW). The other arguments are those of
    ``deform_conv_forward``.
    """
    geometry = (dH, dW, padH, padW, dilationH, dilationW)
    for part in image_chunks(offset, gradWeight, group):
        x, offsets = widen(input[part]), finite_offsets(widen(offset[part]))
        columns = sample_columns(x, offsets, (kH, kW), geometry, deformable_group)
        gradWeight.add_(_weight_gradient(columns, widen(gradOutput[part]), group).view_as(gradWeight), alpha=scale)


def _weight_gradient(columns: Tensor, grad_output: Tensor, group: int) -> Tensor:
    """Multiply output gradients, (N, O, OH, OW), with sampled columns, (N, C, K, OH * OW).

    Returns:
        Gradient of the kernels, shape (O, C / group * K).
    """
    grads = grad_output.flatten(2).unflatten(1, (group, -1))
    samples = columns.flatten(1, 2).unflatten(1, (group, -1))
    return torch.matmul(grads, samples.transpose(2, 3)).sum(0).flatten(0, 1)


def _operands(input: Tensor, weight: Tensor, offset: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return feature map, kernels, offsets, an unused mask and a zero bias."""
    x = widen(input)
    return x, widen(weight), finite_offsets(widen(offset)), x.new_zeros(len(x), 1), x.new_zeros(len(weight))
