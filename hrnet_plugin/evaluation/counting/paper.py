"""Parameters and GFLOPs in the units of the paper, which depend on the task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mmengine.config import Config, ConfigDict
from torch import nn

from hrnet_plugin.evaluation.counting.count import Count, count_model
from hrnet_plugin.hosts import MMDET, MMPOSE, MMSEG, find_host, type_name
from hrnet_plugin.models.layers.merge import MergeConv

SHAPE = (800, 1216)
_TRIPLET_SHAPE = (511, 511)
# mmdet types of the other detectors in table 7; Cascade Mask R-CNN is a CascadeRCNN
_TYPES = ('FasterRCNN', 'CascadeRCNN', 'FCOS', 'MaskRCNN', 'HybridTaskCascade')


@dataclass(frozen=True)
class Unit:
    """Counting rules of the paper for a framework, fitted to its published numbers.

    Attributes:
        flops: Number of operations per published GFLOP.
        pointwise: Whether to count norms and ReLUs.
        params: Number of parameters per published million.
        norms: Whether to count the parameters of batch norms.
        box_rois: Number of RoIs per box head.
        mask_rois: Number of RoIs per mask head.
    """

    flops: float
    pointwise: bool
    params: float
    norms: bool
    box_rois: int
    mask_rois: int

    @property
    def text(self) -> str:
        flops = f'MACs / {"2^30" if self.flops == 2**30 else "1e9"}{", with norms and ReLUs" if self.pointwise else ""}'
        params = f'weights / {"2^20" if self.params == 2**20 else "1e6"}{"" if self.norms else ", without batch norms"}'
        return f'{flops}; {params}'


FASTER = Unit(flops=2**30, pointwise=False, params=2**20, norms=False, box_rois=512, mask_rois=0)
OTHERS = Unit(flops=1e9, pointwise=True, params=1e6, norms=True, box_rois=1024, mask_rois=128)
WITHOUT_ROIS = Unit(flops=2**30, pointwise=False, params=1e6, norms=True, box_rois=0, mask_rois=0)


def has_triplets(model: ConfigDict) -> bool:
    """Return True if a model config is the paper's CenterNet."""
    return (model.get('bbox_head') or {}).get('type') == 'hrnet_plugin.CenterTripletHead'


def paper_shape(model: ConfigDict) -> tuple[int, int]:
    """Return the image height and width at which the paper counts a detector."""
    return _TRIPLET_SHAPE if has_triplets(model) else SHAPE


def is_papers_detector(model: ConfigDict) -> bool:
    """Return True if a model config uses a framework of the paper's table 7."""
    return model['type'] in _TYPES or has_triplets(model)


def paper_count(config: Config, shape: tuple[int, int] | None = None) -> tuple[float, float, Unit]:
    """Count a config's model in the paper's units for its task.

    The published network is counted: the 1x1 convolution of the pyramid or segmentation head runs on the concatenated
    features. This package computes it at the resolution of each branch instead.

    Args:
        config: Config of mmdet, mmpose or mmsegmentation, or with a ``hrnet_plugin.HRNetClassifier``.
        shape: Image height and width. Default: that of the paper's detectors.

    Returns:
        Parameters in millions, GFLOPs, and the unit of both.

    Raises:
        ValueError: If the paper has no unit for the model, its pyramid has options that the published one lacks, or it
            cannot be counted.
    """
    scope = config.get('default_scope')
    unit = _unit(scope, config.model)
    _check_neck(config.model.get('neck'))
    shape = paper_shape(config.model) if shape is None else shape
    counted = count_model(config.model, scope, shape, unit.box_rois, unit.mask_rois, prepare=_concatenate)
    if counted.left_out:
        raise ValueError(f'--paper requires a model whose parts all run, got parts that did not: {counted.left_out}')
    return _in_unit(counted.parts['total'], unit)


def _unit(scope: str | None, model: ConfigDict) -> Unit:
    host = find_host(scope)
    if host in (MMPOSE, MMSEG) or model['type'] == 'hrnet_plugin.HRNetClassifier' or has_triplets(model):
        return WITHOUT_ROIS
    if host is not MMDET:
        raise ValueError('--paper requires a config of mmdet, mmpose or mmseg, or of hrnet_plugin.HRNetClassifier, got '
                         f'one of {scope!r}')
    return FASTER if type_name(model['type']) == 'FasterRCNN' else OTHERS


def _in_unit(count: Count, unit: Unit) -> tuple[float, float, Unit]:
    weights = count.parameters if unit.norms else count.parameters - count.norm_parameters
    operations = count.macs + count.pointwise if unit.pointwise else count.macs
    return weights / unit.params, operations / unit.flops, unit


def _check_neck(neck: ConfigDict | None) -> None:
    if isinstance(neck, Mapping) and neck['type'] == 'hrnet_plugin.HRFPN' and (
            neck.get('norm_cfg') is not None or neck.get('share_conv')):
        raise ValueError(f'neck must have neither norm_cfg nor share_conv with --paper, got {dict(neck)}. '
                         'Leave --paper out to count the model as configured')


def _concatenate(model: nn.Module) -> None:
    """Make the model concatenate all branches before they are merged, as in the published networks."""
    for module in model.modules():
        if isinstance(module, MergeConv):
            module.plain_convs = False  # one convolution on the concatenation
