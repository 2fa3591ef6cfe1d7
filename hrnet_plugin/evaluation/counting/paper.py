"""The units in which the paper counts, task by task."""

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
# mmdet's types of the other detectors in the table (Cascade Mask R-CNN is a CascadeRCNN)
_TYPES = ('FasterRCNN', 'CascadeRCNN', 'FCOS', 'MaskRCNN', 'HybridTaskCascade')


@dataclass(frozen=True)
class Unit:
    """How a framework was counted for the paper; found by fitting its figures.

    Attributes:
        flops: Operations in one of the paper's GFLOPs.
        pointwise: Whether norms and ReLUs count.
        params: Weights in one of the paper's millions.
        norms: Whether the weights of batch norms count.
        box_rois: Regions in each box head.
        mask_rois: Regions in each mask head.
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
WITHOUT_REGIONS = Unit(flops=2**30, pointwise=False, params=1e6, norms=True, box_rois=0, mask_rois=0)


def has_triplets(model: ConfigDict) -> bool:
    """Whether a config's model is the paper's CenterNet."""
    return (model.get('bbox_head') or {}).get('type') == 'hrnet_plugin.CenterTripletHead'


def paper_shape(model: ConfigDict) -> tuple[int, int]:
    """Height and width at which a detector was counted for the paper."""
    return _TRIPLET_SHAPE if has_triplets(model) else SHAPE


def is_papers_detector(model: ConfigDict) -> bool:
    """Whether a config's model is of a framework in the paper's table of detectors."""
    return model['type'] in _TYPES or has_triplets(model)


def paper_count(config: Config, shape: tuple[int, int] | None = None) -> tuple[float, float, Unit]:
    """Parameters and GFLOPs of a config's model in the paper's units for its task, by default at a detector's size.

    The network is counted as it was published: with the 1x1 convolution of the pyramid, or of the segmentation head, on
    the concatenation, which this package computes at each stream's own resolution instead.

    Raises:
        ValueError: If the paper has no unit for such a model, its pyramid has options that the published one lacks, or
            it cannot be counted.
    """
    scope = config.get('default_scope')
    unit = _unit(scope, config.model)
    _check_neck(config.model.get('neck'))
    shape = paper_shape(config.model) if shape is None else shape
    counted = count_model(config.model, scope, shape, unit.box_rois, unit.mask_rois, prepare=_concatenate)
    if counted.left_out:
        raise ValueError(f'--paper counts whole models, got one with parts that cannot be run: {counted.left_out}')
    return _in_unit(counted.parts['total'], unit)


def _unit(scope: str | None, model: ConfigDict) -> Unit:
    host = find_host(scope)
    if host in (MMPOSE, MMSEG) or model['type'] == 'hrnet_plugin.HRNetClassifier' or has_triplets(model):
        return WITHOUT_REGIONS
    if host is not MMDET:
        raise ValueError('--paper needs a config of mmdet, mmpose or mmseg, or of hrnet_plugin.HRNetClassifier, got '
                         f'one of {scope!r}')
    return FASTER if type_name(model['type']) == 'FasterRCNN' else OTHERS


def _in_unit(count: Count, unit: Unit) -> tuple[float, float, Unit]:
    weights = count.parameters if unit.norms else count.parameters - count.norm_parameters
    operations = count.macs + count.pointwise if unit.pointwise else count.macs
    return weights / unit.params, operations / unit.flops, unit


def _check_neck(neck: ConfigDict | None) -> None:
    if isinstance(neck, Mapping) and neck['type'] == 'hrnet_plugin.HRFPN' and (
            neck.get('norm_cfg') is not None or neck.get('share_conv')):
        raise ValueError(f'neck of a model of the paper must have no norm_cfg and no share_conv, got {dict(neck)}. '
                         'Without --paper, the model is counted as it is')


def _concatenate(model: nn.Module) -> None:
    """Let all streams be concatenated before they are merged, as in the published networks."""
    for module in model.modules():
        if isinstance(module, MergeConv):
            module.plain_convs = False  # the paper counts the convolution of the concatenation
