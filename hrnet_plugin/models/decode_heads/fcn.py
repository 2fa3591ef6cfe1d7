"""Segmentation head of HRNetV2."""

from __future__ import annotations

from collections.abc import Sequence

from mmseg.models.decode_heads.fcn_head import FCNHead as UpstreamFCNHead
from torch import Tensor

from hrnet_plugin.arch import Arch
from hrnet_plugin.checks import MAX_CHANNELS, check_choice, check_int
from hrnet_plugin.config_types import ConfigEntry, ConfigValue
from hrnet_plugin.models.checkpoint_metadata import HEAD_METADATA, register_metadata
from hrnet_plugin.models.decode_heads.head_options import (
    branch_indices,
    check_class_weights,
    check_inherited_options,
    check_options,
)
from hrnet_plugin.models.layers.merge import MergeConv
from hrnet_plugin.models.necks.channels import neck_channels
from hrnet_plugin.registry import MODELS


@MODELS.register_module()
class FCNHead(UpstreamFCNHead):
    """Segmentation head of HRNetV2: a 1x1 convolution of all feature maps, then a 1x1 convolution to the classes.

    `Deep High-Resolution Representation Learning for Visual Recognition <https://arxiv.org/abs/1908.07919>`_,
    section 3.4, figure 4 (b). Outputs and state-dict keys equal those of mmsegmentation's FCNHead in its HRNet configs.
    Feature maps are convolved at their own resolution, which avoids their concatenation. The arguments of those configs
    are accepted, but only ``arch`` and ``num_classes`` are required.

    Args:
        in_channels: Channels of each feature map, finest first. Required without ``arch``.
        channels: Channels between the two convolutions. Default: None, which means the sum of ``in_channels``, as in
            the paper.
        arch: ``arch`` of the backbone, which determines ``in_channels``.
        num_classes: Number of classes.
        in_index: Indices of the feature maps to use. Default: None, which means all.
        input_transform, kernel_size, num_convs, concat_input: Must be 'resize_concat', 1, 1 and False, as in the paper.
            For other values use ``mmseg.FCNHead``.
        dropout_ratio: Dropout ratio before the last convolution, or -1 for no dropout, as in the paper.
        conv_cfg: Config of the convolution layers. Default: None, which means ``Conv2d``.
        norm_cfg: Config of the norm layer.
        act_cfg: Config of the activation.
        align_corners: ``align_corners`` of all interpolations in the head: of feature maps and of logits. The backbone
            has a separate option.
        options: Other arguments of mmsegmentation's BaseDecodeHead: ``loss_decode``, ``ignore_index``, ``sampler``,
            ``out_channels``, ``threshold``, ``init_cfg``.

    Raises:
        TypeError, ValueError: If an argument is invalid.
    """

    def __init__(self,
                 in_channels: Sequence[int] | None = None,
                 channels: int | None = None,
                 arch: Arch | None = None,
                 *,
                 num_classes: int,
                 in_index: Sequence[int] | None = None,
                 input_transform: str = 'resize_concat',
                 kernel_size: int = 1,
                 num_convs: int = 1,
                 concat_input: bool = False,
                 dropout_ratio: float = -1,
                 conv_cfg: ConfigEntry | None = None,
                 norm_cfg: ConfigEntry | None = dict(type='BN'),
                 act_cfg: ConfigEntry | None = dict(type='ReLU'),
                 align_corners: bool = False,
                 **options: ConfigValue) -> None:
        fixed: dict[str, tuple[ConfigValue, ConfigValue]] = dict(
            input_transform=('resize_concat', input_transform), kernel_size=(1, kernel_size),
            num_convs=(1, num_convs), concat_input=(False, concat_input))
        for name, (expected, got) in fixed.items():
            check_choice(f"{name} of hrnet_plugin.FCNHead (use type='mmseg.FCNHead' for others)", got, (expected, ))
        check_inherited_options('FCNHead', UpstreamFCNHead, dict(options, conv_cfg=conv_cfg, act_cfg=act_cfg))
        check_options(num_classes, align_corners, norm_cfg, dropout_ratio)
        widths = neck_channels(in_channels, arch)
        channels = sum(widths) if channels is None else channels
        check_int('channels', channels, 1, MAX_CHANNELS)
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        super().__init__(
            in_channels=list(widths), channels=channels, num_classes=num_classes, dropout_ratio=dropout_ratio,
            in_index=branch_indices(in_index, len(widths)), input_transform='resize_concat', kernel_size=1,
            num_convs=1, concat_input=False, align_corners=align_corners, **layers, **options)
        check_class_weights(self)
        register_metadata(self, HEAD_METADATA)
        self.convs[0] = MergeConv(widths, channels, align_corners, **layers)

    def _forward_feature(self, inputs: Sequence[Tensor]) -> Tensor:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to ``(N, channels, H, W)``."""
        return self.convs[0]([inputs[i] for i in self.in_index])
