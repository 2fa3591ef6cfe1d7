"""Where the fusion units of a network are, and how they are built (arXiv 1908.07919, sections 3.2 and 7)."""

from __future__ import annotations

from dataclasses import dataclass

from hrnet_plugin.checks import check_choice
from hrnet_plugin.models.layers.upsample import Upsampling

# which modules of a network end in a fusion unit: the last of all, the last of each stage, or all (section 7)
FUSED_MODULES = ('final', 'across-stage', 'all')


def is_fused(fused_modules: str, is_last_module: bool, is_last_stage: bool) -> bool:
    """Whether a module ends in a fusion unit, from one of ``FUSED_MODULES`` and its place in its stage."""
    return fused_modules == 'all' or (is_last_module and (is_last_stage or fused_modules == 'across-stage'))


@dataclass(frozen=True)
class FusionConfig:
    """What one fusion unit is made of.

    Args:
        upsampling: How coarser maps are brought to a finer resolution.
        operator: How the maps of all resolutions are combined: 'sum' or 'product'.
        downsampling: How finer maps are brought to a coarser one: 'strided' convolutions or 'bilinear' interpolation.
    """
    upsampling: Upsampling
    operator: str = 'sum'
    downsampling: str = 'strided'

    def __post_init__(self) -> None:
        check_choice('fusion_operator', self.operator, ('sum', 'product'))
        check_choice('downsample', self.downsampling, ('strided', 'bilinear'))
