"""RoIAlign and RoIPool agree with a compiled mmcv, with references and with finite differences."""

from __future__ import annotations

from functools import partial

import mmcv_ops_helpers as helpers
import mmcv_ops_references as references
import mmcv_torch_ops
import pytest
import torch
from mmcv_ops_helpers import DEVICES, assert_close, mmcv_module, operators

MODES = ('avg', 'max')
HALF = (torch.float16, torch.bfloat16)


@pytest.fixture(params=DEVICES)
def device(request):
    return request.param


def align(ratio=0, mode='avg', aligned=True, bins=3, scale=0.25):
    function = mmcv_module('roi_align').roi_align
    return lambda x, rois: function(x, rois.detach(), bins, scale, ratio, mode, aligned)


def pool(bins=3, scale=0.25):
    function = mmcv_module('roi_pool').roi_pool
    return lambda x, rois: function(x, rois.detach(), bins, scale)


def features(dtype=torch.float32, device='cpu'):
    return torch.randn(2, 3, 12, 15, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).to(device, dtype)


def rois(dtype=torch.float32, device='cpu'):
    """Boxes inside, across the border, outside, smaller than a pixel, empty and the whole image."""
    return torch.tensor([[0, 3.3, 5.1, 30.7, 41.9], [1, 10.2, 8.4, 18.6, 33.3], [1, -9.5, -7.7, 12.3, 9.9],
                         [0, 50.3, 40.1, 75.5, 60.6], [0, 200.1, 200.2, 240.3, 230.4], [1, 20.1, 20.2, 20.9, 21.3],
                         [0, 16.2, 16.4, 16.2, 16.4], [1, 0, 0, 60, 48]], dtype=dtype, device=device)


ALIGN_CASES = [pytest.param(ratio, mode, aligned, id=f'{ratio}-{mode}-{"aligned" if aligned else "legacy"}')
               for ratio in (0, 2) for mode in MODES for aligned in (True, False)]


@pytest.mark.parametrize(('ratio', 'mode', 'aligned'), ALIGN_CASES)
def test_roi_align(device, ratio, mode, aligned):
    x, boxes = features(torch.float64, device), rois(torch.float64, device)
    expected = references.roi_align(x.cpu(), boxes.cpu(), 3, 0.25, ratio, mode, aligned)
    with operators(mmcv_torch_ops):
        assert_close([align(ratio, mode, aligned)(x, boxes)], [expected.to(device)], 1e-12)
        single = align(ratio, mode, aligned)(x.float(), boxes.float())
    assert_close([single], [expected.float().to(device)], 2e-6)  # coordinates are rounded too


@pytest.mark.parametrize(('ratio', 'mode', 'aligned'), ALIGN_CASES)
def test_roi_align_against_compiled(device, ratio, mode, aligned):
    boxes = rois(device=device)
    if mode == 'max':  # maxima without samples are -10000 in mmcv
        boxes = boxes[(boxes[:, 1] != boxes[:, 3])]
    helpers.check_against_compiled(align(ratio, mode, aligned), features(device=device), boxes, device=device)


@pytest.mark.parametrize(('ratio', 'mode', 'aligned'), ALIGN_CASES)
def test_gradients_of_roi_align(ratio, mode, aligned):
    boxes = rois(torch.float64)
    helpers.check_gradients(lambda x: align(ratio, mode, aligned)(x, boxes), features())


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('dtype', HALF)
def test_roi_align_in_half_types(device, dtype, mode):
    boxes = rois(device=device).round() + 0.5  # coordinates that both types represent
    tolerance_of_coordinates = partial(helpers.check_half, dtype=dtype)
    if mode == 'avg':
        tolerance_of_coordinates(align(), features(device=device), boxes)
    else:  # mmcv stores the maxima's coordinates in the type of the feature map, so gradients have its precision
        outputs = [helpers.with_gradients(align(mode='max'), tensor, boxes.to(tensor))[0]
                   for tensor in (features(dtype, device), features(dtype, device).float())]
        assert_close(outputs[:1], [outputs[1].to(dtype)], 0)


@pytest.mark.parametrize('mode', MODES)
def test_layouts_of_roi_align(device, mode):
    helpers.check_layouts(align(mode=mode), features(device=device), rois(device=device))


@pytest.mark.parametrize('mode', MODES)
def test_roi_align_under_autocast(device, mode):
    helpers.check_autocast(align(mode=mode), features(device=device), rois(device=device))


@pytest.mark.parametrize('function', [align(), align(mode='max'), pool()], ids=['avg', 'max', 'pool'])
@pytest.mark.parametrize(('batch', 'number'), [(2, 0), (0, 0)])
def test_no_rois(device, function, batch, number):
    output, grad = helpers.with_gradients(function, features(device=device)[:batch], rois(device=device)[:number])
    assert output.shape == (0, 3, 3, 3)
    assert grad.shape == (batch, 3, 12, 15)
    assert not grad.any()


@pytest.mark.parametrize('mode', MODES)
def test_rois_of_negative_size_are_empty(mode):
    boxes = torch.tensor([[0., 30, 30, 10, 40], [0, 30, 30, 40, 10], [1, 40, 40, 10, 10]])
    output, grad = helpers.with_gradients(align(mode=mode), features(), boxes)
    assert not output.any()
    assert not grad.any()


def test_maxima_of_empty_rois_have_no_location():
    boxes = torch.tensor([[0., 16, 16, 16, 16]])
    output, y, x = (torch.full((1, 3, 2, 2), 5.) for _ in range(3))
    mmcv_torch_ops.roi_align_forward(features(), boxes, output, y, x, 2, 2, 0.25, 0, 0, True)
    assert not output.any()
    assert (y == -1).all()
    assert (x == -1).all()


def test_locations_of_maxima_against_compiled():
    def compute(extension):
        outputs = [torch.zeros(6, 3, 2, 2) for _ in range(3)]
        extension.roi_align_forward(features(), rois()[:6], *outputs, 2, 2, 0.25, 0, 0, True)
        return outputs

    assert_close(compute(mmcv_torch_ops), helpers.from_compiled(compute))


@pytest.mark.parametrize('scale', [0.25, 1.0])
def test_roi_pool(device, scale):
    x, boxes = features(torch.float64, device), rois(torch.float64, device)
    expected = references.roi_pool(x.cpu(), boxes.cpu(), 3, scale)
    with operators(mmcv_torch_ops):
        assert_close([pool(scale=scale)(x, boxes)], [expected.to(device)], 0)


def test_roi_pool_against_compiled():
    if not torch.cuda.is_available():
        pytest.skip('mmcv has RoIPool for CUDA only')
    helpers.check_against_compiled(pool(), features(device='cuda'), rois(device='cuda'), device='cuda')


def test_gradients_of_roi_pool():
    boxes = rois(torch.float64)
    helpers.check_gradients(lambda x: pool()(x, boxes), features())


@pytest.mark.parametrize('dtype', HALF)
def test_roi_pool_in_half_types(device, dtype):
    helpers.check_half(pool(), features(device=device), rois(device=device).round(), dtype=dtype)


def test_layouts_of_roi_pool(device):
    helpers.check_layouts(pool(), features(device=device), rois(device=device))
    helpers.check_autocast(pool(), features(device=device), rois(device=device))


def test_empty_bins_have_no_gradient():
    """This includes RoIs without area, whose gradient mmcv adds to the first pixel."""
    boxes = torch.tensor([[0., 30, 30, 10, 10], [0, 200, 200, 240, 240]])
    output, grad = helpers.with_gradients(pool(), features(), boxes)
    assert not output.any()
    assert not grad.any()


def test_equal_values_pass_the_gradient_to_the_first():
    box = torch.tensor([[0., 1, 1, 3, 3]])
    output, grad = helpers.with_gradients(pool(bins=1, scale=1.), torch.zeros(1, 1, 4, 4), box)
    assert output.item() == 0
    assert grad.nonzero().tolist() == [[0, 0, 1, 1]]


@pytest.mark.parametrize('limit', [1, 60])
def test_chunks_of_rois(monkeypatch, device, limit):
    """The results do not depend on them."""
    x, boxes = features(torch.float64, device), rois(torch.float64, device)
    expected = [helpers.with_gradients(function, x, boxes) for function in (align(mode='max'), pool())]
    monkeypatch.setattr('mmcv_torch_ops.roi_align_max.MAX_GRADIENTS', limit)
    monkeypatch.setattr('mmcv_torch_ops.roi_pool.CHUNK', limit // 20 + 1)
    for function, results in zip((align(mode='max'), pool()), expected):
        assert_close(helpers.with_gradients(function, x, boxes), results, 1e-14)


def test_maxima_of_negative_values():
    """Samples outside the feature map are 0."""
    x, boxes = -1 - features(torch.float64).abs(), rois(torch.float64)
    with operators(mmcv_torch_ops):
        assert_close([align(mode='max')(x, boxes)], [references.roi_align(x, boxes, 3, 0.25, 0, 'max', True)], 1e-12)
        assert_close([pool()(x, boxes)], [references.roi_pool(x, boxes, 3, 0.25)], 0)
