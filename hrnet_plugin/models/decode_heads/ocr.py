"""Object-contextual representations on HRNetV2."""

from __future__ import annotations

from collections.abc import Sequence

from mmseg.models.decode_heads.ocr_head import OCRHead as UpstreamOCRHead

from hrnet_plugin.arch import Arch
from hrnet_plugin.checks import MOST_CHANNELS, check_choice, check_int
from hrnet_plugin.config_types import ConfigEntry, ConfigValue
from hrnet_plugin.models.decode_heads.streams import (
    check_class_weights,
    check_inherited_options,
    check_options,
    stream_indices,
)
from hrnet_plugin.models.necks.channels import neck_channels
from hrnet_plugin.models.weight_notes import HEAD, note_facts
from hrnet_plugin.registry import MODELS


@MODELS.register_module()
class OCRHead(UpstreamOCRHead):
    """mmsegmentation's OCRHead, which knows from ``arch`` what it reads.

    `Object-Contextual Representations for Semantic Segmentation <https://arxiv.org/abs/1909.11065>`_ on HRNetV2 (arXiv
    1908.07919, table 3). Its 3x3 convolution reads the raw concatenation of all streams; the soft object regions come
    from the head before it in the cascade, which is :class:`FCNHead`.

    Args:
        in_channels: Channels of each stream, finest first. Give this or ``arch``.
        arch: The backbone's ``arch``, from which ``in_channels`` is read.
        num_classes: Number of classes.
        channels: Channels of the pixel representations; 512 in the paper.
        ocr_channels: Channels of keys, queries and values; 256 in the paper.
        in_index: Which of the backbone's maps are read; None for all of them.
        input_transform: Only 'resize_concat'.
        dropout_ratio: Of the features before the last convolution; -1 for none.
        norm_cfg: Norm layer.
        align_corners: Of all bilinear interpolation here: the streams', and the logits'. The backbone has its own.
        options: What mmsegmentation's OCRHead takes beside these.

    Raises:
        TypeError, ValueError: If an argument is wrong; the message names it, what was expected and what came.
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
        check_options(num_classes, align_corners, norm_cfg)
        check_int('channels', channels, 1, MOST_CHANNELS)
        check_int('ocr_channels', ocr_channels, 1, MOST_CHANNELS)
        widths = neck_channels(in_channels, arch)
        super().__init__(
            ocr_channels=ocr_channels, in_channels=list(widths), channels=channels, num_classes=num_classes,
            in_index=stream_indices(in_index, len(widths)), input_transform='resize_concat',
            dropout_ratio=dropout_ratio, norm_cfg=norm_cfg, align_corners=align_corners, **options)
        check_class_weights(self)
        note_facts(self, HEAD)
