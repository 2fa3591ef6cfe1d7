"""Operators of mmcv on torchvision and PyTorch, without a compiler.

Each function has the name and the arguments of its counterpart in a compiled ``mmcv._ext``. Any other public name is a
function that raises NotImplementedError when it is called.
"""

from __future__ import annotations

from mmcv_torch_ops.build_info import get_compiler_version, get_compiling_cuda_version
from mmcv_torch_ops.deform_conv import deform_conv_backward_input, deform_conv_backward_parameters, deform_conv_forward
from mmcv_torch_ops.focal_loss import (
    sigmoid_focal_loss_backward,
    sigmoid_focal_loss_forward,
    softmax_focal_loss_backward,
    softmax_focal_loss_forward,
)
from mmcv_torch_ops.missing import Operator, missing_operator
from mmcv_torch_ops.modulated_deform_conv import modulated_deform_conv_backward, modulated_deform_conv_forward
from mmcv_torch_ops.ms_deform_attn import ms_deform_attn_backward, ms_deform_attn_forward
from mmcv_torch_ops.nms import nms, nms_match
from mmcv_torch_ops.roi_align import roi_align_backward, roi_align_forward
from mmcv_torch_ops.roi_pool import roi_pool_backward, roi_pool_forward
from mmcv_torch_ops.soft_nms import softnms
from mmcv_torch_ops.version import ORIGIN, __version__

__all__ = [
    'ORIGIN', '__version__', 'deform_conv_backward_input', 'deform_conv_backward_parameters', 'deform_conv_forward',
    'get_compiler_version', 'get_compiling_cuda_version', 'modulated_deform_conv_backward',
    'modulated_deform_conv_forward', 'ms_deform_attn_backward', 'ms_deform_attn_forward', 'nms', 'nms_match',
    'roi_align_backward', 'roi_align_forward', 'roi_pool_backward', 'roi_pool_forward',
    'sigmoid_focal_loss_backward', 'sigmoid_focal_loss_forward', 'softmax_focal_loss_backward',
    'softmax_focal_loss_forward', 'softnms'
]


def __getattr__(name: str) -> Operator:
    """Return a function that raises NotImplementedError when it is called."""
    return missing_operator(name)
