"""The necks' layers with prepared convolutions, from modules."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn

from hrnet_plugin.models.layers import MergeConv
from hrnet_plugin.models.layers.upsample import upsample_bilinear
from hrnet_plugin.models.necks.hrfpn import HRFPN, pyramid_levels
from hrnet_plugin.runtime.fused_conv import FusedConv, Kernel, NoFastForm
from hrnet_plugin.runtime.streams import Prepare


class Merge:
    """The 1x1 convolution of all maps at the finest one.

    Convolving a map before it is upsampled saves multiplications, and costs an upsampled map of ``out_channels``. So
    maps of fewer channels than that are upsampled first and concatenated for one convolution.

    Args:
        merge: In eval mode; is not changed.
        prepare: Makes a convolution of a kernel.

    Raises:
        NoFastForm: If a layer has no fast form.
    """

    def __init__(self, merge: MergeConv, prepare: Prepare) -> None:
        kernel = _kernel(merge)
        widths = merge.map_channels
        wide = (i for i, width in enumerate(widths) if width >= merge.out_channels)
        self._narrow = max(1, next(wide, len(widths)))
        ends = [sum(widths[:i + 1]) for i in range(len(widths))]
        self._joint = prepare(kernel.of_inputs(0, ends[self._narrow - 1], bias=True))
        self._convs = [prepare(kernel.of_inputs(end - width, end, bias=False))
                       for end, width in list(zip(ends, widths))[self._narrow:]]
        self._align_corners = merge.align_corners
        self._activate = merge.activate if merge.with_activation else nn.Identity()
        self._relu = type(self._activate) is nn.ReLU

    def __call__(self, *feats: Tensor) -> Tensor:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to ``(N, out_channels, H, W)``."""
        total: Tensor | None = None
        for conv, x in zip(self._convs, feats[self._narrow:]):
            term = self._upsampled(conv(x), feats)
            total = term if total is None else total.add_(term)
        finest, *others = feats[:self._narrow]
        x = torch.cat([finest, *(self._upsampled(x, feats) for x in others)], dim=1) if others else finest
        out = self._joint(x, self._relu) if total is None else self._joint.add_to(total, x, self._relu)
        return out if self._relu else self._activate(out)

    def _upsampled(self, x: Tensor, feats: Sequence[Tensor]) -> Tensor:
        return upsample_bilinear(x, feats[0].shape[-2:], self._align_corners)


class Pyramid:
    """HRFPN: the merged map, pooled into levels, with a convolution on each. Args and errors as in :class:`Merge`."""

    def __init__(self, neck: HRFPN, prepare: Prepare) -> None:
        # not the neck itself, which holds its plan
        self._levels = partial(pyramid_levels, num_outs=neck.num_outs, pooling_type=neck.pooling_type)
        self._merge = Merge(neck.reduction_conv, prepare)
        self._convs: list[FusedConv] = [prepare(_kernel(module)) for module in neck.fpn_convs]
        if any(getattr(module, 'with_activation', True) for module in neck.fpn_convs):
            raise NoFastForm('its levels have activations')

    def __call__(self, *feats: Tensor) -> tuple[Tensor, ...]:
        """Map ``(N, C_b, H / 2**b, W / 2**b)``, finest first, to contiguous levels."""
        return self._levels(self._merge(*feats), self._convs)


def _kernel(module: ConvModule) -> Kernel:
    return Kernel.of(module.conv, module.norm if module.with_norm else None)
