"""Build-time errors for heads of mmpose and mmsegmentation that do not match the backbone."""

from __future__ import annotations

import re
import warnings

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch import nn

import hrnet_plugin.plugin  # noqa: F401  (enables the checks)
from hrnet_plugin.config_files import cfg
from hrnet_plugin.models import HRNet

POSE, FCN = 'td-hm_hrnetv1-w32_210e_coco-256x192', 'fcn_hrnetv2-w18_120k_cityscapes'
OCR = 'ocr_hrnetv2-w18_120k_cityscapes'


def build(name, **changes):
    config = Config.fromfile(cfg(name))
    pytest.importorskip(config.default_scope)
    config.merge_from_dict({f'model.{key.replace("__", ".")}': value for key, value in changes.items()})
    with DefaultScope.overwrite_default_scope(config.default_scope), torch.device('meta'):
        return MODELS.build(config.model)


@pytest.mark.parametrize(('name', 'changes', 'message'), [
    (POSE, dict(backbone__multiscale_output=True),
     'head.in_channels must be 256, as in the last feature map of the backbone (all: [32, 64, 128, 256]), got 32. '
     'Set backbone.out_indices=(0,) with multiscale_output=None, or head.in_channels=256'),
    (POSE, dict(backbone__multiscale_output=True, head__in_channels=480),
     "Add neck=dict(type='hrnet_plugin.HRNetV2'"),
    (POSE, dict(backbone__arch='w48'), 'got 32. Set head.in_channels=48'),
    (FCN, dict(decode_head__arch='w48'), 'decode_head.in_channels must be [18, 36, 72, 144], as in the backbone, '
     'got 720 in total. Set the same arch in decode_head and backbone'),
    (FCN, dict(backbone__multiscale_output=False), 'decode_head.in_index must be below 1, the number of feature maps '
     'of the backbone (out_indices=(0,)), got [0, 1, 2, 3]'),
])
def test_mistakes(name, changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        build(name, **changes)


@pytest.mark.parametrize('changes', [
    dict(decode_head__align_corners=True),
    dict(backbone__upsample=dict(_delete_=True, mode='bilinear', align_corners=True))])
def test_different_align_corners(changes):
    with pytest.warns(UserWarning, match=r'decode_head.align_corners is .* In all published networks, both are equal'):
        build(FCN, **changes)


def ocr(**changes):
    """Build the OCR model with changed entries in the second head."""
    config = Config.fromfile(cfg(OCR))
    pytest.importorskip('mmseg')
    config.model.decode_head[1].update(changes)
    with DefaultScope.overwrite_default_scope('mmseg'), torch.device('meta'):
        return MODELS.build(config.model)


def test_cascades_of_heads():
    """mmsegmentation registers the list before it adds the heads."""
    ocr()
    with pytest.raises(ValueError, match=r'decode_head\[1\].in_channels must be \[18, 36, 72, 144\].*got 480 in total'):
        ocr(arch='w32')
    with pytest.raises(ValueError, match=r'decode_head\[1\].num_classes must be 19, as in the first head, got 5'):
        ocr(num_classes=5, loss_decode=dict(type='hrnet_plugin.PixelCrossEntropy', class_weight=None))
    with pytest.warns(UserWarning, match=r'decode_head\[1\].align_corners is False'):
        ocr(align_corners=False)
    with pytest.raises(ValueError, match=r'decode_head\[0\].in_channels must be \[48, 96, 192, 384\]'):
        build(OCR, backbone__arch='w48')
    head = dict(type='mmseg.FCNHead', in_channels=99, in_index=1, channels=8, num_classes=19)
    with pytest.raises(ValueError, match=r'auxiliary_head\[0\].in_channels must be \[36\]'):
        build(FCN, auxiliary_head=[head])


def test_user_defined_heads_are_not_checked():
    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = HRNet('w18_small_v1')
            self.head = nn.Linear(240, 5)
            self.head.in_channels = 240
            self.decode_head = nn.ModuleList([nn.Linear(240, 5)])
            self.auxiliary_head = nn.Linear(5, 5)
            self.auxiliary_head.in_index, self.auxiliary_head.in_channels = 7, 3

    Model()


def test_valid_models():
    with warnings.catch_warnings():
        warnings.filterwarnings('error', message='.*published networks.*')
        build(FCN)
        build(FCN, backbone__upsample='nearest')
    build(POSE, backbone__multiscale_output=True, head__in_channels=256)  # heat maps of the coarsest branch
    build('td-hm_hrnetv2-w32_210e_coco-256x192')


def test_auxiliary_heads():
    pytest.importorskip('mmseg')
    head = dict(type='mmseg.FCNHead', in_channels=36, in_index=1, channels=8, num_classes=19)
    build(FCN, auxiliary_head=head)
    with pytest.raises(ValueError, match=r'auxiliary_head.in_channels must be \[72\]'):
        build(FCN, auxiliary_head={**head, 'in_index': 2})
