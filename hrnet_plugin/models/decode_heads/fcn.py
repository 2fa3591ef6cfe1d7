"""The segmentation head of HRNetV2."""

from __future__ import annotations

from collections.abc import Sequence

from mmseg.models.decode_heads.fcn_head import FCNHead as UpstreamFCNHead
from torch import Tensor

from hrnet_plugin.arch import Arch
from hrnet_plugin.checks import MOST_CHANNELS, check_choice, check_int
from hrnet_plugin.config_types import ConfigEntry, ConfigValue
from hrnet_plugin.models.decode_heads.streams import (
    check_class_weights,
    check_inherited_options,
    check_options,
    stream_indices,
)
from hrnet_plugin.models.layers.merge import MergeConv
from hrnet_plugin.models.necks.channels import neck_channels
from hrnet_plugin.models.weight_notes import HEAD, note_facts
from hrnet_plugin.registry import MODELS


@MODELS.register_module()
class FCNHead(UpstreamFCNHead):
    """All streams upsampled to the finest and concatenated, a 1x1 convolution with norm and ReLU, 1x1 to the classes.

    `Deep High-Resolution Representation Learning for Visual Recognition <https://arxiv.org/abs/1908.07919>`_,
    section 3.4, figure 4 (b). The function and the checkpoint keys of mmsegmentation's FCNHead in its HRNet configs;
    but each stream is convolved at its own resolution, and the concatenation is never made. It takes the arguments of
    those configs, and needs only ``arch`` and ``num_classes``.

    Args:
        in_channels: Channels of each stream, finest first. Give this or ``arch``.
        channels: Channels between the two convolutions; None for the sum of ``in_channels``, as in the paper.
        arch: The backbone's ``arch``, from which ``in_channels`` is read.
        num_classes: Number of classes.
        in_index: Which of the backbone's maps are read; None for all of them.
        input_transform, kernel_size, num_convs, concat_input: Only what the head of the paper has: 'resize_concat', 1,
            1 and False. Other heads are mmsegmentation's own FCNHead.
        dropout_ratio: Of the features before the last convolution; -1 for none, as in the paper.
        conv_cfg: Convolution layer; None for ``Conv2d``.
        norm_cfg: Norm layer.
        act_cfg: Activation.
        align_corners: Of all bilinear interpolation here: the streams', and the logits'. The backbone has its own.
        options: What mmsegmentation's BaseDecodeHead takes beside these: ``loss_decode``, ``ignore_index``,
            ``sampler``, ``out_channels``, ``threshold``, ``init_cfg``.

    Raises:
        TypeError, ValueError: If an argument is wrong; the message names it, what was expected and what came.
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
        for name, (wanted, got) in fixed.items():
            check_choice(f"{name} of hrnet_plugin.FCNHead (another head is type='mmseg.FCNHead')", got, (wanted, ))
        check_inherited_options('FCNHead', UpstreamFCNHead, options)
        check_options(num_classes, align_corners, norm_cfg)
        widths = neck_channels(in_channels, arch)
        channels = sum(widths) if channels is None else channels
        check_int('channels', channels, 1, MOST_CHANNELS)
        layers = dict(conv_cfg=conv_cfg, norm_cfg=norm_cfg, act_cfg=act_cfg)
        super().__init__(
            in_channels=list(widths), channels=channels, num_classes=num_classes, dropout_ratio=dropout_ratio,
            in_index=stream_indices(in_index, len(widths)), input_transform='resize_concat', kernel_size=1,
            num_convs=1, concat_input=False, align_corners=align_corners, **layers, **options)
        check_class_weights(self)
        note_facts(self, HEAD)
        self.convs[0] = MergeConv(widths, channels, align_corners, **layers)

    def _forward_feature(self, inputs: Sequence[Tensor]) -> Tensor:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to ``(N, channels, H, W)``."""
        return self.convs[0]([inputs[i] for i in self.in_index])
