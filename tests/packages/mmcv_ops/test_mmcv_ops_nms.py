"""NMS, soft-NMS and groups of boxes agree with a compiled mmcv and with references."""

from __future__ import annotations

import sys

import mmcv_ops_references as references
import mmcv_torch_ops
import numpy as np
import pytest
import torch
from mmcv_ops_helpers import DEVICES, from_compiled, mmcv_module, operators

module = mmcv_module('nms')
METHODS = ('naive', 'linear', 'gaussian')


@pytest.fixture(params=DEVICES)
def device(request):
    return request.param


def random_boxes(number, device='cpu', size=40., seed=0):
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(number, 2, generator=generator) * 100
    sizes = torch.rand(number, 2, generator=generator) * size + 1
    return torch.cat([corners, corners + sizes], 1).to(device), torch.rand(number, generator=generator).to(device)


def check_detections(compute):
    """Compare detections, each followed by their indices, with those of compiled operators."""
    for mine, other in zip(compute(mmcv_torch_ops), from_compiled(compute), strict=True):
        torch.testing.assert_close(mine, other.to(mine.dtype), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize('offset', [0, 1])
@pytest.mark.parametrize('threshold', [0.1, 0.5, 0.7])
def test_nms(device, threshold, offset):
    boxes, scores = random_boxes(60, device)
    kept = mmcv_torch_ops.nms(boxes, scores, threshold, offset)
    assert kept.dtype == torch.int64
    assert kept.device == boxes.device
    assert kept.tolist() == references.nms(boxes, scores, threshold, offset)


@pytest.mark.parametrize('offset', [0, 1])
@pytest.mark.parametrize('threshold', [0.1, 0.6])
def test_nms_against_compiled(device, threshold, offset):
    def compute(extension):
        kept = []
        for seed in range(5):
            boxes, scores = random_boxes(300, device, seed=seed)
            boxes, scores = boxes.round(), (scores * 20).round() / 20  # equal scores and equal IoU
            kept.append(extension.nms(boxes, scores, threshold, offset))
        return kept

    ours, theirs = compute(mmcv_torch_ops), from_compiled(compute, device)
    assert [kept.tolist() for kept in ours] == [kept.tolist() for kept in theirs]


@pytest.mark.parametrize('threshold', [3 / 5, 7 / 10, 1 / 3])
def test_an_iou_of_exactly_the_threshold_is_kept(threshold):
    width = 30
    boxes = torch.tensor([[0., 0, width, 10], [0, 0, width * threshold, 10]])
    scores = torch.tensor([1., 0.5])
    assert mmcv_torch_ops.nms(boxes, scores, threshold, 0).tolist() == [0, 1]
    theirs, = from_compiled(lambda extension: [extension.nms(boxes, scores, threshold, 0)])
    assert theirs.tolist() == [0, 1]


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_other_types(dtype):
    boxes, scores = random_boxes(40)
    boxes, scores = boxes.round().to(dtype), (torch.arange(40.).flip(0) / 64).to(dtype)
    assert mmcv_torch_ops.nms(boxes, scores, 0.3, 0).tolist() == references.nms(boxes, scores, 0.3)
    with operators(mmcv_torch_ops):
        dets, indices = module.soft_nms(boxes, scores)
        assert dets.dtype == dtype
        kept = references.soft_nms(boxes, scores, 0.3, 0.5, 1e-3, 'linear')
    assert indices.tolist() == [index for index, _ in kept]


def test_strided_boxes():
    boxes, scores = random_boxes(40)
    rows = torch.cat([boxes, scores[:, None]], 1)
    for layout in (rows, rows.t().contiguous().t()):
        assert mmcv_torch_ops.nms(layout[:, :4], layout[:, 4], 0.4, 0).tolist() == \
            references.nms(boxes, scores, 0.4)
        assert mmcv_torch_ops.nms_match(layout, 0.4) == references.nms_match(boxes, scores, 0.4)


def test_no_boxes(device):
    boxes, scores = random_boxes(0, device)
    kept = mmcv_torch_ops.nms(boxes, scores, 0.5, 0)
    assert kept.shape == (0,)
    assert kept.dtype == torch.int64
    assert mmcv_torch_ops.nms_match(torch.zeros(0, 5, device=device), 0.5) == []
    with operators(mmcv_torch_ops):
        dets, indices = module.soft_nms(boxes, scores)
        assert dets.shape == (0, 5)
        assert indices.shape == (0,)
        assert module.nms(boxes, scores, 0.5)[0].shape == (0, 5)
        assert module.batched_nms(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0), None)[0].shape == (0, 5)


def test_boxes_without_area_are_kept():
    boxes = torch.tensor([[5., 5, 5, 5], [5, 5, 5, 5], [0, 0, 10, 10]])
    scores = torch.tensor([0.9, 0.8, 0.7])
    assert mmcv_torch_ops.nms(boxes, scores, 0.5, 0).tolist() == [0, 1, 2]
    assert mmcv_torch_ops.nms_match(torch.cat([boxes, scores[:, None]], 1), 0.5) == [[0], [1], [2]]
    with operators(mmcv_torch_ops):
        dets, indices = module.soft_nms(boxes, scores, method='gaussian')
    assert indices.tolist() == [0, 1, 2]
    assert dets.isfinite().all()


@pytest.mark.parametrize('block', [1, 7, 50])
def test_blocks_of_nms_match(monkeypatch, device, block):
    boxes, scores = random_boxes(50, device)
    monkeypatch.setattr(sys.modules['mmcv_torch_ops.nms'], 'BLOCK', block)
    groups = mmcv_torch_ops.nms_match(torch.cat([boxes, scores[:, None]], 1), 0.3)
    assert groups == references.nms_match(boxes, scores, 0.3)


@pytest.mark.parametrize('threshold', [0.2, 0.6])
def test_nms_match(threshold):
    boxes, scores = random_boxes(50)
    dets = torch.cat([boxes, scores[:, None]], 1)
    groups = mmcv_torch_ops.nms_match(dets, threshold)
    assert groups == references.nms_match(boxes, scores, threshold)

    def compute(extension):
        theirs = extension.nms_match(dets, threshold)
        return torch.tensor([index for group in theirs for index in group]), torch.tensor(list(map(len, theirs)))

    assert [result.tolist() for result in compute(mmcv_torch_ops)] == [
        result.tolist() for result in from_compiled(compute)]
    with operators(mmcv_torch_ops):
        for group, array in zip(groups, module.nms_match(dets.numpy(), threshold), strict=True):
            np.testing.assert_array_equal(group, array)


@pytest.mark.parametrize('offset', [0, 1])
@pytest.mark.parametrize('method', METHODS)
def test_soft_nms(device, method, offset):
    boxes, scores = random_boxes(60, device)
    expected = references.soft_nms(boxes, scores, 0.3, 0.5, 0.05, method, offset)
    with operators(mmcv_torch_ops):
        dets, indices = module.soft_nms(boxes, scores, 0.3, 0.5, 0.05, method, offset)
    assert dets.device == boxes.device
    assert indices.tolist() == [index for index, _ in expected]
    torch.testing.assert_close(dets[:, :4], boxes[indices], rtol=0, atol=0)
    assert dets[:, 4].tolist() == pytest.approx([score for _, score in expected], rel=1e-6)


@pytest.mark.parametrize('method', METHODS)
def test_soft_nms_against_compiled(method):
    """Also the order of equal scores, which depends on how boxes are removed."""
    def compute(extension):
        results = []
        for seed in range(5):
            boxes, scores = random_boxes(200, size=60., seed=seed)
            with operators(extension):
                results += module.soft_nms(boxes.round(), (scores * 10).round() / 10, 0.3, 0.5, 0.05, method)
        return results

    check_detections(compute)


@pytest.mark.parametrize('method', METHODS)
def test_soft_nms_of_many_boxes(monkeypatch, method):
    """Their IoU is computed row by row, with the same result."""
    boxes, scores = random_boxes(60)
    results = []
    for limit in (1000, 10):
        monkeypatch.setattr('mmcv_torch_ops.soft_nms.MAX_PAIRWISE', limit)
        with operators(mmcv_torch_ops):
            results.append(module.soft_nms(boxes, scores, 0.3, 0.5, 0.05, method))
    torch.testing.assert_close(*results, rtol=0, atol=0)


@pytest.mark.parametrize('nms_cfg', [dict(type='nms', iou_threshold=0.5),
                                     dict(type='nms', iou_threshold=0.5, split_thr=10),
                                     dict(type='soft_nms', iou_threshold=0.5, method='gaussian')])
def test_batched_nms_against_compiled(nms_cfg):
    boxes, scores = random_boxes(100)
    labels = torch.arange(100) % 3

    def compute(extension):
        with operators(extension):
            return module.batched_nms(boxes, scores, labels, nms_cfg)

    check_detections(compute)
