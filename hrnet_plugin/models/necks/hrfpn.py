"""HRNetV2p: feature pyramid for detection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy

from mmcv.cnn import ConvModule
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from hrnet_plugin.arch import Arch
from hrnet_plugin.checks import (
    MAX_CHANNELS,
    check_bool,
    check_choice,
    check_feature_maps,
    check_init_cfg,
    check_int,
    check_layer_cfg,
    check_no_others,
)
from hrnet_plugin.config_types import ConfigEntry, ConfigValue, InitCfg
from hrnet_plugin.models.layers.execution import get_execution
from hrnet_plugin.models.layers.merge import MergeConv
from hrnet_plugin.models.layers.optimizable import Optimizable
from hrnet_plugin.models.layers.recompute import needs_gradient, recompute_in_backward
from hrnet_plugin.models.necks.channels import neck_channels
from hrnet_plugin.registry import MODELS
from hrnet_plugin.tracing import is_tracing

_MOST_LEVELS = 16  # the 16th level requires images of 131069 x 131069 pixels
_MOST_STRIDE = 64
_POOLS: dict[str, Callable[..., Tensor]] = {'AVG': F.avg_pool2d, 'MAX': F.max_pool2d}


@MODELS.register_module()
class HRFPN(Optimizable[Sequence[Tensor]], BaseModule):
    """Feature pyramid network of HRNetV2p.

    All feature maps are upsampled to the finest, concatenated and convolved (1x1). Pooling gives the levels, each
    followed by a 3x3 convolution.

    `Deep High-Resolution Representation Learning for Visual Recognition <https://arxiv.org/abs/1908.07919>`_,
    section 3.4. The state-dict keys are those of mmdet's HRFPN. The outputs are contiguous (N, C, H, W) tensors for
    inputs of any memory format, because mmcv's RoIAlign silently misreads channels_last tensors.

    Args:
        in_channels: Channels of each feature map, finest first. Required without ``arch``.
        out_channels: Channels of all levels.
        num_outs: Number of levels, 1 to 16. Level i has stride ``4 * 2**i``, times ``stride``.
        pooling_type: 'AVG' or 'MAX'.
        conv_cfg: Config of the convolution layers. Default: None, which means ``Conv2d``.
        norm_cfg: Config of the norm after each convolution, or None for no norms. mmdet ignores this argument.
        with_cp: Whether to use activation checkpointing.
        stride: Stride of the 3x3 convolutions, 1 to 64. With 2, the levels have strides 8 to 128, as in FCOS.
        share_conv: Whether to use the same 3x3 convolution for all levels, as the official code can.
        arch: ``arch`` of the backbone, which determines ``in_channels``.
        init_cfg: Initialization, as in mmengine.

    Raises:
        TypeError, ValueError: If an argument is invalid.

    Example:
        >>> import torch
        >>> feats = [torch.rand(1, 18 * 2**b, 64 // 2**b, 64 // 2**b) for b in range(4)]
        >>> [tuple(level.shape) for level in HRFPN(arch='w18')(feats)][-1]
        (1, 256, 4, 4)
    """

    def __init__(self,
                 in_channels: Sequence[int] | None = None,
                 out_channels: int = 256,
                 *,
                 num_outs: int = 5,
                 pooling_type: str = 'AVG',
                 conv_cfg: ConfigEntry | None = None,
                 norm_cfg: ConfigEntry | None = None,
                 with_cp: bool = False,
                 stride: int = 1,
                 share_conv: bool = False,
                 arch: Arch | None = None,
                 init_cfg: InitCfg = dict(type='Caffe2Xavier', layer='Conv2d'),
                 **others: ConfigValue) -> None:
        check_no_others('neck', 'hrnet_plugin.HRFPN', others, "arch='w32'", HRFPN)
        check_init_cfg(init_cfg)
        super().__init__(deepcopy(init_cfg))
        self.in_channels = neck_channels(in_channels, arch)
        self.num_inputs = len(self.in_channels)
        self.execution = get_execution('folded')
        check_int('out_channels', out_channels, 1, MAX_CHANNELS)
        check_int('num_outs', num_outs, 1, _MOST_LEVELS)
        check_int('stride', stride, 1, _MOST_STRIDE)
        check_choice('pooling_type', pooling_type, _POOLS)
        check_layer_cfg('conv_cfg', conv_cfg, optional=True)
        check_layer_cfg('norm_cfg', norm_cfg, optional=True)
        check_bool('with_cp', with_cp)
        check_bool('share_conv', share_conv)
        self.out_channels, self.num_outs = out_channels, num_outs
        self.pooling_type, self.with_cp, self.share_conv = pooling_type, with_cp, share_conv
        self.out_strides = tuple(4 * stride * 2**i for i in range(num_outs))
        self.reduction_conv = MergeConv(self.in_channels, out_channels, conv_cfg=conv_cfg, norm_cfg=norm_cfg)
        self.fpn_convs = nn.ModuleList(
            ConvModule(out_channels, out_channels, kernel_size=3, padding=1, stride=stride, conv_cfg=deepcopy(conv_cfg),
                       norm_cfg=deepcopy(norm_cfg), act_cfg=None) for _ in range(1 if share_conv else num_outs))

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Compute the pyramid.

        Args:
            inputs: Feature maps ``(N, C_b, ceil(H / 2**b), ceil(W / 2**b))``, finest first. H and W must be at least
                ``2**(num_outs - 1)``.

        Returns:
            ``num_outs`` levels ``(N, out_channels, floor(H / 2**i), floor(W / 2**i))`` (with stride 1), finest first.
        """
        self.check_inputs(inputs)
        return self.optimized_or_eager(inputs)

    def eager_forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Compute the outputs of :meth:`forward` without input checks."""
        levels = self.execution.run(self._levels, inputs, self.reduction_conv.plain_convs)
        return tuple(level.contiguous() for level in levels)

    def _levels(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        level, outs = self._run(self.reduction_conv, inputs), []
        for i in range(self.num_outs):
            if i > 0:
                # pooling the previous level equals pooling the finest one, and reads fewer values
                level = _POOLS[self.pooling_type](level, kernel_size=2, stride=2)
            outs.append(self._run(self.fpn_convs[0 if self.share_conv else i], level))
        return outs

    def _run(self, module: nn.Module, inputs: Tensor | Sequence[Tensor]) -> Tensor:
        feats = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        if self.with_cp and needs_gradient(*feats):
            return recompute_in_backward(module, module, inputs)
        return module(inputs)

    def check_inputs(self, inputs: Sequence[Tensor]) -> None:
        """Raise TypeError or ValueError for feature maps of wrong number, shape or size. Do nothing during tracing."""
        if is_tracing():
            return
        check_feature_maps('inputs', inputs, self.in_channels)
        least = 2**(self.num_outs - 1)
        height, width = inputs[0].shape[-2:]
        if height < least or width < least:
            raise ValueError(f'inputs[0] must be at least {least} x {least} (an image of {4 * least - 3} x '
                             f'{4 * least - 3}) with num_outs={self.num_outs}, got {height} x {width}. Use larger '
                             'images or a smaller num_outs.')
