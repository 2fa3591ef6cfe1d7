"""Checkpoint metadata: storage in state dicts, and warnings that name the config entry to change."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.model import BaseModel, ImgDataPreprocessor
from mmengine.registry import DefaultScope

import hrnet_plugin.plugin  # noqa: F401  installs the checks of whole models, as configs do
from hrnet_plugin.models import HRNet, HRNetClassifier
from hrnet_plugin.models.checkpoint_metadata import read_image_format
from hrnet_plugin.registry import MODELS

ARCH = 'w18_small_v1'
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


@pytest.fixture
def warnings(monkeypatch):
    lines = []
    monkeypatch.setattr('hrnet_plugin.models.checkpoint_metadata.print_log', lambda text, **_: lines.append(text))
    return lines


class Model(BaseModel):

    def __init__(self, **preprocessor):
        super().__init__(ImgDataPreprocessor(**preprocessor) if preprocessor else None)
        self.backbone = HRNet(ARCH)

    def forward(self, inputs):
        return self.backbone(inputs)


RGB = dict(mean=MEAN, std=STD, bgr_to_rgb=True)
BGR = dict(mean=MEAN[::-1], std=STD[::-1])
BGR1 = dict(mean=[102.9801, 115.9465, 122.7717], std=[1, 1, 1])


@pytest.mark.parametrize(('preprocessor', 'images'), [
    (RGB, 'RGB'), (BGR, 'BGR'), (BGR1, 'BGR, std 1'), (dict(bgr_to_rgb=True), None), ({}, None)])
def test_image_format_of_a_backbone(preprocessor, images):
    assert Model(**preprocessor).backbone.image_format == images


@pytest.mark.parametrize(('host', 'name'), [('mmdet', 'DetDataPreprocessor'), ('mmpose', 'PoseDataPreprocessor'),
                                            ('mmseg', 'SegDataPreProcessor'), ('mmpretrain', 'ClsDataPreprocessor')])
def test_upstream_preprocessors(host, name):
    pytest.importorskip(f'{host}.models')
    order = 'to_rgb' if host == 'mmpretrain' else 'bgr_to_rgb'
    with DefaultScope.overwrite_default_scope(host):
        for converts, images in ((True, 'RGB'), (False, 'BGR')):
            built = MODELS.build(ConfigDict(type=f'{host}.{name}', mean=MEAN, std=STD, **{order: converts}))
            assert read_image_format(built) == images


def test_meta_device_has_no_image_format():
    with torch.device('meta'):
        assert Model(**RGB).backbone.image_format is None


@pytest.mark.parametrize(('theirs', 'ours', 'message'), [
    (RGB, RGB, None), (RGB, {}, None), ({}, RGB, None),
    (RGB, BGR, 'trained on RGB images, but the network receives BGR. Set data_preprocessor.bgr_to_rgb=True, and '
               'reverse mean and std.'),
    (BGR1, BGR, 'trained on BGR, std 1 images, but the network receives BGR. Set data_preprocessor.bgr_to_rgb=False, '
                'and mean and std accordingly.')])
def test_warning_about_image_format(theirs, ours, message, warnings):
    Model(**ours).load_state_dict(Model(**theirs).state_dict())
    assert [line for line in warnings if message and message in line] == warnings
    assert len(warnings) == (message is not None)


def test_warning_about_eps(warnings):
    HRNet(ARCH).load_state_dict(HRNet(ARCH, norm_cfg=dict(type='BN', eps=1e-3)).state_dict())
    assert warnings == ['The checkpoint was trained with norm eps 0.001, but the network uses 1e-05. '
                    'Set backbone.norm_cfg.eps=0.001.']


@pytest.mark.parametrize(('theirs', 'ours'), [('sum', 'product'), ('product', 'sum')])
def test_warning_about_fusion_operator(theirs, ours, warnings):
    HRNet(ARCH, fusion_operator=ours).load_state_dict(HRNet(ARCH, fusion_operator=theirs).state_dict())
    assert warnings == [f"The checkpoint was trained with fusion operator '{theirs}', but the network uses '{ours}'. "
                    f"Set backbone.fusion_operator='{theirs}'."]
    warnings.clear()
    HRNet(ARCH, fusion_operator=ours).load_state_dict(HRNet(ARCH, fusion_operator=ours).state_dict())
    assert warnings == []


def test_warning_about_align_corners(warnings):
    pytest.importorskip('mmseg.models')
    heads = []
    for corners in (True, False):
        with DefaultScope.overwrite_default_scope('mmseg'):
            heads.append(MODELS.build(ConfigDict(type='hrnet_plugin.FCNHead', arch=ARCH, num_classes=3,
                                                 align_corners=corners)))
    heads[1].load_state_dict(heads[1].state_dict())
    assert not warnings
    heads[1].load_state_dict(heads[0].state_dict())
    assert warnings == ['The head checkpoint was trained with align_corners=True, but the head uses False. '
                    'Set decode_head.align_corners=True.']


def test_metadata_survives_copies(warnings):
    network = HRNet(ARCH)
    network.image_format = 'BGR'
    for copied in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        metadata = copied.state_dict()._metadata['']
        assert (metadata['upsampling'], metadata['images'], metadata['norm_eps']) == ('nearest', 'BGR', '1e-05')


def test_state_dicts_without_metadata_are_not_compared(warnings):
    model = HRNetClassifier(ARCH, num_classes=3)
    model.load_state_dict(dict(model.state_dict()))
    assert not warnings
