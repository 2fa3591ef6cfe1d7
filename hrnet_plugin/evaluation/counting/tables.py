"""Every HRNet row of the paper's tables that says how large a network is, to be counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec

from mmengine.config import Config

from hrnet_plugin.config_files import cfg
from hrnet_plugin.evaluation.counting.paper import SHAPE, Unit, paper_count

_CITYSCAPES = (1024, 2048)

# task -> (framework, config with {width} to be filled in, size, (parameters, GFLOPs) of each width); the config's host
# is the task's. Detection: table 7. Pose: table 1. Segmentation: table 3, and figures of the official repository for
# W18-small-v2 and the sizes below 512. Classification: tables 15 and 16, and the official repository.
_TABLES = {
    'mmdet': (
        ('Faster R-CNN', 'faster-rcnn_hrnetv2p-{}_1x_coco', SHAPE,
         dict(w18=(26.2, 159.1), w32=(45.0, 245.3), w48=(79.4, 399.1))),
        ('Cascade R-CNN', 'cascade-rcnn_hrnetv2p-{}_20e_coco', SHAPE,
         dict(w18=(55.1, 207.8), w32=(74.9, 300.8), w48=(111.0, 466.5))),
        ('FCOS', 'fcos_hrnetv2p-{}_1x_coco', SHAPE, dict(w18=(17.5, 180.3), w32=(37.3, 273.3))),
        ('Mask R-CNN', 'mask-rcnn_hrnetv2p-{}_1x_coco', SHAPE, dict(w18=(30.1, 247.9), w32=(49.9, 341.0))),
        ('Cascade Mask R-CNN', 'cascade-mask-rcnn_hrnetv2p-{}_20e_coco', SHAPE,
         dict(w18=(63.1, 413.1), w32=(82.9, 506.2), w48=(118.9, 671.9))),
        ('Hybrid Task Cascade', 'htc_hrnetv2p-{}_20e_coco', SHAPE,
         dict(w18=(66.1, 458.3), w32=(85.9, 551.4), w48=(121.9, 717.0))),
        ('CenterNet', 'centernet-triplet_hrnetv2-{}_crop511-480k_coco', (511, 511),
         dict(w48=(73.6, 217.1), w64=(127.7, 318.5))),
    ),
    'mmpose': (
        ('HRNetV1, pose', 'td-hm_hrnetv1-{}_210e_coco-256x192', (256, 192), dict(w32=(28.5, 7.10), w48=(63.6, 14.6))),
        ('HRNetV1, pose', 'td-hm_hrnetv1-{}_210e_coco-384x288', (384, 288), dict(w32=(28.5, 16.0), w48=(63.6, 32.9))),
    ),
    'mmseg': (
        ('HRNetV2, Cityscapes', 'fcn_hrnetv2-{}_120k_cityscapes', _CITYSCAPES,
         {'w18-small-v2': (3.9, 71.6), 'w40': (45.2, 493.2), 'w48': (65.9, 696.2)}),
        ('HRNetV2, LIP', 'fcn_hrnetv2-{}_110k_lip', (473, 473), dict(w48=(65.8, 74.3))),
        ('HRNetV2, PASCAL-Context', 'fcn_hrnetv2-{}_60k_pascal-context-59', (480, 480), dict(w48=(65.8, 76.5))),
        ('HRNetV2 + OCR, Cityscapes', 'ocr_hrnetv2-{}_120k_cityscapes', _CITYSCAPES, dict(w48=(70.3, 1206.3))),
    ),
}
_CLASSIFICATION = dict(
    w18_small_v1=(13.2, 1.49), w18_small_v2=(15.6, 2.42), w18=(21.3, 3.99), w30=(37.7, 7.55), w32=(41.2, 8.31),
    w40=(57.6, 11.8), w44=(67.1, 13.9), w48=(77.5, 16.1), w64=(128.1, 26.9))


@dataclass(frozen=True)
class PaperRow:
    """A published row beside this package's count of the same network, both in the paper's units."""

    framework: str
    width: str
    shape: tuple[int, int]
    unit: Unit
    params: float
    gflops: float
    paper_params: float
    paper_gflops: float


def paper_rows() -> Iterator[PaperRow]:
    """Every published row whose host is installed, counted; classification needs none."""
    for host, tables in _TABLES.items():
        if find_spec(host) is None:
            continue
        for framework, name, shape, widths in tables:
            for width, published in widths.items():
                yield _row(framework, width, shape, Config.fromfile(cfg(name.format(width))), published)
    for arch, published in _CLASSIFICATION.items():
        config = Config(dict(default_scope='mmengine', model=dict(type='hrnet_plugin.HRNetClassifier', arch=arch)))
        yield _row('HRNet-C, ImageNet', arch.replace('_', '-'), (224, 224), config, published)


def _row(framework: str, width: str, shape: tuple[int, int], config: Config,
         published: tuple[float, float]) -> PaperRow:
    params, gflops, unit = paper_count(config, shape)
    return PaperRow(framework, width, shape, unit, params, gflops, *published)
