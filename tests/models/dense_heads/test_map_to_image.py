"""Transform from feature-map coordinates to pixels of the original image."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.models.dense_heads.map_to_image import MapToImage


def test_an_image_that_fills_the_input():
    transform = MapToImage.from_meta(dict(img_shape=(511, 511)), (128, 128))
    points, inside = transform(torch.tensor([[0., 0.], [64., 32.], [128., 128.]]))
    torch.testing.assert_close(points, torch.tensor([[0., 0.], [255.5, 127.75], [511., 511.]]))
    assert inside.all()


def test_batch_input_shape_determines_the_stride():
    transform = MapToImage.from_meta(dict(img_shape=(100, 80), batch_input_shape=(128, 128)), (32, 32))
    assert transform(torch.tensor([[10., 20.]]))[0].tolist() == [[40., 80.]]


def test_border_and_scale_factor():
    """Transform points of an image of 60 x 40, scaled by 2, in the middle of 255 x 127."""
    meta = dict(img_shape=(127, 255), border=(23., 103., 67., 187.), scale_factor=(2.0, 2.0))
    points, inside = MapToImage.from_meta(meta, (32, 64))(torch.tensor([[67 * 64 / 255, 23 * 32 / 127],
                                                               [187 * 64 / 255, 103 * 32 / 127],
                                                               [127 * 64 / 255, 63 * 32 / 127]]))
    torch.testing.assert_close(points, torch.tensor([[0., 0.], [60., 40.], [30., 20.]]))
    assert inside.all()


@pytest.mark.parametrize(('x', 'pixels', 'inside'), [
    (5, 0, True), (4, 0, True), (3.5, 0, False), (15, 10, True), (26, 20, True), (26.5, 20, False)])
def test_points_outside_of_the_image(x, pixels, inside):
    """Check clamping and the mask with stride 4, an image from x = 20 to 100, and a scale of 4."""
    meta = dict(img_shape=(120, 120), border=(0., 120., 20., 100.), scale_factor=(4., 1.))
    transform = MapToImage.from_meta(meta, (30, 30))
    points, found = transform(torch.tensor([[x, 5.]]))
    assert points[0].tolist() == [pixels, 20]
    assert found.item() is inside


def test_padded_image_requires_border():
    meta = dict(img_shape=(511, 639), ori_shape=(427, 640), scale_factor=(1., 1.))
    with pytest.raises(ValueError, match=r"must be 640 x 427 .*without 'border'.*, got 639 x 511\. Add"):
        MapToImage.from_meta(meta, (128, 160))
    MapToImage.from_meta(dict(meta, border=(42., 469., 0., 639.)), (128, 160))
    MapToImage.from_meta(dict(img_shape=(511, 639), ori_shape=(512, 640)), (128, 160))


def test_last_column_is_part_of_the_image():
    """Check width 639, for which RandomCenterCropPad gives a border of 638 pixels."""
    meta = dict(img_shape=(127, 639), ori_shape=(100, 639), border=(13., 113., 0., 638.), scale_factor=(1., 1.))
    points, _ = MapToImage.from_meta(meta, (32, 160))(torch.tensor([[170., 8.]]))
    assert points[0, 0] == 639
