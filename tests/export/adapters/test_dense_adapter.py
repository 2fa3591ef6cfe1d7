"""Adapters of single-stage detectors, against the predictions of mmdet."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from conftest import randomize
from exported_adapters import export_onnx, run_onnx, run_openvino
from mmengine.registry import MODELS
from torch import Tensor, nn

from hrnet_plugin.config_files import find_config
from hrnet_plugin.export.adapters.adapter import Adapter, UnsupportedModel
from hrnet_plugin.export.adapters.dense import DenseAdapter
from hrnet_plugin.export.families import find_adapter

pytestmark = pytest.mark.usefixtures('mmdet_scope')
FAMILIES = ('fcos', 'retinanet', 'atss', 'gfl')
PADDING = (6, 10)  # bottom and right
THRESHOLD = .87  # leaves more than the maximum number of detections in some images, and fewer in others
SHAPES = ((2, 3, 96, 160), (1, 3, 131, 100), (3, 3, 192, 64))


class Padded(nn.Module):
    """Adapter as a function of padded images."""

    def __init__(self, adapter: Adapter) -> None:
        super().__init__()
        self.adapter = adapter.eval()
        self.eval()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        return self.adapter(images, tuple(images.shape[2 + i] - PADDING[i] for i in range(2)))


class Pyramid(nn.Module):
    """Levels with strides 8 to 128, cheaper than those of HRNet."""

    def __init__(self) -> None:
        super().__init__()
        self.convs = nn.ModuleList([nn.Conv2d(3, 32, 11, 8, 5), *(nn.Conv2d(32, 32, 3, 2, 1) for _ in range(4))])

    def forward(self, inputs: Tensor) -> list[Tensor]:
        levels = [inputs]
        for conv in self.convs:
            levels.append(conv(levels[-1]).relu())
        return levels[1:]


@torch.no_grad()
def build_detector(family: str, test_cfg: dict[str, Any] | None = None, **head: Any) -> nn.Module:
    """Return a small detector with random weights and the head of a shipped config."""
    model = find_config(f'{family}_hrnetv2p-w18-small-v1_sample').model
    model.neck.out_channels = 32
    for name in head:
        model.bbox_head.pop(name, None)  # update() merges
    model.bbox_head.update(in_channels=32, feat_channels=32, stacked_convs=1, **head)
    for name in test_cfg or {}:
        model.test_cfg.pop(name, None)
    model.test_cfg.update(test_cfg or {})
    detector = MODELS.build(model)
    detector.backbone, detector.neck = Pyramid(), None
    randomize(detector).eval()
    if family == 'retinanet':  # as many detections as with the others, whose heads have norms
        detector.bbox_head.retina_cls.weight.mul_(1.25)
    if family == 'gfl':
        detector.bbox_head.integral.project.copy_(torch.arange(17))  # a constant
    return detector.requires_grad_(False)


def predict(detector: nn.Module, images: Tensor) -> list[dict[str, Tensor]]:
    """Return the predictions of mmdet."""
    from mmdet.structures import DetDataSample
    size = tuple(images.shape[2 + i] - PADDING[i] for i in range(2))
    meta = dict(img_shape=size, ori_shape=size, scale_factor=(1., 1.))
    with torch.no_grad():
        samples = detector.predict(images, [DetDataSample(metainfo=meta) for _ in images])
    return [dict(sample.pred_instances.items()) for sample in samples]


def assert_same(outputs: Any, detector: nn.Module, images: Tensor, least: int = 21) -> None:
    """Compare outputs of an adapter with the predictions of mmdet."""
    for expected, *found in zip(predict(detector, images), *map(torch.as_tensor, outputs), strict=True):
        boxes, scores, labels, count = found
        assert least <= count == len(expected['scores'])
        assert len(boxes) == detector.test_cfg.max_per_img
        assert not any(output[count:].any() for output in (boxes, scores, labels))
        torch.testing.assert_close(scores[:count], expected['scores'], atol=1e-5, rtol=0)
        differs = torch.cdist(boxes[:count], expected['bboxes'], p=torch.inf) > 1e-2
        differs |= labels[:count, None] != expected['labels']
        differs |= (scores[:count, None] - expected['scores']).abs() > 1e-5  # nearly equal scores may be swapped
        assert not differs.all(0).any()
        assert not differs.all(1).any()


@pytest.fixture(scope='module', params=FAMILIES)
def detector(request, mmdet_scope):
    torch.manual_seed(0)
    return build_detector(request.param, dict(score_thr=THRESHOLD))


@pytest.fixture(scope='module')
def onnx_file(detector):
    adapter = find_adapter(detector)(detector)
    return export_onnx(Padded(adapter), torch.rand(2, 3, 96, 128), adapter.outputs)


@pytest.mark.parametrize('seed', range(2))
@torch.no_grad()
def test_predictions_are_those_of_mmdet(detector, seed):
    torch.manual_seed(seed)
    adapter = Padded(find_adapter(detector)(detector))
    for shape in SHAPES:
        images = torch.randn(shape)
        assert_same(adapter(images), detector, images)


@pytest.mark.parametrize('run', [run_onnx, run_openvino])
def test_exported_models_predict_the_same(detector, onnx_file, run):
    predict_exported = run(onnx_file)
    for shape in SHAPES:
        images = torch.randn(shape)
        assert_same(predict_exported(images), detector, images)


VARIANTS = {
    'no limit of candidates': ('fcos', dict(nms_pre=-1), {}),
    'few candidates': ('atss', dict(nms_pre=60), {}),
    'class-agnostic': ('gfl', dict(nms=dict(iou_threshold=.9, class_agnostic=True)), {}),
    'no NMS': ('fcos', dict(nms=None), {}),
    'small boxes': ('retinanet', dict(min_bbox_size=-1), {}),
    'one class': ('atss', dict(score_thr=.4), dict(num_classes=1)),
    'one class in GFL': ('gfl', dict(score_thr=.4, nms=dict(iou_threshold=.9)), dict(num_classes=1)),
    'softmax': ('retinanet', dict(score_thr=.1), dict(
        num_classes=5, loss_cls=dict(type='CrossEntropyLoss'))),
    'softmax without limit': ('atss', dict(score_thr=.3, nms_pre=-1), dict(
        num_classes=5, loss_cls=dict(type='CrossEntropyLoss'))),
    'distances in strides': ('fcos', {}, dict(norm_on_bbox=True, centerness_on_reg=True)),
    'distances in logarithms': ('fcos', {}, dict(norm_on_bbox=False, centerness_on_reg=False)),
}


@pytest.mark.parametrize(('family', 'test_cfg', 'head'), VARIANTS.values(), ids=VARIANTS)
@torch.no_grad()
def test_entries_of_heads_are_respected(family, test_cfg, head):
    detector = build_detector(family, dict(score_thr=THRESHOLD) | test_cfg, **head)
    images = torch.randn(2, 3, 131, 100)
    assert_same(Padded(find_adapter(detector)(detector))(images), detector, images)


@pytest.mark.parametrize('family', ['fcos', 'gfl'])
@torch.no_grad()
def test_images_without_detections_have_no_boxes(family):
    detector = build_detector(family, dict(score_thr=.999))
    images = torch.randn(2, 3, 96, 96)
    assert_same(Padded(find_adapter(detector)(detector))(images), detector, images, least=0)
    assert not predict(detector, images)[0]['scores'].numel()


@pytest.mark.parametrize(('test_cfg', 'message'), [
    (dict(nms=dict(type='soft_nms', iou_threshold=.5)), 'nms.type must be nms, got soft_nms'),
    (dict(nms_pre=0), 'nms_pre must be positive, or -1 for all, got 0'),
    (dict(max_per_img=-1), 'max_per_img must be positive, got -1'),
    (dict(min_bbox_size=4), 'min_bbox_size must be at most 0, got 4'),
    (dict(score_thr=-1), 'score_thr must be at least 0, got -1')], ids=str)
def test_other_entries_are_refused_in_one_line(test_cfg, message):
    detector = build_detector('fcos')
    detector.bbox_head.test_cfg.update(test_cfg)
    with pytest.raises(UnsupportedModel, match=message) as caught:
        find_adapter(detector)(detector)
    assert '\n' not in str(caught.value)


def test_missing_entries_are_refused_in_one_line():
    detector = build_detector('fcos')
    del detector.bbox_head.test_cfg.nms
    with pytest.raises(UnsupportedModel, match='test_cfg must have nms, got none'):
        find_adapter(detector)(detector)


def test_heads_that_predict_in_another_way_are_not_accepted():
    detector = build_detector('atss')

    class Other(type(detector.bbox_head)):
        def _predict_by_feat_single(self, *args, **kwargs):
            return super()._predict_by_feat_single(*args, **kwargs)

    assert DenseAdapter.accepts(detector)
    detector.bbox_head.__class__ = Other
    assert not DenseAdapter.accepts(detector)
    with pytest.raises(UnsupportedModel, match='got ATSS with Other'):
        find_adapter(detector)
