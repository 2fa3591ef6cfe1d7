"""Build-time errors behind necks and heads of hosts, which read the levels of HRNet or of another neck."""

from __future__ import annotations

import copy
import re

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch import nn

import hrnet_plugin.plugin  # noqa: F401  (enables the checks)
from hrnet_plugin.models import HRFPN, HRNet
from hrnet_plugin.training.compatibility import comparisons

ALL, ARCH = [18, 36, 72, 144], 'w18'
FPN = dict(type='mmdet.FPN', in_channels=ALL, out_channels=256, num_outs=5)
MAPPER = dict(type='mmdet.ChannelMapper', in_channels=ALL, out_channels=256, num_outs=4)
RETINA = dict(start_level=1, add_extra_convs='on_input')


def upstream(host, path, tmp_path):
    """Return the model of a config of a host, with HRNet as its backbone."""
    pytest.importorskip(host)
    (tmp_path / 'base.py').write_text(f"_base_ = '{host}::{path}'\n")
    model = Config.fromfile(str(tmp_path / 'base.py')).model
    model.backbone = dict(type='hrnet_plugin.HRNet', arch=ARCH, host=host)
    if host == 'mmseg':
        model.backbone.upsample = 'nearest'
    return model


def build(host, model, **changes):
    config = Config(dict(model=copy.deepcopy(model)))
    config.merge_from_dict({f'model.{key.replace("__", ".")}': value for key, value in changes.items()})
    with DefaultScope.overwrite_default_scope(host), torch.device('meta'):
        return MODELS.build(config.model)


# config of mmdet, entries that make it right, wrong changes with their errors
DETECTORS = {
    'FPN': ('retinanet/retinanet_r50_fpn_1x_coco.py', dict(neck=dict(FPN, **RETINA)), [
        (dict(backbone__out_indices=(1, 2, 3)), 'neck.in_channels must be [36, 72, 144], as in the backbone, got '
         '[18, 36, 72, 144]. Set backbone.out_indices=(0, 1, 2, 3), or in_channels of FPN'),
        (dict(neck__in_channels=[36, 72, 144]), 'Set backbone.out_indices=(1, 2, 3), or '),
        (dict(neck__start_level=0), 'bbox_head.anchor_generator.strides must be [4, 8, 16, 32, 64], the strides of the '
         'neck\'s levels, got [8, 16, 32, 64, 128]'),
        (dict(neck__num_outs=4), 'must be [8, 16, 32, 64], the strides of'),
        (dict(neck__out_channels=128), "bbox_head.in_channels must be 128, the neck's out_channels, got 256")]),
    'PAFPN': ('pafpn/faster-rcnn_r50_pafpn_1x_coco.py', dict(neck__in_channels=ALL), [
        (dict(neck__in_channels=[18, 36, 72, 145]), 'neck.in_channels must be [18, 36, 72, 144]'),
        (dict(neck__num_outs=6), 'rpn_head.anchor_generator.strides must be [4, 8, 16, 32, 64, 128]'),
        (dict(roi_head__bbox_head__in_channels=128), 'roi_head.bbox_head.in_channels must be 256, the channels of its '
         'RoI extractor, got 128')]),
    'NASFPN': ('nas_fpn/retinanet_r50_nasfpn_crop640-50e_coco.py', dict(neck__in_channels=ALL), [
        (dict(neck__in_channels=ALL[1:]), 'Set backbone.out_indices=(1, 2, 3), or in_chan'),
        (dict(neck__out_channels=128), 'bbox_head.in_channels must be 128')]),
    'BFP': ('libra_rcnn/libra-faster-rcnn_r50_fpn_1x_coco.py', dict(
        neck=[FPN, dict(type='mmdet.BFP', in_channels=256, num_levels=5)]), [
        (dict(neck__1__num_levels=4), 'neck[1].num_levels must be 5, the number of levels of the preceding neck, got'),
        (dict(neck__1__in_channels=128), 'neck[1].in_channels must be 256, as in the preceding neck, got 128')]),
    'ChannelMapper': ('deformable_detr/deformable-detr_r50_16xb2-50e_coco.py', dict(neck=MAPPER), [
        (dict(neck__in_channels=[18, 36, 72]), 'neck.in_channels must be [18, 36, 72, 144], as in the backbone, got '
         '[18, 36, 72]. Set backbone.out_indices=(0, 1, 2), or '),
        (dict(neck__in_channels=[18, 36, 72, 99]), 'got [18, 36, 72, 99]. Set in_channels of ChannelMapper'),
        (dict(neck__num_outs=5), 'encoder.layer_cfg.self_attn_cfg.num_levels must be 5, the number of levels'),
        (dict(decoder__layer_cfg__cross_attn_cfg=dict(embed_dims=256, num_levels=3)),
         'decoder.layer_cfg.cross_attn_cfg.num_levels must be 4, the number of levels of the neck, got 3')]),
    'DETR': ('detr/detr_r50_8xb2-150e_coco.py', dict(
        neck__in_channels=[144], backbone__out_indices=(3, )), [
        (dict(neck__out_channels=128), 'encoder.layer_cfg.self_attn_cfg.embed_dims must be 128'),
        (dict(backbone__out_indices=None), 'got [144]. Set backbone.out_indices=(3,), or ')]),
    'YOLOX': ('yolox/yolox_s_8xb8-300e_coco.py', dict(
        neck__in_channels=[36, 72, 144], backbone__out_indices=(1, 2, 3)), [
        (dict(backbone__out_indices=(0, 1, 2)), 'neck.in_channels must be [18, 36, 72], as in the backbone, got '
         '[36, 72, 144]. Set backbone.out_indices=(1, 2, 3), or in_channels of YOLOXPAFPN'),
        (dict(bbox_head__strides=[4, 8, 16]), 'bbox_head.strides must be [8, 16, 32]')]),
    'SOLO': ('solo/solo_r50_fpn_1x_coco.py', dict(neck=dict(type='hrnet_plugin.HRFPN', arch=ARCH)), [
        (dict(neck__stride=2), 'mask_head.strides must be [16, 16, 32, 64, 64] for levels with strides '
         '[8, 16, 32, 64, 128], got [8, 8, 16, 32, 32]; or set neck.stride=1, neck.num_outs=5'),
        (dict(neck__num_outs=4), 'the length of mask_head.strides, num_grids and scale_ranges must be 4, the number of '
         'levels of the neck, got 5; or set neck.stride=1, neck.num_outs=5'),
        (dict(neck__out_channels=128), 'mask_head.in_channels must be 128')]),
    'SOLOv2': ('solov2/solov2_r50_fpn_1x_coco.py', dict(neck=dict(type='hrnet_plugin.HRFPN', arch=ARCH)), [
        (dict(neck__stride=2), 'mask_head.strides must be [16, 16, 32, 64, 64]'),
        (dict(mask_head__mask_feature_head__end_level=5), 'mask_head.mask_feature_head.end_level must be below 5, the '
         'number of levels of the neck, got 5; or set neck.num_outs=6'),
        (dict(mask_head__mask_feature_head__mask_stride=8), 'mask_head.mask_feature_head.mask_stride must be 4, the '
         'stride of level 0 of the neck, got 8')]),
    'CondInst': ('condinst/condinst_r50_fpn_ms-poly-90k_coco_instance.py', dict(
        neck=dict(type='hrnet_plugin.HRFPN', arch=ARCH, stride=2)), [
        (dict(mask_head__mask_feature_head__in_channels=128), 'mask_head.mask_feature_head.in_channels must be 256'),
        (dict(mask_head__mask_feature_head__mask_stride=4), 'mask_stride must be 8, the stride of level 0')]),
    'YOLACT': ('yolact/yolact_r50_1xb8-55e_coco.py', dict(neck=dict(type='hrnet_plugin.HRFPN', arch=ARCH, stride=2)), [
        (dict(neck__num_outs=4), 'the length of bbox_head.anchor_generator.strides must be 4, the number of levels of '
         'the neck, got 5; or set neck.num_outs=5'),
        (dict(mask_head__in_channels=128), 'mask_head.in_channels must be 256')]),
    'VFNet': ('vfnet/vfnet_r50_fpn_1x_coco.py', dict(neck=dict(type='hrnet_plugin.HRFPN', arch=ARCH, stride=2)), [
        (dict(bbox_head__strides=[4, 8, 16, 32, 64]), 'bbox_head.strides must be [8, 16, 32, 64, 128]')]),
    'FoveaBox': ('foveabox/fovea_r50_fpn_4xb4-1x_coco.py', dict(
        neck=dict(type='hrnet_plugin.HRFPN', arch=ARCH, stride=2)), [
        (dict(bbox_head__base_edge_list=[16, 32, 64]), 'bbox_head.base_edge_list must have one entry per level')]),
    'Mask2Former': ('mask2former/mask2former_r50_8xb2-lsj-50e_coco.py', dict(panoptic_head__in_channels=ALL), [
        (dict(panoptic_head__in_channels=[256, 512, 1024, 2048]), 'panoptic_head.in_channels must be '
         '[18, 36, 72, 144], as in the backbone, got [256, 512, 1024, 2048]. Set panoptic_head.in_channels='),
        (dict(backbone__out_indices=(1, 2, 3)), 'Set backbone.out_indices=(0, 1, 2, 3), or panoptic_head.in_channels='),
        (dict(panoptic_head__pixel_decoder__strides=[8, 16, 32, 64]),
         "panoptic_head.pixel_decoder.strides must be [4, 8, 16, 32], the strides of the backbone's feature maps")]),
    'MaskFormer': ('maskformer/maskformer_r50_ms-16xb1-75e_coco.py', dict(panoptic_head__in_channels=ALL), [
        (dict(panoptic_head__in_channels=[18, 36, 72, 145]), 'panoptic_head.in_channels must be [18, 36, 72, 144]')]),
    'Panoptic FPN': ('panoptic_fpn/panoptic-fpn_r50_fpn_1x_coco.py', dict(
        neck=dict(type='hrnet_plugin.HRFPN', arch=ARCH)), [
        (dict(semantic_head__end_level=6), 'semantic_head.end_level - 1 must be below 5, the number of levels'),
        (dict(semantic_head__in_channels=128), 'semantic_head.in_channels must be 256'),
        (dict(roi_head__mask_head__in_channels=128), 'roi_head.mask_head.in_channels must be 256')]),
    'Mask Scoring R-CNN': ('ms_rcnn/ms-rcnn_r50-caffe_fpn_1x_coco.py', dict(
        neck=dict(type='hrnet_plugin.HRFPN', arch=ARCH)), [
        (dict(roi_head__mask_iou_head__in_channels=128), 'roi_head.mask_iou_head.in_channels must be 256')]),
    'PointRend': ('point_rend/point-rend_r50-caffe_fpn_ms-1x_coco.py', dict(
        neck=dict(type='hrnet_plugin.HRFPN', arch=ARCH)), [
        (dict(roi_head__point_head__in_channels=512), 'roi_head.point_head.in_channels must be 256, the channels of '
         'the 1 levels of mask_roi_extractor in total, got 512')]),
    'SCNet': ('scnet/scnet_r50_fpn_20e_coco.py', dict(neck=dict(type='hrnet_plugin.HRFPN', arch=ARCH)), [
        (dict(roi_head__glbctx_head__in_channels=128, roi_head__glbctx_head__conv_to_res=False),
         'roi_head.glbctx_head.in_channels must be 256')]),
}


@pytest.mark.parametrize('name', DETECTORS)
def test_detectors(name, tmp_path):
    path, right, mistakes = DETECTORS[name]
    model = upstream('mmdet', path, tmp_path)
    model = _replaced(model, right)
    build('mmdet', model)
    for changes, message in mistakes:
        with pytest.raises(ValueError, match=re.escape(message)):
            build('mmdet', model, **changes)


def _replaced(model, entries):
    """Replace whole entries, and merge those whose keys have a part after '__'."""
    config = Config(dict(model=model))
    for key, value in entries.items():
        if '__' not in key:
            config.model[key] = copy.deepcopy(value)
    config.merge_from_dict({f'model.{key.replace("__", ".")}': value for key, value in entries.items() if '__' in key})
    return config.model


PLUS, SEMANTIC_FPN = ('deeplabv3plus/deeplabv3plus_r50-d8_4xb2-40k_cityscapes-512x1024.py',
                      'sem_fpn/fpn_r50_4xb2-80k_cityscapes-512x1024.py')
KNET = 'knet/knet-s3_r50-d8_fcn_8xb2-adamw-80k_ade20k-512x512.py'
# config of mmsegmentation, entries that make it right, wrong changes with their errors
SEGMENTORS = {
    'DeepLabV3+': (PLUS, dict(decode_head__in_channels=144, decode_head__c1_in_channels=18, auxiliary_head=None), [
        (dict(decode_head__c1_in_channels=256), 'decode_head.c1_in_channels must be 18, as in the first feature map of '
         'the backbone, got 256. Set decode_head.c1_in_channels=18'),
        (dict(decode_head__in_channels=2048), 'decode_head.in_channels must be [144], as in the backbone, got 2048'),
        (dict(backbone__out_indices=(1, 2, 3), decode_head__in_index=2), 'decode_head.c1_in_channels must be 36')]),
    'Semantic FPN': (SEMANTIC_FPN, dict(neck__in_channels=ALL), [
        (dict(neck__in_channels=[64, 36, 72, 144]), 'neck.in_channels must be [18, 36, 72, 144], as in the backbone'),
        (dict(neck__out_channels=128), 'decode_head.in_channels must be [128, 128, 128, 128], as in the neck, got'),
        (dict(decode_head__feature_strides=[4, 8, 16, 64]), 'decode_head.feature_strides must be [4, 8, 16, 32], the '
         "strides of the neck's feature maps, got [4, 8, 16, 64]. Set decode_head.feature_strides=[4, 8, 16, 32]"),
        (dict(neck__num_outs=3), None)]),
    'UPerNet': ('upernet/upernet_r50_4xb2-40k_cityscapes-512x1024.py', dict(
        decode_head__in_channels=ALL, auxiliary_head=None), [
        (dict(backbone__out_indices=(1, 2, 3)), 'decode_head.in_index must be below 3, the number of feature maps of '
         'the backbone (out_indices=(1, 2, 3)), got [0, 1, 2, 3]. Set backbone.out_indices=(0, 1, 2, 3)'),
        (dict(decode_head__in_index=[0, 1, 2, -5]), 'decode_head.in_index must be below 4')]),
    'K-Net': (KNET, dict(decode_head__kernel_generate_head__in_channels=144, auxiliary_head=None), [
        (dict(decode_head__kernel_generate_head__in_channels=2048),
         'decode_head.kernel_generate_head.in_channels must be [144], as in the backbone, got 2048'),
        (dict(decode_head__kernel_generate_head__channels=256), 'decode_head.kernel_update_head[0].in_channels must be '
         '256, as decode_head.kernel_generate_head.channels, got 512')]),
    'Mask2Former': ('mask2former/mask2former_r50_8xb2-90k_cityscapes-512x1024.py', dict(
        decode_head__in_channels=ALL), [
        (dict(decode_head__in_channels=[256, 512, 1024, 2048]), 'decode_head.in_channels must be [18, 36, 72, 144]')]),
    'JPU': ('fastfcn/fastfcn_r50-d32_jpu_psp_4xb2-80k_cityscapes-512x1024.py', dict(
        backbone__out_indices=(1, 2, 3), neck__in_channels=(36, 72, 144), auxiliary_head=None), [
        (dict(neck__in_channels=(512, 1024, 2048)), 'neck.in_channels must be [36, 72, 144], as in the backbone'),
        (dict(decode_head__in_channels=1024), 'decode_head.in_channels must be [2048], as in the neck, got 1024')]),
}


@pytest.mark.parametrize('name', SEGMENTORS)
def test_segmentors(name, tmp_path):
    path, right, mistakes = SEGMENTORS[name]
    model = _replaced(upstream('mmseg', path, tmp_path), right)
    build('mmseg', model)
    for changes, message in mistakes:
        with pytest.raises((ValueError, AssertionError), match=re.escape(message or '')):
            build('mmseg', model, **changes)


def test_poses_behind_a_neck(tmp_path):
    model = upstream('mmpose', 'body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py',
                     tmp_path)
    model.backbone.multiscale_output = True
    model.neck, model.head.in_channels = dict(type='hrnet_plugin.HRNetV2', arch=ARCH), 270
    build('mmpose', model)
    with pytest.raises(ValueError, match=re.escape('head.in_channels must be 270, as in the last feature map of the '
                                                   'neck (all: [270]), got 32. Set head.in_channels=270')):
        build('mmpose', model, head__in_channels=32)
    model.neck = dict(type='FeatureMapProcessor', select_index=1)
    with pytest.raises(ValueError, match=re.escape('(all: [36]), got 270')):
        build('mmpose', model)


def test_levels_behind_the_coarser_outputs():
    """HRFPN starts at the stride of the finest output of the backbone."""
    pytest.importorskip('mmdet')
    neck = dict(type='hrnet_plugin.HRFPN', in_channels=[36, 72, 144])
    model = Config(dict(model=dict(
        type='mmdet.RetinaNet', backbone=dict(type='hrnet_plugin.HRNet', arch=ARCH, out_indices=(1, 2, 3)), neck=neck,
        bbox_head=dict(type='mmdet.RetinaHead', num_classes=2, in_channels=256)))).model
    build('mmdet', model)
    with pytest.raises(ValueError, match=re.escape(
            'strides must be [16, 32, 64, 128, 256], the strides of the neck\'s levels, got [8, 16, 32, 64, 128]; or '
            'set neck.stride=1, neck.num_outs=5')):
        build('mmdet', model, neck__stride=2)


class Neck(nn.Module):
    """Neck of a user, which must not run when it is built."""

    in_channels = 270

    def forward(self, feats):
        raise AssertionError


class Model(nn.Module):
    def __init__(self, backbone, neck, head):
        super().__init__()
        self.backbone, self.neck, self.bbox_head = backbone, neck, head


def test_necks_of_users_are_not_run():
    head = nn.Module()
    head.in_channels, head.strides = 7, [3]
    Model(HRNet('w18_small_v1'), Neck(), head)
    Model(HRNet('w18_small_v1'), nn.Sequential(HRFPN(arch='w18_small_v1', out_channels=7), Neck()), head)


def test_necks_keep_their_parameters_statistics_and_mode(tmp_path):
    """The neck runs on the meta device."""
    necks = pytest.importorskip('mmdet.models.necks')
    neck = necks.FPN([16, 32, 64, 128], 8, 5, norm_cfg=dict(type='BN'))
    before = {name: tensor.clone() for name, tensor in neck.state_dict().items()}
    model = Model(HRNet('w18_small_v1'), neck, nn.Identity())
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in neck.state_dict().items())


@pytest.mark.parametrize(('channels', 'selection'), [
    ([18, 36, 72, 144], (0, 1, 2, 3)), ([36, 144], (1, 3)), ([144, 36], None), ([18, 18], None), ([17], None)])
def test_selection_of_outputs(channels, selection):
    assert comparisons.select_outputs(channels, ALL) == selection
