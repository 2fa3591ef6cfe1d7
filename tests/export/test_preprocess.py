"""Preprocessing of exported models against the data preprocessors of the hosts."""

from __future__ import annotations

import pytest
import torch
from mmengine.registry import MODELS, DefaultScope
from mmengine.structures import BaseDataElement

from hrnet_plugin.export.preprocess import Preprocessing, reverses_channels

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
NORMALIZED = dict(mean=MEAN, std=STD)
CASES = {
    'mmdet': ('mmdet', dict(type='DetDataPreprocessor', **NORMALIZED, bgr_to_rgb=True, pad_size_divisor=32)),
    'BGR': ('mmdet', dict(type='DetDataPreprocessor', mean=[103.53, 116.28, 123.675], std=[1., 1., 1.],
                          pad_size_divisor=128, pad_value=7)),
    'not normalized': ('mmdet', dict(type='DetDataPreprocessor', bgr_to_rgb=True)),
    'mmpose': ('mmpose', dict(type='PoseDataPreprocessor', **NORMALIZED, bgr_to_rgb=True)),
    'mmseg': ('mmseg', dict(type='SegDataPreProcessor', **NORMALIZED, bgr_to_rgb=True, size=(64, 64))),
    'size': ('mmseg', dict(type='SegDataPreProcessor', **NORMALIZED, bgr_to_rgb=True, pad_val=3,
                           test_cfg=dict(size=(48, 96)))),
    'divisor': ('mmseg', dict(type='SegDataPreProcessor', **NORMALIZED, test_cfg=dict(size_divisor=32)))}


@pytest.mark.parametrize('size', [(40, 70), (64, 96), (70, 33)])
@pytest.mark.parametrize('name', CASES)
def test_images_are_those_of_the_host(name, size):
    host, config = CASES[name]
    pytest.importorskip(f'{host}.models')
    with DefaultScope.overwrite_default_scope(host):
        preprocessor = MODELS.build(config)
    images = torch.randint(256, (2, 3, *size), dtype=torch.uint8)  # BGR
    meta = dict(img_shape=size, ori_shape=size)
    samples = [BaseDataElement(metainfo=meta) for _ in images]
    expected = preprocessor(dict(inputs=list(images), data_samples=samples), False)['inputs']
    ours = Preprocessing(preprocessor, flip_channels=not reverses_channels(preprocessor))
    assert torch.equal(ours(images.flip(1).float()), expected)
