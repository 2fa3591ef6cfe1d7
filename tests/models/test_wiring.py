"""Parts of a detector that do not fit are refused while the host builds it, with the entry to change."""

from __future__ import annotations

import copy
import pickle
import re

import pytest
import torch
from mmengine.config import Config
from torch import nn

from hrnet_plugin.config_files import cfg
from hrnet_plugin.models import HRFPN, HRNet

pytest.importorskip('mmdet')
from mmdet.registry import MODELS
from mmdet.utils import register_all_modules

FASTER, FCOS = 'faster-rcnn_hrnetv2p-w18_1x_coco', 'fcos_hrnetv2p-w18_1x_coco'
HTC, DINO = 'htc_hrnetv2p-w18_20e_coco', 'dino_hrnetv2p-w18_12e_coco'
CENTERNET = 'centernet_hrnetv2-w18_crop512-140e_coco'


@pytest.fixture(autouse=True, scope='module')
def _in_mmdets_scope():
    register_all_modules(init_default_scope=True)


def build(name, **changes):
    config = Config.fromfile(cfg(name))
    config.merge_from_dict({f'model.{key.replace("__", ".")}': value for key, value in changes.items()})
    with torch.device('meta'):
        return MODELS.build(config.model)


# config, what is changed, what the message says
MISTAKES = [
    (FCOS, dict(neck__stride=1),
     'bbox_head.strides must be [4, 8, 16, 32, 64], the strides of the neck\'s levels, got [8, 16, 32, 64, 128]; '
     'or set neck.stride=2, neck.num_outs=5'),
    (FCOS, dict(neck__num_outs=6), 'bbox_head.strides must be [8, 16, 32, 64, 128, 256]'),
    (FCOS, dict(neck__num_outs=6, bbox_head__strides=[8, 16, 32, 64, 128, 256]),
     'bbox_head.regress_ranges must have one entry for each of the neck\'s 6 levels, got 5'),
    (FCOS, dict(neck__out_channels=128), 'bbox_head.in_channels must be 128, the neck\'s out_channels, got 256'),
    (FASTER, dict(neck__arch='w32'), 'neck.in_channels must be [18, 36, 72, 144], which the backbone gives, got '
     '[32, 64, 128, 256]: give neck and backbone the same arch'),
    (FASTER, dict(backbone__multiscale_output=False), 'neck.in_channels must be [18], which the backbone gives'),
    (FASTER, dict(neck__stride=2), 'rpn_head.anchor_generator.strides must be [8, 16, 32, 64, 128]'),
    (FASTER, dict(roi_head__bbox_roi_extractor__featmap_strides=[8, 16, 32, 64]),
     'roi_head.bbox_roi_extractor.featmap_strides must be [4, 8, 16, 32], the strides of the neck\'s levels, got '
     '[8, 16, 32, 64]; or set neck.stride=2, neck.num_outs=5'),
    (FASTER, dict(roi_head__bbox_roi_extractor__out_channels=128),
     'roi_head.bbox_roi_extractor.out_channels must be 256'),
    (HTC, dict(roi_head__mask_roi_extractor__featmap_strides=[4, 8, 16, 64]),
     'roi_head.mask_roi_extractor.featmap_strides must be [4, 8, 16, 32], the strides of the neck\'s levels, got '
     '[4, 8, 16, 64]'),
    (HTC, dict(roi_head__semantic_head__num_ins=4), 'roi_head.semantic_head.num_ins must be 5'),
    (HTC, dict(roi_head__semantic_head__in_channels=128), 'roi_head.semantic_head.in_channels must be 256'),
    (HTC, dict(roi_head__semantic_roi_extractor__featmap_strides=[4]),
     'roi_head.semantic_roi_extractor.featmap_strides (semantic_head.fusion_level = 1) must be [8]'),
    (DINO, dict(neck__num_outs=5),
     'encoder.layer_cfg.self_attn_cfg.num_levels must be 5, the neck\'s number of levels, got 4; '
     'or set neck.num_outs=4'),
    (DINO, dict(neck__out_channels=128), 'encoder.layer_cfg.self_attn_cfg.embed_dims must be 128'),
    (CENTERNET, dict(neck__type='hrnet_plugin.HRFPN'), 'bbox_head (CenterNetHead) reads one map, the neck gives 5: set '
     "neck.num_outs=1, or neck.type='hrnet_plugin.HRNetV2'"),
]


@pytest.mark.parametrize(('name', 'changes', 'message'), MISTAKES)
def test_a_mistake_is_refused_with_the_entry_to_change(name, changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        build(name, **changes)


def test_the_advice_works():
    build(FCOS, neck__stride=1, bbox_head__strides=[4, 8, 16, 32, 64])
    build(FCOS, neck__stride=2, neck__num_outs=5)
    build(CENTERNET, neck__type='hrnet_plugin.HRFPN', neck__num_outs=1)


def test_hosts_own_necks_are_checked_against_the_backbone():
    fpn = dict(type='mmdet.FPN', in_channels=[256, 512, 1024, 2048], out_channels=256, num_outs=5, _delete_=True)
    config = Config.fromfile(cfg(FASTER))
    config.merge_from_dict(dict(model=dict(neck=fpn)))
    with torch.device('meta'), pytest.raises(ValueError, match=r'neck.in_channels must be \[18, 36, 72, 144\]'):
        MODELS.build(config.model)
    config.model.neck.in_channels = [18, 36, 72, 144]
    with torch.device('meta'):
        MODELS.build(config.model)


def test_models_without_our_parts_are_left_alone():
    class Detector(nn.Module):
        def __init__(self, neck):
            super().__init__()
            self.neck = neck
            self.bbox_head = nn.Linear(1, 1)
            self.rpn_head = None

    Detector(nn.Identity())
    Detector(HRFPN([8, 16]))  # heads that say nothing of levels


def test_a_built_detector_is_copied_and_pickled_as_before():
    model = build(FCOS)
    copy.deepcopy(model)
    backbone = HRNet('w18_small_v1')
    assert pickle.loads(pickle.dumps(backbone)).out_channels == backbone.out_channels
