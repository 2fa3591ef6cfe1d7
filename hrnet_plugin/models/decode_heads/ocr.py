"""OCR (object-contextual representations) head on HRNetV2."""

from __future__ import annotations

from collections.abc import Sequence

from mmseg.models.decode_heads.ocr_head import OCRHead as UpstreamOCRHead
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
from hrnet_plugin.models.layers.upsample import concatenate_upsampled
from hrnet_plugin.models.necks.channels import neck_channels
from hrnet_plugin.registry import MODELS


@MODELS.register_module()
class OCRHead(UpstreamOCRHead):
    """OCR head of mmsegmentation with ``in_channels`` derived from ``arch``.

    `Object-Contextual Representations for Semantic Segmentation <https://arxiv.org/abs/1909.11065>`_ on HRNetV2 (arXiv
    1908.07919, table 3). The input of the 3x3 convolution is the concatenation of all feature maps of the backbone.
    The coarse segmentation comes from the previous head of the cascade, :class:`FCNHead`.

    Args:
        in_channels: Channels of each feature map, finest first. Required without ``arch``.
        arch: ``arch`` of the backbone, which determines ``in_channels``.
        num_classes: Number of classes.
        channels: Channels of the pixel representations. Default: 512, as in the paper.
        ocr_channels: Channels of keys, queries and values. Default: 256, as in the paper.
        in_index: Indices of the feature maps to use. Default: None, which means all.
        input_transform: Must be 'resize_concat'.
        dropout_ratio: Dropout ratio before the last convolution, or -1 for no dropout.
        norm_cfg: Config of the norm layers.
        align_corners: ``align_corners`` of all interpolations in the head: of feature maps and of logits. The backbone
            has a separate option.
        options: Other arguments of mmsegmentation's OCRHead.

    Raises:
        TypeError, ValueError: If an argument is invalid.
    """

    def __init__(self,
                 in_channels: Sequence[int] | None = None,
                 arch: Arch | None = None,
                 *,
                 num_classes: int,
                 channels: int = 512,
                 ocr_channels: int = 256,
                 in_index: Sequence[int] | None = None,
                 input_transform: str = 'resize_concat',
                 dropout_ratio: float = -1,
                 norm_cfg: ConfigEntry | None = dict(type='BN'),
                 align_corners: bool = False,
                 **options: ConfigValue) -> None:
        check_choice('input_transform of hrnet_plugin.OCRHead', input_transform, ('resize_concat', ))
        check_inherited_options('OCRHead', UpstreamOCRHead, options)
        check_options(num_classes, align_corners, norm_cfg, dropout_ratio)
        check_int('channels', channels, 1, MAX_CHANNELS)
        check_int('ocr_channels', ocr_channels, 1, MAX_CHANNELS)
        widths = neck_channels(in_channels, arch)
        super().__init__(
            ocr_channels=ocr_channels, in_channels=list(widths), channels=channels, num_classes=num_classes,
            in_index=branch_indices(in_index, len(widths)), input_transform='resize_concat',
            dropout_ratio=dropout_ratio, norm_cfg=norm_cfg, align_corners=align_corners, **options)
        check_class_weights(self)
        register_metadata(self, HEAD_METADATA)

    def _transform_inputs(self, inputs: Sequence[Tensor]) -> Tensor:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to ``(N, sum of C_b, H, W)``."""
        # mmseg reads the sizes as numbers for a warning, which makes them constant in torch.export
        return concatenate_upsampled([inputs[i] for i in self.in_index], self.align_corners)
