"""Classification head of HRNet-W*-C, used for training on ImageNet."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from copy import deepcopy

from mmcv.cnn import build_conv_layer
from mmengine.model import BaseModule, ModuleList
from torch import Tensor, nn

from hrnet_plugin.arch import Arch
from hrnet_plugin.checks import MAX_CHANNELS, check_feature_maps, check_init_cfg, check_int, check_layer_cfg
from hrnet_plugin.config_types import ConfigEntry, InitCfg
from hrnet_plugin.models.layers import LayerConfig, residual_branch
from hrnet_plugin.models.necks.channels import neck_channels
from hrnet_plugin.registry import MODELS

# widths of the bottlenecks, whose expansion is 4
_WIDTHS = (32, 64, 128, 256)
_FEATURES = 2048


@MODELS.register_module()
class ClassificationHead(BaseModule):
    """Classification head on the feature maps of all four branches.

    Bottlenecks widen the feature maps to 128, 256, 512 and 1024 channels. Strided convolutions downsample the sum from
    fine to coarse. A 1x1 convolution, global average pooling and a linear layer give the logits.

    `Deep High-Resolution Representation Learning for Visual Recognition <https://arxiv.org/abs/1908.07919>`_,
    appendix B. The state-dict keys are those of the official code: ``incre_modules``, ``downsamp_modules``,
    ``final_layer`` and ``classifier``. Convolutions of ``downsamp_modules`` and ``final_layer`` have biases.

    Args:
        in_channels: Channels of the four feature maps, finest first. Required without ``arch``.
        arch: ``arch`` of the backbone, which determines ``in_channels``.
        num_classes: Number of classes.
        conv_cfg: Config of the convolution layers. Default: None, which means ``Conv2d``.
        norm_cfg: Config of the norm layers.
        init_cfg: Initialization, as in mmengine. Default: None, which means that of the official code.

    Raises:
        TypeError, ValueError: If an argument is invalid.
    """

    def __init__(self,
                 in_channels: Sequence[int] | None = None,
                 arch: Arch | None = None,
                 num_classes: int = 1000,
                 conv_cfg: ConfigEntry | None = None,
                 norm_cfg: ConfigEntry = dict(type='BN'),
                 init_cfg: InitCfg = None) -> None:
        check_init_cfg(init_cfg)
        check_layer_cfg('conv_cfg', conv_cfg, optional=True)
        check_layer_cfg('norm_cfg', norm_cfg, optional=False)
        check_int('num_classes', num_classes, 1, MAX_CHANNELS)
        super().__init__(deepcopy(init_cfg) if init_cfg is not None else dict(type='Kaiming', layer='Conv2d'))
        self.in_channels = neck_channels(in_channels, arch)
        if len(self.in_channels) != len(_WIDTHS):
            raise ValueError(f'in_channels must have {len(_WIDTHS)} entries, got {self.in_channels}')
        self.num_classes = num_classes
        layers = LayerConfig(conv_cfg, norm_cfg)
        self.incre_modules = ModuleList(
            residual_branch('BOTTLENECK', channels, width, 1, layers)
            for channels, width in zip(self.in_channels, _WIDTHS))
        self.downsamp_modules = ModuleList(
            _conv_norm_relu(layers, 4 * fine, 4 * coarse, 3, 2) for fine, coarse in itertools.pairwise(_WIDTHS))
        self.final_layer = _conv_norm_relu(layers, 4 * _WIDTHS[-1], _FEATURES, 1, 1)
        self.classifier = nn.Linear(_FEATURES, num_classes)

    def forward(self, feats: Sequence[Tensor]) -> Tensor:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to logits ``(N, num_classes)``."""
        return self.classifier(self.final_layer(self.merge(feats)).mean((2, 3)))

    def merge(self, feats: Sequence[Tensor]) -> Tensor:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to one feature map ``(N, 1024, H / 8, W / 8)``."""
        check_feature_maps('feats', feats, self.in_channels)
        widened = (incre(x) for incre, x in zip(self.incre_modules, feats))
        total = next(widened)
        for x, downsample in zip(widened, self.downsamp_modules):
            total = downsample(total) + x
        return total


def _conv_norm_relu(layers: LayerConfig, in_channels: int, out_channels: int, kernel_size: int,
                    stride: int) -> nn.Sequential:
    """Build convolution, norm and ReLU. The convolution has a bias, as in the official head."""
    cfg = None if layers.conv_cfg is None else dict(layers.conv_cfg)
    conv = build_conv_layer(cfg, in_channels, out_channels, kernel_size=kernel_size, stride=stride,
                            padding=kernel_size // 2)
    return nn.Sequential(conv, layers.norm(out_channels, 1)[1], nn.ReLU(inplace=True))
