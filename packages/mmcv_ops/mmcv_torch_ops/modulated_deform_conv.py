"""Modulated deformable convolution (DCN v2) on torchvision's operator."""

from __future__ import annotations

from torch import Tensor

from mmcv_torch_ops.backend import operators, widen
from mmcv_torch_ops.deform_columns import finite_offsets, image_chunks
from mmcv_torch_ops.eager import eager, nondeterministic


@eager
def modulated_deform_conv_forward(input: Tensor, weight: Tensor, bias: Tensor, ones: Tensor, offset: Tensor,
                                  mask: Tensor, output: Tensor, columns: Tensor, kernel_h: int, kernel_w: int,
                                  stride_h: int, stride_w: int, pad_h: int, pad_w: int, dilation_h: int,
                                  dilation_w: int, group: int, deformable_group: int, with_bias: bool) -> None:
    """Convolve a feature map that is sampled at offsets from the kernel's grid and weighted by a mask.

    Args:
        input: Feature map, shape (N, C, H, W).
        weight: Kernels, shape (O, C / group, kernel_h, kernel_w).
        bias: Bias, shape (O,). Not used without ``with_bias``.
        ones: Not used.
        offset: Offsets (y, x) in pixels, shape (N, 2 * deformable_group * kernel_h * kernel_w, OH, OW).
        mask: Weight of each sample, shape (N, deformable_group * kernel_h * kernel_w, OH, OW).
        output: Output, shape (N, O, OH, OW).
        columns: Not used.
        kernel_h, kernel_w: Kernel size, that of ``weight``.
        stride_h, stride_w: Stride.
        pad_h, pad_w: Zero padding.
        dilation_h, dilation_w: Dilation.
        group: Number of convolution groups.
        deformable_group: Number of channel groups with separate offsets and masks.
        with_bias: Whether to add the bias.
    """
    geometry = (stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, group, deformable_group)
    for part in image_chunks(offset, weight, group):
        tensors = _operands(input[part], weight, offset[part], mask[part], bias, with_bias)
        output[part].copy_(operators.deform_conv2d(*tensors, *geometry, True))


@eager
def modulated_deform_conv_backward(input: Tensor, weight: Tensor, bias: Tensor, ones: Tensor, offset: Tensor,
                                   mask: Tensor, columns: Tensor, grad_input: Tensor, grad_weight: Tensor,
                                   grad_bias: Tensor, grad_offset: Tensor, grad_mask: Tensor, grad_output: Tensor,
                                   kernel_h: int, kernel_w: int, stride_h: int, stride_w: int, pad_h: int, pad_w: int,
                                   dilation_h: int, dilation_w: int, group: int, deformable_group: int,
                                   with_bias: bool) -> None:
    """Compute the gradients of ``modulated_deform_conv_forward``.

    The gradients of feature map, kernels and bias are added to ``grad_input``, ``grad_weight`` and ``grad_bias``.
    Those of offsets and mask are written to ``grad_offset`` and ``grad_mask``. ``grad_output`` has the shape of the
    output, (N, O, OH, OW). The other arguments are those of ``modulated_deform_conv_forward``.
    """
    geometry = (stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w, group, deformable_group)
    for part in image_chunks(offset, weight, group):
        tensors = _operands(input[part], weight, offset[part], mask[part], bias, with_bias)
        with nondeterministic(input.device):
            grads = operators._deform_conv2d_backward(widen(grad_output[part]), *tensors, *geometry, True)
        grad_input[part].add_(grads[0])
        grad_weight.add_(grads[1])
        grad_offset[part].copy_(grads[2])
        grad_mask[part].copy_(grads[3])
        if with_bias:
            grad_bias.add_(grads[4])


def _operands(input: Tensor, weight: Tensor, offset: Tensor, mask: Tensor, bias: Tensor,
              with_bias: bool) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return feature map, kernels, offsets, mask and a bias that is zero without ``with_bias``."""
    x, offsets = widen(input), finite_offsets(widen(offset))
    return x, widen(weight), offsets, widen(mask), widen(bias) if with_bias else x.new_zeros(len(weight))
