"""HRNet rows of the paper's tables with parameters and GFLOPs, and this package's counts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import NamedTuple

from mmengine.config import Config

from hrnet_plugin.config_files import cfg
from hrnet_plugin.evaluation.counting.paper import SHAPE, Unit, paper_count
from hrnet_plugin.evaluation.leaderboard.published import published_costs

_TRIPLETS, _CITYSCAPES = (511, 511), (1024, 2048)


class _Table(NamedTuple):
    """Rows of one framework.

    Attributes:
        framework: Name in the printed table.
        config: Name of the config, with '{}' for the width.
        shape: Image height and width.
        cost: Key of the published cost, with '{}' for the width.
        widths: Widths as in the names of configs.
    """

    framework: str
    config: str
    shape: tuple[int, int]
    cost: str
    widths: tuple[str, ...]


# Detection: table 7. Pose: table 1. Segmentation: table 3, and the official repository for W18-small-v2, LIP and
# PASCAL-Context. The keys are the hosts of the configs, which the rows require.
_TABLES = {
    'mmdet': (
        _Table('Faster R-CNN', 'faster-rcnn_hrnetv2p-{}_1x_coco', SHAPE, 'Faster R-CNN HRNetV2p-{}',
               ('w18', 'w32', 'w48')),
        _Table('Cascade R-CNN', 'cascade-rcnn_hrnetv2p-{}_20e_coco', SHAPE, 'Cascade R-CNN HRNetV2p-{}',
               ('w18', 'w32', 'w48')),
        _Table('FCOS', 'fcos_hrnetv2p-{}_1x_coco', SHAPE, 'FCOS HRNetV2p-{}', ('w18', 'w32')),
        _Table('Mask R-CNN', 'mask-rcnn_hrnetv2p-{}_1x_coco', SHAPE, 'Mask R-CNN HRNetV2p-{}', ('w18', 'w32')),
        _Table('Cascade Mask R-CNN', 'cascade-mask-rcnn_hrnetv2p-{}_20e_coco', SHAPE, 'Cascade Mask R-CNN HRNetV2p-{}',
               ('w18', 'w32', 'w48')),
        _Table('Hybrid Task Cascade', 'htc_hrnetv2p-{}_20e_coco', SHAPE, 'Hybrid Task Cascade HRNetV2p-{}',
               ('w18', 'w32', 'w48')),
        _Table('CenterNet', 'centernet-triplet_hrnetv2-{}_crop511-480k_coco', _TRIPLETS, 'CenterNet HRNetV2-{}',
               ('w48', 'w64')),
    ),
    'mmpose': (
        _Table('HRNetV1, pose', 'td-hm_hrnetv1-{}_210e_coco-256x192', (256, 192), 'HRNetV1-{} 256x192', ('w32', 'w48')),
        _Table('HRNetV1, pose', 'td-hm_hrnetv1-{}_210e_coco-384x288', (384, 288), 'HRNetV1-{} 384x288', ('w32', 'w48')),
    ),
    'mmseg': (
        _Table('HRNetV2, Cityscapes', 'fcn_hrnetv2-{}_120k_cityscapes', _CITYSCAPES,
               'HRNetV2 head HRNetV2-{} Cityscapes', ('w18-small-v2', 'w40', 'w48')),
        _Table('HRNetV2, LIP', 'fcn_hrnetv2-{}_110k_lip', (473, 473), 'HRNetV2 head HRNetV2-{} LIP', ('w48',)),
        _Table('HRNetV2, PASCAL-Context', 'fcn_hrnetv2-{}_60k_pascal-context-59', (480, 480),
               'HRNetV2 head HRNetV2-{} PASCAL-Context', ('w48',)),
        _Table('HRNetV2 + OCR, Cityscapes', 'ocr_hrnetv2-{}_120k_cityscapes', _CITYSCAPES,
               'OCR HRNetV2-{} Cityscapes', ('w48',)),
    ),
}
# Table 15, and the official repository.
_CLASSIFICATION = ('w18-small-v1', 'w18-small-v2', 'w18', 'w30', 'w32', 'w40', 'w44', 'w48', 'w64')


@dataclass(frozen=True)
class PaperRow:
    """Published row and this package's count of the same network, both in the paper's units."""

    framework: str
    width: str
    shape: tuple[int, int]
    unit: Unit
    params: float
    gflops: float
    paper_params: float
    paper_gflops: float


def paper_rows() -> Iterator[PaperRow]:
    """Count every published row whose host is installed. Classification requires none."""
    for host, tables in _TABLES.items():
        if find_spec(host) is None:
            continue
        for table in tables:
            for width in table.widths:
                config = Config.fromfile(cfg(table.config.format(width)))
                yield _row(table.framework, width, table.shape, config, _published(table.cost, width))
    for width in _CLASSIFICATION:
        arch = width.replace('-', '_')
        config = Config(dict(default_scope='mmengine', model=dict(type='hrnet_plugin.HRNetClassifier', arch=arch)))
        yield _row('HRNet-C, ImageNet', width, (224, 224), config, _published('HRNet-{}-C', width))


def _published(key: str, width: str) -> tuple[float, float]:
    cost = published_costs()[key.format(width.replace('w', 'W', 1))]
    return cost.params or math.nan, cost.gflops or math.nan


def _row(framework: str, width: str, shape: tuple[int, int], config: Config,
         published: tuple[float, float]) -> PaperRow:
    params, gflops, unit = paper_count(config, shape)
    return PaperRow(framework, width, shape, unit, params, gflops, *published)
