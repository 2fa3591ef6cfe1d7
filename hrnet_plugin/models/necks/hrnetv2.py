"""HRNetV2: one feature map from all branches."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

from mmengine.model import BaseModule
from torch import Tensor

from hrnet_plugin.arch import Arch
from hrnet_plugin.checks import (
    MAX_CHANNELS,
    check_bool,
    check_feature_maps,
    check_init_cfg,
    check_int,
    check_layer_cfg,
    check_no_others,
)
from hrnet_plugin.config_types import ConfigEntry, ConfigValue, InitCfg
from hrnet_plugin.models.layers.execution import get_execution
from hrnet_plugin.models.layers.merge import MergeConv
from hrnet_plugin.models.necks.channels import neck_channels
from hrnet_plugin.registry import MODELS


@MODELS.register_module()
class HRNetV2(BaseModule):
    """Neck of HRNetV2, which merges all feature maps into one of stride 4.

    All feature maps are upsampled to the finest, concatenated, and passed through a 1x1 convolution, norm and ReLU.

    `Deep High-Resolution Representation Learning for Visual Recognition <https://arxiv.org/abs/1908.07919>`_,
    section 3.4. :class:`MergeConv` avoids the concatenation if the convolution is a ``Conv2d``. With the finest feature
    map as the only input, and the ``out_channels`` of HRNetV2, this is HRNetV1h of section 7.

    Args:
        in_channels: Channels of each feature map, finest first. Required without ``arch``.
        out_channels: Channels of the output. Default: None, which means the sum of ``in_channels``, as in the paper.
        conv_cfg: Config of the convolution layer. Default: None, which means ``Conv2d``.
        norm_cfg: Config of the norm layer, or None for no norm.
        act_cfg: Config of the activation, or None for no activation.
        align_corners: ``align_corners`` of the bilinear upsampling.
        arch: ``arch`` of the backbone, which determines ``in_channels``.
        init_cfg: Initialization, as in mmengine.

    Raises:
        TypeError, ValueError: If an argument is invalid.

    Example:
        >>> import torch
        >>> feats = [torch.rand(1, 18 * 2**b, 32 // 2**b, 32 // 2**b) for b in range(4)]
        >>> [tuple(x.shape) for x in HRNetV2(arch='w18').eval()(feats)]
        [(1, 270, 32, 32)]
    """

    def __init__(self,
                 in_channels: Sequence[int] | None = None,
                 out_channels: int | None = None,
                 *,
                 conv_cfg: ConfigEntry | None = None,
                 norm_cfg: ConfigEntry | None = dict(type='BN'),
                 act_cfg: ConfigEntry | None = dict(type='ReLU'),
                 align_corners: bool = False,
                 arch: Arch | None = None,
                 init_cfg: InitCfg = None,
                 **others: ConfigValue) -> None:
        check_no_others('neck', 'hrnet_plugin.HRNetV2', others, "arch='w32'", HRNetV2)
        check_init_cfg(init_cfg)
        super().__init__(deepcopy(init_cfg))
        self.in_channels = neck_channels(in_channels, arch)
        self.out_channels = sum(self.in_channels) if out_channels is None else out_channels
        check_int('out_channels', self.out_channels, 1, MAX_CHANNELS)
        self.out_strides = (4, )
        self.execution = get_execution('folded')
        check_layer_cfg('conv_cfg', conv_cfg, optional=True)
        check_layer_cfg('norm_cfg', norm_cfg, optional=True)
        check_layer_cfg('act_cfg', act_cfg, optional=True)
        check_bool('align_corners', align_corners)
        self.merge_conv = MergeConv(self.in_channels, self.out_channels, align_corners, conv_cfg, norm_cfg, act_cfg)

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor]:
        """Map ``(N, C_b, ceil(H / 2**b), ceil(W / 2**b))``, finest first, to one ``(N, out_channels, H, W)``."""
        check_feature_maps('inputs', inputs, self.in_channels)
        outs = self.execution.run(self._merge, inputs, self.merge_conv.plain_convs)
        return (outs[0].contiguous(), )

    def _merge(self, inputs: Sequence[Tensor]) -> list[Tensor]:
        return [self.merge_conv(inputs)]
