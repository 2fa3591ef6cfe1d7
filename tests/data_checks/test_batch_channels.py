"""Channels of a batch against preprocessor and backbone."""

from __future__ import annotations

import pytest
import torch
from mmengine.model import ImgDataPreprocessor
from torch import nn

from hrnet_plugin.data_checks.channels import channel_error, image_channels
from hrnet_plugin.models import HRNet


class Model(nn.Module):

    def __init__(self, in_channels, **preprocessor):
        super().__init__()
        self.data_preprocessor = ImgDataPreprocessor(**preprocessor)
        self.backbone = HRNet('w18_small_v1', in_channels=in_channels)


RGB = dict(mean=[1., 2., 3.], std=[1., 2., 3.])


@pytest.mark.parametrize(('channels', 'in_channels', 'preprocessor', 'words'), [
    (3, 3, dict(RGB, bgr_to_rgb=True), None),
    (4, 4, {}, None),
    (4, 4, dict(mean=[1.], std=[1.]), None),
    (1, 1, dict(mean=[1.], std=[1.]), None),
    (4, 3, {}, ['which have 4 channels', 'model.backbone.in_channels=3', 'Set model.backbone.in_channels=4',
                "color_type='color'"]),
    (3, 1, {}, ["color_type='grayscale'"]),
    (4, 4, dict(bgr_to_rgb=True), ['model.data_preprocessor.bgr_to_rgb=True', 'bgr_to_rgb=False']),
    (4, 3, dict(RGB, bgr_to_rgb=True), ['in_channels=4', 'mean with 1 value', 'bgr_to_rgb=False']),
])
def test_entries_that_do_not_match_are_named(channels, in_channels, preprocessor, words):
    message = channel_error(channels, Model(in_channels, **preprocessor))
    assert (message == '') if words is None else all(word in message for word in words), message


def test_stems_that_rearrange_pixels_are_not_compared():
    """As the Focus stem of YOLOX, whose first convolution has four times the channels of the image."""
    model = Model(3)
    model.backbone = nn.Sequential(nn.Conv2d(12, 8, 3))
    assert channel_error(3, model) == ''


def test_wrapped_models_are_unwrapped():
    wrapper = nn.Module()
    wrapper.module = Model(3)
    assert 'in_channels=3' in channel_error(4, wrapper)


def test_channels_of_batches_and_samples():
    image = torch.zeros(4, 8, 6)
    for batch in (dict(inputs=image), dict(inputs=[image, image]), dict(inputs=[[image], [image]]),
                  dict(inputs=torch.zeros(2, 4, 8, 6)), [image]):
        assert image_channels(batch) == 4
    for other in (dict(), dict(inputs=dict(teacher=image)), dict(inputs=[])):
        assert image_channels(other) is None
