"""Facts that change outputs and no names travel with weights, and a conflict is told with the line to change."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.model import BaseModel, ImgDataPreprocessor
from mmengine.registry import DefaultScope

from hrnet_plugin.models import HRNet, HRNetClassifier
from hrnet_plugin.models.weight_notes import images_of
from hrnet_plugin.registry import MODELS

ARCH = 'w18_small_v1'
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


@pytest.fixture
def told(monkeypatch):
    lines = []
    monkeypatch.setattr('hrnet_plugin.models.weight_notes.print_log', lambda text, **_: lines.append(text))
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
def test_a_network_knows_its_images(preprocessor, images):
    assert Model(**preprocessor).backbone.images == images


@pytest.mark.parametrize(('host', 'name'), [('mmdet', 'DetDataPreprocessor'), ('mmpose', 'PoseDataPreprocessor'),
                                            ('mmseg', 'SegDataPreProcessor'), ('mmpretrain', 'ClsDataPreprocessor')])
def test_preprocessors_of_hosts(host, name):
    pytest.importorskip(f'{host}.models')
    order = 'to_rgb' if host == 'mmpretrain' else 'bgr_to_rgb'
    with DefaultScope.overwrite_default_scope(host):
        for converts, images in ((True, 'RGB'), (False, 'BGR')):
            built = MODELS.build(ConfigDict(type=f'{host}.{name}', mean=MEAN, std=STD, **{order: converts}))
            assert images_of(built) == images


def test_nothing_is_known_on_the_meta_device():
    with torch.device('meta'):
        assert Model(**RGB).backbone.images is None


@pytest.mark.parametrize(('theirs', 'ours', 'message'), [
    (RGB, RGB, None), (RGB, {}, None), ({}, RGB, None),
    (RGB, BGR, 'trained on RGB images, and the network gets BGR: for the same ones set data_preprocessor.bgr_to_rgb='
               'True, and mean and std in the other order'),
    (BGR1, BGR, 'trained on BGR, std 1 images, and the network gets BGR: for the same ones set data_preprocessor.'
                'bgr_to_rgb=False, and mean and std accordingly')])
def test_other_images_are_told(theirs, ours, message, told):
    Model(**ours).load_state_dict(Model(**theirs).state_dict())
    assert [line for line in told if message and message in line] == told
    assert len(told) == (message is not None)


def test_other_eps_is_told(told):
    HRNet(ARCH).load_state_dict(HRNet(ARCH, norm_cfg=dict(type='BN', eps=1e-3)).state_dict())
    assert told == ['these weights were trained with eps 0.001 in norms, and the network has 1e-05: for the same '
                    'outputs set backbone.norm_cfg.eps=0.001']


@pytest.mark.parametrize(('theirs', 'ours'), [('sum', 'product'), ('product', 'sum')])
def test_another_operator_of_the_fusion_is_told(theirs, ours, told):
    HRNet(ARCH, fusion_operator=ours).load_state_dict(HRNet(ARCH, fusion_operator=theirs).state_dict())
    assert told == [f'these weights were trained with the {theirs} of maps in the fusion, and the network takes the '
                    f"{ours}: for the same outputs set backbone.fusion_operator='{theirs}'"]
    told.clear()
    HRNet(ARCH, fusion_operator=ours).load_state_dict(HRNet(ARCH, fusion_operator=ours).state_dict())
    assert told == []


def test_heads_remember_align_corners(told):
    pytest.importorskip('mmseg.models')
    heads = []
    for corners in (True, False):
        with DefaultScope.overwrite_default_scope('mmseg'):
            heads.append(MODELS.build(ConfigDict(type='hrnet_plugin.FCNHead', arch=ARCH, num_classes=3,
                                                 align_corners=corners)))
    heads[1].load_state_dict(heads[1].state_dict())
    assert not told
    heads[1].load_state_dict(heads[0].state_dict())
    assert told == ['these weights of a head were trained with align_corners=True, and the head has False: for the '
                    "same outputs set the decode_head's align_corners=True"]


def test_notes_survive_copies(told):
    network = HRNet(ARCH)
    network.images = 'BGR'
    for copied in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        metadata = copied.state_dict()._metadata['']
        assert (metadata['upsampling'], metadata['images'], metadata['norm_eps']) == ('nearest', 'BGR', '1e-05')


def test_files_without_notes_are_not_compared(told):
    model = HRNetClassifier(ARCH, num_classes=3)
    model.load_state_dict(dict(model.state_dict()))
    assert not told
