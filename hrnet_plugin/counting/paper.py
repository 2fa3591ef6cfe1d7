"""The paper's own counts (table 7) and the units in which they are given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mmengine.config import Config

from hrnet_plugin.config_files import cfg
from hrnet_plugin.counting.count import Count, count_model
from hrnet_plugin.models.arch import arch_channels

SHAPE = (800, 1216)
# mmdet's types of the detectors in the table (Cascade Mask R-CNN is a CascadeRCNN)
PAPER_TYPES = ('FasterRCNN', 'CascadeRCNN', 'FCOS', 'MaskRCNN', 'HybridTaskCascade')

# framework -> name of a config with {width} to be filled in, and (parameters, GFLOPs) of each width
_TABLE_7 = {
    'Faster R-CNN': ('faster-rcnn_hrnetv2p-{}_1x_coco',
                     dict(w18=(26.2, 159.1), w32=(45.0, 245.3), w48=(79.4, 399.1))),
    'Cascade R-CNN': ('cascade-rcnn_hrnetv2p-{}_20e_coco',
                      dict(w18=(55.1, 207.8), w32=(74.9, 300.8), w48=(111.0, 466.5))),
    'FCOS': ('fcos_hrnetv2p-{}_1x_coco', dict(w18=(17.5, 180.3), w32=(37.3, 273.3))),
    'Mask R-CNN': ('mask-rcnn_hrnetv2p-{}_1x_coco', dict(w18=(30.1, 247.9), w32=(49.9, 341.0))),
    'Cascade Mask R-CNN': ('cascade-mask-rcnn_hrnetv2p-{}_20e_coco',
                           dict(w18=(63.1, 413.1), w32=(82.9, 506.2), w48=(118.9, 671.9))),
    'Hybrid Task Cascade': ('htc_hrnetv2p-{}_20e_coco',
                            dict(w18=(66.1, 458.3), w32=(85.9, 551.4), w48=(121.9, 717.0))),
}


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
POSE_AND_SEGMENTATION = Unit(flops=2**30, pointwise=False, params=1e6, norms=True, box_rois=0, mask_rois=0)


@dataclass(frozen=True)
class PaperRow:
    """A row of the paper's table beside this package's count of the same network, both in the paper's units."""

    framework: str
    width: str
    unit: Unit
    params: float
    gflops: float
    paper_params: float
    paper_gflops: float


def paper_count(config: Config, shape: tuple[int, int] = SHAPE) -> tuple[float, float, Unit]:
    """Parameters and GFLOPs of a config's model in the paper's units for its task.

    The network is counted as it was published: with the 1x1 convolution of the pyramid on the concatenation, which
    this package computes at each stream's own resolution instead. mmdet's HRFPN does it as published.

    Raises:
        ValueError: If the paper has no unit for such a model, its pyramid has options that the published one lacks, or
            it cannot be counted.
    """
    scope = config.get('default_scope')
    unit = _unit(scope, config.model['type'])
    model = {**config.model}
    if model.get('neck') is not None:
        model['neck'] = _published_neck(model['neck'])
    counted = count_model(model, scope, shape, unit.box_rois, unit.mask_rois)
    if counted.left_out:
        raise ValueError(f'--paper counts whole models, got one with parts that cannot be run: {counted.left_out}')
    return _in_unit(counted.parts['total'], unit)


def _unit(scope: str | None, model_type: str) -> Unit:
    if scope in ('mmpose', 'mmseg'):
        return POSE_AND_SEGMENTATION
    if scope != 'mmdet':
        raise ValueError(f'--paper needs a config of mmdet, mmpose or mmseg, got one of {scope!r}')
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


def paper_rows() -> Iterator[PaperRow]:
    """Every HRNet row of the paper's table 7 that has a config, counted."""
    for framework, (name, widths) in _TABLE_7.items():
        for width, (paper_params, paper_gflops) in widths.items():
            params, gflops, unit = paper_count(Config.fromfile(cfg(name.format(width))))
            yield PaperRow(framework, width, unit, params, gflops, paper_params, paper_gflops)
