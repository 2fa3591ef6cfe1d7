"""The units in which the paper counts, task by task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config

from hrnet_plugin.counting.count import Count, count_model
from hrnet_plugin.models.arch import arch_channels

SHAPE = (800, 1216)
# mmdet's types of the detectors in the table (Cascade Mask R-CNN is a CascadeRCNN)
PAPER_TYPES = ('FasterRCNN', 'CascadeRCNN', 'FCOS', 'MaskRCNN', 'HybridTaskCascade')

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
PIXELS_AND_CLASSES = Unit(flops=2**30, pointwise=False, params=1e6, norms=True, box_rois=0, mask_rois=0)


def paper_count(config: Config, shape: tuple[int, int] = SHAPE) -> tuple[float, float, Unit]:
    """Parameters and GFLOPs of a config's model in the paper's units for its task.

    The network is counted as it was published: with the 1x1 convolution of the pyramid, or of the segmentation head, on
    the concatenation, which this package computes at each stream's own resolution instead. The hosts' own necks and
    heads do it as published.

    Raises:
        ValueError: If the paper has no unit for such a model, its pyramid has options that the published one lacks, or
            it cannot be counted.
    """
    scope = config.get('default_scope')
    unit = _unit(scope, config.model['type'])
    model = {**config.model}
    if model.get('neck') is not None:
        model['neck'] = _published_neck(model['neck'])
    heads = model.get('decode_head')
    if heads is not None:
        model['decode_head'] = [_published_head(head) for head in heads] if isinstance(heads, list) else \
            _published_head(heads)
    counted = count_model(model, scope, shape, unit.box_rois, unit.mask_rois)
    if counted.left_out:
        raise ValueError(f'--paper counts whole models, got one with parts that cannot be run: {counted.left_out}')
    return _in_unit(counted.parts['total'], unit)


def _unit(scope: str | None, model_type: str) -> Unit:
    if scope in ('mmpose', 'mmseg') or model_type == 'hrnet_plugin.HRNetClassifier':
        return PIXELS_AND_CLASSES
    if scope != 'mmdet':
        raise ValueError('--paper needs a config of mmdet, mmpose or mmseg, or of hrnet_plugin.HRNetClassifier, got '
                         f'one of {scope!r}')
    return FASTER if model_type.rsplit('.', 1)[-1] == 'FasterRCNN' else OTHERS


def _in_unit(count: Count, unit: Unit) -> tuple[float, float, Unit]:
    weights = count.parameters if unit.norms else count.parameters - count.norm_parameters
    operations = count.macs + count.pointwise if unit.pointwise else count.macs
    return weights / unit.params, operations / unit.flops, unit


def _published_neck(neck: Any) -> Any:
    if not isinstance(neck, Mapping) or neck['type'] != 'hrnet_plugin.HRFPN':
        return neck
    if neck.get('norm_cfg') is not None or neck.get('share_conv'):
        raise ValueError('--paper counts the published pyramid, which has neither neck.norm_cfg nor neck.share_conv')
    taken = {key: neck[key] for key in ('out_channels', 'num_outs', 'stride') if key in neck}
    channels = neck.get('in_channels') or arch_channels(neck['arch'])
    return dict(type='mmdet.HRFPN', in_channels=list(channels), **taken)


def _published_head(head: Any) -> Any:
    if head['type'] != 'hrnet_plugin.FCNHead':
        return head
    taken = {key: value for key, value in head.items() if key not in ('type', 'arch', 'in_channels', 'channels')}
    widths = list(head.get('in_channels') or arch_channels(head['arch']))
    fixed = dict(in_index=list(range(len(widths))), input_transform='resize_concat', kernel_size=1, num_convs=1,
                 concat_input=False, dropout_ratio=-1)
    return {**fixed, **taken, 'type': 'mmseg.FCNHead', 'in_channels': widths,
            'channels': head.get('channels') or sum(widths)}
