"""Build-time errors for necks and heads of detectors that do not match."""

from __future__ import annotations

import copy
import pickle
import re

import pytest
import torch
from mmengine.config import Config
from torch import nn

import hrnet_plugin.plugin  # noqa: F401  (enables the checks)
from hrnet_plugin.config_files import cfg
from hrnet_plugin.models import HRFPN, HRNet

pytest.importorskip('mmdet')
from mmdet.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmdet_scope')

FASTER, FCOS = 'faster-rcnn_hrnetv2p-w18_1x_coco', 'fcos_hrnetv2p-w18_1x_coco'
HTC, DINO = 'htc_hrnetv2p-w18_20e_coco', 'dino_hrnetv2p-w18_12e_coco'
CENTERNET = 'centernet_hrnetv2-w18_crop512-140e_coco'
V1H = 'faster-rcnn_hrnetv1h-w32_1x_coco'
TRIPLETS = 'centernet-triplet_hrnetv2-w48_crop511-480k_coco'


def build(name, **changes):
    config = Config.fromfile(cfg(name))
    config.merge_from_dict({f'model.{key.replace("__", ".")}': value for key, value in changes.items()})
    with torch.device('meta'):
        return MODELS.build(config.model)


# config, changes, error message
MISTAKES = [
    (FCOS, dict(neck__stride=1),
     'bbox_head.strides must be [4, 8, 16, 32, 64], the strides of the neck\'s levels, got [8, 16, 32, 64, 128]; '
     'or set neck.stride=2, neck.num_outs=5'),
    (FCOS, dict(neck__num_outs=6), 'bbox_head.strides must be [8, 16, 32, 64, 128, 256]'),
    (FCOS, dict(neck__num_outs=6, bbox_head__strides=[8, 16, 32, 64, 128, 256]),
     'bbox_head.regress_ranges must have one entry per level of the neck (6), got 5'),
    (FCOS, dict(neck__out_channels=128),
     'bbox_head.in_channels must be 128, the neck\'s out_channels, got 256; or set neck.out_channels=256'),
    (FASTER, dict(neck__arch='w32'), 'neck.in_channels must be [18, 36, 72, 144], as in the backbone, got '
     '[32, 64, 128, 256]. Set the same arch in neck and backbone'),
    (FASTER, dict(backbone__multiscale_output=False), 'neck.in_channels must be [18], as in the backbone, got '
     '[18, 36, 72, 144]. Set backbone.out_indices=(0, 1, 2, 3) with multiscale_output=None, or neck.arch=None, '
     'neck.in_channels=[18]'),
    (FASTER, dict(neck__stride=2), 'rpn_head.anchor_generator.strides must be [8, 16, 32, 64, 128]'),
    (FASTER, dict(roi_head__bbox_roi_extractor__featmap_strides=[8, 16, 32, 64]),
     'roi_head.bbox_roi_extractor.featmap_strides must be [4, 8, 16, 32], the strides of the neck\'s levels, got '
     '[8, 16, 32, 64]'),
    (FASTER, dict(roi_head__bbox_roi_extractor__out_channels=128),
     'roi_head.bbox_roi_extractor.out_channels must be 256'),
    (V1H, dict(neck__0__in_channels=(64, )), 'neck.in_channels must be [32], as in the backbone, got [64]'),
    (V1H, dict(neck__1__in_channels=(450, )),
     'neck[1].in_channels must be (480,), as in the preceding neck, got (450,)'),
    (V1H, dict(neck__1__stride=2), 'rpn_head.anchor_generator.strides must be [8, 16, 32, 64, 128]'),
    (HTC, dict(roi_head__mask_roi_extractor__featmap_strides=[4, 8, 16, 64]),
     'roi_head.mask_roi_extractor.featmap_strides must be [4, 8, 16, 32], the strides of the neck\'s levels, got '
     '[4, 8, 16, 64]'),
    (HTC, dict(roi_head__semantic_head__num_ins=4), 'roi_head.semantic_head.num_ins must be 5'),
    (HTC, dict(roi_head__semantic_head__in_channels=128), 'roi_head.semantic_head.in_channels must be 256'),
    (HTC, dict(roi_head__semantic_roi_extractor__featmap_strides=[4]),
     'roi_head.semantic_roi_extractor.featmap_strides (semantic_head.fusion_level = 1) must be [8]'),
    (DINO, dict(neck__num_outs=5),
     'encoder.layer_cfg.self_attn_cfg.num_levels must be 5, the number of levels of the neck, got 4; '
     'or set neck.num_outs=4'),
    (DINO, dict(neck__out_channels=128), 'encoder.layer_cfg.self_attn_cfg.embed_dims must be 128'),
    (CENTERNET, dict(neck__out_channels=64), 'bbox_head.in_channels must be 64'),
    (TRIPLETS, dict(neck__out_channels=64), 'bbox_head.in_channels must be 64'),
    (TRIPLETS, dict(neck__type='hrnet_plugin.HRFPN'), 'bbox_head (CenterTripletHead) requires one level, got 5 '
     "from the neck. Set neck.num_outs=1"),
    (CENTERNET, dict(neck__type='hrnet_plugin.HRFPN'), 'bbox_head (CenterNetHead) requires one level, got 5 from '
     "the neck. Set neck.num_outs=1"),
]


RESNET = 'mmdet::faster_rcnn/faster-rcnn_r50_fpn_1x_coco.py'
BACKBONE = "dict(_delete_=True, type='hrnet_plugin.HRNet', arch='w18')"
LEFTOVERS = [
    ("backbone=dict(type='hrnet_plugin.HRNet', arch='w18')", TypeError,
     'backbone must have arguments of hrnet_plugin.HRNet only, got depth, num_stages, style. If they come '
     "from an inherited config, replace its backbone: backbone=dict(_delete_=True, type='hrnet_plugin.HRNet', "),
    (f'backbone={BACKBONE}', ValueError,
     'neck.in_channels must be [18, 36, 72, 144], as in the backbone, got [256, 512, 1024, 2048]. Set in_channels of '
     'FPN, or replace it by the neck of HRNet: neck=dict(_delete_=True, '
     "type='hrnet_plugin.HRFPN', arch=...)"),
    (f"backbone={BACKBONE}, neck=dict(type='hrnet_plugin.HRFPN', arch='w18')", ValueError,
     "in_channels must be (18, 36, 72, 144) for arch 'w18', got [256, 512, 1024, 2048]. If they come from an "
     'inherited config, replace its neck: neck=dict(_delete_=True, ...)'),
]


@pytest.mark.parametrize(('text', 'error', 'message'), LEFTOVERS)
def test_inherited_arguments_of_resnet_and_fpn_raise(text, error, message, tmp_path):
    (tmp_path / 'mine.py').write_text(f"_base_ = '{RESNET}'\nmodel = dict({text})\n")
    config = Config.fromfile(str(tmp_path / 'mine.py'))
    with torch.device('meta'), pytest.raises(error) as caught:
        MODELS.build(config.model)
    assert message in str(caught.value)


@pytest.mark.parametrize(('name', 'changes', 'message'), MISTAKES)
def test_mistakes(name, changes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        build(name, **changes)


def test_suggested_changes_work():
    build(FCOS, neck__stride=1, bbox_head__strides=[4, 8, 16, 32, 64])
    build(FCOS, neck__stride=2, neck__num_outs=5)
    build(CENTERNET, neck__type='hrnet_plugin.HRFPN', neck__num_outs=1)


def test_upstream_necks_are_checked_against_the_backbone():
    fpn = dict(type='mmdet.FPN', in_channels=[256, 512, 1024, 2048], out_channels=256, num_outs=5, _delete_=True)
    config = Config.fromfile(cfg(FASTER))
    config.merge_from_dict(dict(model=dict(neck=fpn)))
    with torch.device('meta'), pytest.raises(ValueError, match=r'neck.in_channels must be \[18, 36, 72, 144\]'):
        MODELS.build(config.model)
    config.model.neck.in_channels = [18, 36, 72, 144]
    with torch.device('meta'):
        MODELS.build(config.model)


class Detector(nn.Module):
    def __init__(self, neck, **parts):
        super().__init__()
        self.neck = neck
        for name, part in parts.items():
            setattr(self, name, part)


def module(**attributes):
    made = nn.Module()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


# modules without levels, or with other attributes than those of mmdet
STRANGERS = [
    dict(bbox_head=nn.Linear(1, 1), rpn_head=None, roi_head=nn.Identity(), encoder=nn.Identity()),
    dict(bbox_head=module(prior_generator=object())), dict(bbox_head=module(prior_generator=None, in_channels='auto')),
    dict(bbox_head=module(heatmap_head=nn.Linear(1, 1))),
    dict(bbox_head=module(prior_generator=module(strides=[(7.97, 7.97), (110 / 7, 110 / 7)]))),
    dict(roi_head=module(bbox_roi_extractor=nn.Linear(1, 1), semantic_head=nn.Linear(1, 1))),
    dict(roi_head=module(semantic_head=module(num_ins=2, fusion_level=1))),
    dict(encoder=nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, batch_first=True), 1)),
    dict(encoder=module(layers=[])),
]


@pytest.mark.parametrize('parts', STRANGERS)
@pytest.mark.parametrize('neck', [nn.Identity(), HRFPN([8, 16], num_outs=2)])
def test_modules_without_levels_are_not_checked(neck, parts):
    Detector(neck, **parts)


def test_necks_after_the_pyramid():
    bfp = dict(type='mmdet.BFP', in_channels=256, num_levels=5)
    config = Config.fromfile(cfg(FASTER))
    config.model.neck = [config.model.neck, bfp]
    for stride, expected in ((1, None), (2, 'rpn_head.anchor_generator.strides must be')):
        config.model.neck[0].stride = stride
        with torch.device('meta'):
            if expected is None:
                MODELS.build(copy.deepcopy(config.model))
                continue
            with pytest.raises(ValueError, match=expected):
                MODELS.build(copy.deepcopy(config.model))


@pytest.mark.parametrize(('name', 'change'), [
    ('retinanet_sabl', 'sabl/sabl-retinanet_r50_fpn_1x_coco.py'),
    ('guided', 'guided_anchoring/ga-retinanet_r50-caffe_fpn_1x_coco.py'),
    ('cascade_rpn', 'cascade_rpn/cascade-rpn_faster-rcnn_r50-caffe_fpn_1x_coco.py'),
    ('yolact', 'yolact/yolact_r50_1xb8-55e_coco.py'), ('libra', 'libra_rcnn/libra-faster-rcnn_r50_fpn_1x_coco.py'),
    ('vfnet', 'vfnet/vfnet_r50_fpn_1x_coco.py'), ('reppoints', 'reppoints/reppoints-moment_r50_fpn_1x_coco.py'),
    ('detr', 'detr/detr_r50_8xb2-150e_coco.py'), ('point_rend', 'point_rend/point-rend_r50-caffe_fpn_ms-1x_coco.py'),
    ('scnet', 'scnet/scnet_r50_fpn_20e_coco.py'),
    ('deformable', 'deformable_detr/deformable-detr_r50_16xb2-50e_coco.py'),
])
def test_other_detectors_of_mmdet(name, change, tmp_path):
    """They build with HRFPN and matching strides. Other strides raise an error if the head has integer strides."""
    (tmp_path / 'base.py').write_text(f"_base_ = 'mmdet::{change}'\n")
    model = Config.fromfile(str(tmp_path / 'base.py')).model
    strides, levels = {'detr': (2, 4), 'deformable': (2, 4)}.get(name, (1 if 'rcnn' in change or name in (
        'cascade_rpn', 'point_rend', 'scnet') else 2, 5))
    model.backbone = dict(type='hrnet_plugin.HRNet', arch='w18')
    necks = model.neck if isinstance(model.neck, list) else [model.neck]
    neck = dict(type='hrnet_plugin.HRFPN', arch='w18', num_outs=levels, stride=strides)
    model.neck = [neck, *necks[1:]] if necks[1:] else neck
    build_both(model, neck, refused=name not in ('detr', 'yolact', 'deformable'))


def build_both(model, neck, refused):
    with torch.device('meta'):
        MODELS.build(copy.deepcopy(model))
        neck['stride'] = 3 - neck['stride']
        wrong = copy.deepcopy(model)
        (wrong.neck[0] if isinstance(wrong.neck, list) else wrong.neck).update(neck)
        if not refused:
            MODELS.build(wrong)
            return
        with pytest.raises(ValueError, match='strides must be'):
            MODELS.build(wrong)


def test_a_built_detector_can_be_copied_and_pickled():
    model = build(FCOS)
    copy.deepcopy(model)
    backbone = HRNet('w18_small_v1')
    assert pickle.loads(pickle.dumps(backbone)).out_channels == backbone.out_channels
