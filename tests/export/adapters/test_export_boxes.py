"""Decoding, NMS and selection of boxes in exported models, against those of mmdet and mmcv."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from hrnet_plugin.export.adapters.adapter import UnsupportedModel
from hrnet_plugin.export.adapters.boxes import check_coder, decode_boxes, is_larger
from hrnet_plugin.export.adapters.selection import gather_rows, select_detections
from hrnet_plugin.export.adapters.suppression import read_nms, suppress

pytestmark = pytest.mark.usefixtures('mmdet_scope')
SIZE = (60, 90)


def random_boxes(*shape: int) -> Tensor:
    corners = torch.rand(*shape, 2) * 80
    return torch.cat([corners, corners + torch.rand(*shape, 2) * 60], -1)


@pytest.mark.parametrize('cfg', [
    dict(type='DeltaXYWHBBoxCoder', target_means=[.1, 0., 0., .2], target_stds=[.1, .1, .2, .3]),
    dict(type='DeltaXYWHBBoxCoder', clip_border=False),
    dict(type='DeltaXYWHBBoxCoder', add_ctr_clamp=True, ctr_clamp=16),
    dict(type='DistancePointBBoxCoder'),
    dict(type='DistancePointBBoxCoder', clip_border=False)], ids=str)
def test_boxes_are_decoded_as_by_the_coder(cfg):
    from mmdet.registry import TASK_UTILS
    coder = TASK_UTILS.build(cfg)
    check_coder(coder)
    priors, encoded = random_boxes(2, 50), torch.randn(2, 50, 4) * 4  # some ratios are clamped
    if cfg['type'] == 'DistancePointBBoxCoder':
        priors, encoded = priors[..., :2], encoded.abs() * 10
    boxes = decode_boxes(coder, priors, encoded, SIZE)
    for ours, prior, code in zip(boxes, priors, encoded, strict=True):
        torch.testing.assert_close(ours, coder.decode(prior, code, max_shape=SIZE))


def test_other_coders_are_refused():
    from mmdet.registry import TASK_UTILS
    with pytest.raises(UnsupportedModel, match='got TBLRBBoxCoder'):
        check_coder(TASK_UTILS.build(dict(type='TBLRBBoxCoder')))


def test_boxes_are_larger_in_both_directions():
    assert is_larger(torch.tensor([[0., 0, 3, 3], [0, 0, 3, 2], [0, 0, 2, 3]]), 2).tolist() == [True, False, False]


def test_rows_of_each_image_are_gathered():
    tensor = torch.arange(12).view(2, 3, 2)
    assert gather_rows(tensor, torch.tensor([[2, 0], [1, 1]])).tolist() == [[[4, 5], [0, 1]], [[8, 9], [8, 9]]]


@pytest.mark.parametrize('cfg', [
    dict(iou_threshold=.5), dict(type='nms', iou_thr=.3), dict(iou_threshold=.4, class_agnostic=True),
    dict(iou_threshold=.5, score_threshold=.4), None], ids=str)
@pytest.mark.filterwarnings('ignore:"iou_thr" is deprecated')
def test_detections_are_those_of_mmcv(cfg):
    from mmcv.ops import batched_nms
    boxes, scores, labels = random_boxes(2, 200), torch.rand(2, 200), torch.randint(4, (2, 200))
    boxes[1, 100:] = boxes[1, :100] + 1
    scores[0, 150:] = -1  # missing
    settings = read_nms(cfg, max_candidates=200)
    kept = scores if settings is None else suppress(boxes, scores, labels, settings, max_boxes=60)
    selected = select_detections(boxes, kept, labels, 60)
    for i, (ours, our_scores, our_labels, count) in enumerate(zip(*selected, strict=True)):
        exists = scores[i] >= 0
        expected, indices = batched_nms(boxes[i][exists], scores[i][exists], labels[i][exists], cfg)
        expected = expected[:60]
        assert 20 < count == len(expected)
        torch.testing.assert_close(torch.cat([ours, our_scores[:, None]], -1)[:count], expected)
        assert our_labels[:count].equal(labels[i][exists][indices[:60]])
        assert not any(output[count:].any() for output in (ours, our_scores, our_labels))


@pytest.mark.parametrize(('cfg', 'message'), [
    (dict(type='soft_nms', iou_threshold=.5), 'nms.type must be nms, got soft_nms'),
    (dict(iou_threshold=.5, vote=True), 'got vote'),
    (dict(iou_threshold=.5, offset=1), 'nms.offset must be 0'),
    (dict(iou_threshold=.5, max_num=10), 'nms.max_num must be -1'),
    (dict(type='nms'), 'nms.iou_threshold must be a number'),
    (dict(iou_threshold=.5, class_agnostic=True), 'fewer than 10000 boxes before NMS, got any number')], ids=str)
def test_other_nms_is_refused_in_one_line(cfg, message):
    with pytest.raises(UnsupportedModel, match=message) as caught:
        read_nms(cfg)
    assert '\n' not in str(caught.value)
