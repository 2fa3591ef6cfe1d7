"""Deformable convolution (DCN v1) on torchvision's operator."""

from __future__ import annotations

from torch import Tensor

from mmcv_torch_ops.backend import operators, widen


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
        deformable_group: Number of channel groups with offsets of their own.
        im2col_step: Not used.
    """
    geometry = (dH, dW, padH, padW, dilationH, dilationW, group, deformable_group)
    tensors = _operands(input, weight, offset)
    output.copy_(operators.deform_conv2d(*tensors, *geometry, False))


def deform_conv_backward_input(input: Tensor, offset: Tensor, gradOutput: Tensor, gradInput: Tensor,
                               gradOffset: Tensor, weight: Tensor, columns: Tensor, kW: int, kH: int, dW: int,
                               dH: int, padW: int, padH: int, dilationW: int, dilationH: int, group: int,
                               deformable_group: int, im2col_step: int) -> None:
    """Add the gradient of the feature map to ``gradInput`` and write that of the offsets to ``gradOffset``.

    ``gradOutput`` has the shape of the output, (N, O, OH, OW). The other arguments are those of
    ``deform_conv_forward``.
    """
    geometry = (dH, dW, padH, padW, dilationH, dilationW, group, deformable_group)
    tensors = _operands(input, weight, offset)
    grads = operators._deform_conv2d_backward(widen(gradOutput), *tensors, *geometry, False)
    gradInput.add_(grads[0])
    gradOffset.copy_(grads[2])


def deform_conv_backward_parameters(input: Tensor, offset: Tensor, gradOutput: Tensor, gradWeight: Tensor,
                                    columns: Tensor, ones: Tensor, kW: int, kH: int, dW: int, dH: int, padW: int,
                                    padH: int, dilationW: int, dilationH: int, group: int, deformable_group: int,
                                    scale: float, im2col_step: int) -> None:
    """Add the gradient of the kernels, times ``scale``, to ``gradWeight``.

    ``gradOutput`` has the shape of the output, (N, O, OH, OW). The other arguments are those of
    ``deform_conv_forward``.
    """
    geometry = (dH, dW, padH, padW, dilationH, dilationW, group, deformable_group)
    tensors = _operands(input, gradWeight, offset)  # the gradient does not depend on the kernels' values
    grads = operators._deform_conv2d_backward(widen(gradOutput), *tensors, *geometry, False)
    gradWeight.add_(grads[1], alpha=scale)


def _operands(input: Tensor, weight: Tensor, offset: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return feature map, kernels, offsets, an unused mask and a zero bias."""
    x = widen(input)
    return x, widen(weight), widen(offset), x.new_zeros(len(x), 1), x.new_zeros(len(weight))
