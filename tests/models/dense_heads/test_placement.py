"""From cells of a map to pixels of the original image."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.models.dense_heads.placement import Placement


def test_an_image_that_fills_the_input():
    place = Placement.of(dict(img_shape=(511, 511)), (128, 128))
    points, inside = place(torch.tensor([[0., 0.], [64., 32.], [128., 128.]]))
    torch.testing.assert_close(points, torch.tensor([[0., 0.], [255.5, 127.75], [511., 511.]]))
    assert inside.all()


def test_the_larger_input_of_a_batch_counts():
    place = Placement.of(dict(img_shape=(100, 80), batch_input_shape=(128, 128)), (32, 32))
    assert place(torch.tensor([[10., 20.]]))[0].tolist() == [[40., 80.]]


def test_borders_and_scale_are_taken_back():
    """An image of 60 x 40, enlarged twice, in the middle of 255 x 127."""
    meta = dict(img_shape=(127, 255), border=(23., 103., 67., 187.), scale_factor=(2.0, 2.0))
    points, inside = Placement.of(meta, (32, 64))(torch.tensor([[67 * 64 / 255, 23 * 32 / 127],
                                                               [187 * 64 / 255, 103 * 32 / 127],
                                                               [127 * 64 / 255, 63 * 32 / 127]]))
    torch.testing.assert_close(points, torch.tensor([[0., 0.], [60., 40.], [30., 20.]]))
    assert inside.all()


@pytest.mark.parametrize(('x', 'pixels', 'inside'), [
    (5, 0, True), (4, 0, True), (3.5, 0, False), (15, 10, True), (26, 20, True), (26.5, 20, False)])
def test_what_is_just_outside_is_cut_off_and_what_is_far_outside_is_marked(x, pixels, inside):
    """Cells of 4 pixels; an image of 80 begins at 20; four pixels are one of the original."""
    place = Placement.of(dict(img_shape=(120, 120), border=(0., 120., 20., 100.), scale_factor=(4., 1.)), (30, 30))
    points, found = place(torch.tensor([[x, 5.]]))
    assert points[0].tolist() == [pixels, 20]
    assert found.item() is inside


def test_an_image_of_another_size_than_it_should_have_needs_its_border():
    meta = dict(img_shape=(511, 639), ori_shape=(427, 640), scale_factor=(1., 1.))
    with pytest.raises(ValueError, match=r"should be of 640 x 427, got one of 639 x 511 without 'border'.*: add"):
        Placement.of(meta, (128, 160))
    Placement.of(dict(meta, border=(42., 469., 0., 639.)), (128, 160))
    Placement.of(dict(img_shape=(511, 639), ori_shape=(512, 640)), (128, 160))


def test_the_last_column_that_mmdets_padding_loses_is_a_part_of_the_image():
    """639 is its own padded size, of which an even number fits around the middle."""
    meta = dict(img_shape=(127, 639), ori_shape=(100, 639), border=(13., 113., 0., 638.), scale_factor=(1., 1.))
    points, _ = Placement.of(meta, (32, 160))(torch.tensor([[170., 8.]]))
    assert points[0, 0] == 639
