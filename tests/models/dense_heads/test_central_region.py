"""Central region of boxes."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.models.dense_heads.central_region import CentralRegion


def reference(box, point, scale=150, small=3, large=5):
    """Apply the formulas of the paper to one box and one point."""
    x1, y1, x2, y2 = box
    n = small if ((x2 - x1) * (y2 - y1))**0.5 <= scale else large
    left, right = (((n + 1) * x1 + (n - 1) * x2) / (2 * n), ((n - 1) * x1 + (n + 1) * x2) / (2 * n))
    top, bottom = (((n + 1) * y1 + (n - 1) * y2) / (2 * n), ((n - 1) * y1 + (n + 1) * y2) / (2 * n))
    return left < point[0] < right and top < point[1] < bottom


@pytest.mark.parametrize('options', [{}, dict(scale=60), dict(small=1, large=2), dict(small=4, large=9)])
def test_equals_the_formulas_of_the_paper(options):
    low = torch.rand(200, 2, dtype=torch.float64) * 200
    boxes = torch.cat([low, low + torch.rand(200, 2, dtype=torch.float64) * 300], 1)
    points = torch.rand(300, 2, dtype=torch.float64) * 500
    ours = CentralRegion(**options).contains(boxes, points)
    theirs = [[reference(box, point, **options) for point in points.tolist()] for box in boxes.tolist()]
    assert 100 < ours.sum() < ours.numel() / 2
    assert ours.tolist() == theirs


@pytest.mark.parametrize(('size', 'inside'), [((150, 150), True), ((150.1, 150), False), ((75, 300), True),
                                              ((76, 300), False), ((149, 149), True), ((400, 400), False)])
def test_the_region_of_boxes_above_150_is_smaller(size, inside):
    """Test a point at 0.37 of the box, which is in its middle third but not in its middle fifth."""
    box = torch.tensor([[10., 20., 10 + size[0], 20 + size[1]]])
    point = box[:, :2] + 0.37 * torch.tensor([size])
    assert CentralRegion().contains(box, point).item() is inside


def test_empty_boxes_contain_no_points():
    assert not CentralRegion().contains(torch.tensor([[5., 5., 5., 9.]]), torch.tensor([[5., 7.]])).any()


@pytest.mark.parametrize(('options', 'error', 'message'), [
    (dict(scale=0), ValueError, 'central_region.scale must be a number above 0, got 0'),
    (dict(scale='150'), ValueError, "central_region.scale must be a number above 0, got '150'"),
    (dict(small=0), ValueError, 'central_region.small must be at least 1, got 0'),
    (dict(large=2.5), TypeError, 'central_region.large must be an int, got 2.5')])
def test_mistakes(options, error, message):
    with pytest.raises(error, match=message):
        CentralRegion(**options)
