"""Two-stage detectors for export, run eagerly, against the predictions of mmdet."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from two_stage_models import FAMILIES, assert_same_detections, build_two_stage, host_predictions

from hrnet_plugin.export.adapters.adapter import UnsupportedModel
from hrnet_plugin.export.adapters.two_stage import TwoStageAdapter
from hrnet_plugin.export.families import find_adapter

pytestmark = pytest.mark.usefixtures('mmdet_scope')

# family and changes of the model
VARIANTS = {
    'boxes per class': ('faster-rcnn', {'roi_head.bbox_head.reg_class_agnostic': False}),
    'stages with boxes per class': ('cascade-rcnn', {
        f'roi_head.bbox_head.{stage}.reg_class_agnostic': False for stage in range(3)}),
    'convolutions in the box head': ('faster-rcnn', {
        'roi_head.bbox_head.type': 'Shared4Conv1FCBBoxHead', 'roi_head.bbox_head.norm_cfg': dict(type='BN'),
        'roi_head.bbox_head.conv_out_channels': 64}),
    'softmax and a minimum size of proposals': ('faster-rcnn', {
        'rpn_head.loss_cls.use_sigmoid': False, 'test_cfg.rpn.min_bbox_size': 12}),
    'boxes outside of the image': ('cascade-rcnn', {
        'rpn_head.bbox_coder.clip_border': False, 'roi_head.bbox_head.0.bbox_coder.clip_border': False}),
    'NMS of all classes': ('faster-rcnn', {'test_cfg.rcnn.nms.class_agnostic': True, 'test_cfg.rpn.max_per_img': 90}),
    'one mask of all classes': ('mask-rcnn', {'roi_head.mask_head.class_agnostic': True}),
    'features of other sizes per stage': ('cascade-mask-rcnn', {
        'roi_head.mask_roi_extractor': [
            dict(type='SingleRoIExtractor', out_channels=64, featmap_strides=[4, 8, 16, 32], finest_scale=finest_scale,
                 roi_layer=dict(type='RoIAlign', output_size=14, sampling_ratio=0))
            for finest_scale in (8, 4, 8)]}),
    'one level': ('faster-rcnn', {
        'neck.num_outs': 1, 'rpn_head.anchor_generator.strides': [4], 'roi_head.bbox_roi_extractor.featmap_strides': [4]
    }),
}


def predict(model, images, size):
    with torch.no_grad():
        return TwoStageAdapter(model)(images, size)


@pytest.mark.parametrize('family', FAMILIES)
def test_detections_are_those_of_mmdet(family):
    model = build_two_stage(family)
    assert TwoStageAdapter.accepts(model)
    for seed, size in enumerate(((96, 128), (75, 150))):
        torch.manual_seed(seed)
        images = torch.randn(2, 3, 96, 128 + 32 * seed)
        assert_same_detections(predict(model, images, size), host_predictions(model, images, size))


@pytest.mark.parametrize('name', VARIANTS)
def test_options_of_the_heads_have_their_effect(name):
    family, changes = VARIANTS[name]
    model = build_two_stage(family, **changes)
    assert TwoStageAdapter.accepts(model)
    images, size = torch.randn(2, 3, 96, 128), (90, 121)
    expected = host_predictions(model, images, size)
    assert_same_detections(predict(model, images, size), expected)
    plain = host_predictions(build_two_stage(family), images, size)
    assert not all(ours.shape == theirs.shape and torch.equal(ours, theirs)
                   for own, other in zip(expected, plain) for ours, theirs in zip(own, other))


def test_images_without_detections_have_no_boxes():
    model = build_two_stage('cascade-mask-rcnn', **{'test_cfg.rcnn.score_thr': .999})
    images = torch.randn(2, 3, 64, 64)
    assert_same_detections(predict(model, images, (64, 64)), host_predictions(model, images, (64, 64)), at_least=0)


def test_images_without_proposals_have_no_boxes():
    model = build_two_stage('cascade-mask-rcnn', **{'test_cfg.rpn.min_bbox_size': 1000})
    boxes, _, _, counts, masks = predict(model, torch.randn(2, 3, 64, 64), (64, 64))
    assert counts.tolist() == [0, 0]
    assert boxes.shape == (2, 40, 4)
    assert masks.shape == (2, 40, 28, 28)


@pytest.mark.parametrize(('changes', 'message'), [
    ({'test_cfg.rpn.nms_pre': -1}, r'test_cfg\.rpn\.nms_pre must be positive, got -1'),
    ({'test_cfg.rpn.max_per_img': 0}, r'test_cfg\.rpn\.max_per_img must be positive, got 0'),
    ({'test_cfg.rpn.nms.type': 'soft_nms'}, r'nms\.type must be nms, got soft_nms'),
    ({'test_cfg.rcnn.nms.type': 'soft_nms'}, r'nms\.type must be nms, got soft_nms'),
    ({'test_cfg.rcnn.nms': None}, r'test_cfg\.rcnn\.nms must be a dict, got None'),
    ({'test_cfg.rcnn.nms.class_agnostic': True, 'test_cfg.rpn.max_per_img': 1000},
     r'nms\.class_agnostic needs fewer than 10000 boxes'),
    ({'test_cfg.rcnn.max_per_img': -1}, r'test_cfg\.rcnn\.max_per_img must be positive, got -1'),
    ({'test_cfg.rcnn.score_thr': -.1}, r'test_cfg\.rcnn\.score_thr must be at least 0, got -0\.1'),
    ({'test_cfg.rcnn.mask_thr_binary': -1}, r'test_cfg\.rcnn\.mask_thr_binary must be at least 0, got -1'),
    ({'roi_head.mask_head.upsample_cfg': dict(
        type='carafe', scale_factor=2, up_kernel=5, up_group=1, encoder_kernel=3, encoder_dilation=1,
        compressed_channels=16)}, 'got carafe'),
    ({'roi_head.bbox_roi_extractor.roi_layer': dict(type='RoIPool', output_size=7, _delete_=True)}, 'got RoIPool'),
    ({'roi_head.bbox_head.loss_cls': dict(type='SeesawLoss', num_classes=80, _delete_=True)}, 'got SeesawLoss'),
    ({'roi_head.bbox_head.bbox_coder': dict(type='LegacyDeltaXYWHBBoxCoder')}, 'got LegacyDeltaXYWHBBoxCoder'),
], ids=str)
def test_unsupported_entries_are_refused_in_one_line(changes, message):
    model = build_two_stage('mask-rcnn', **changes)
    with pytest.raises(UnsupportedModel, match=message) as caught:
        find_adapter(model)(model)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('changes', [
    {'roi_head.type': 'MaskScoringRoIHead', 'roi_head.mask_iou_head': dict(
        type='MaskIoUHead', in_channels=64, roi_feat_size=14)},
    {'roi_head.type': 'DoubleHeadRoIHead', 'roi_head.reg_roi_scale_factor': 1.3},
    {'roi_head.bbox_roi_extractor': dict(
        type='GenericRoIExtractor', out_channels=64, featmap_strides=[4, 8, 16, 32], _delete_=True,
        roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=2))},
    {'roi_head.mask_head.type': 'CoarseMaskHead', 'roi_head.type': 'PointRendRoIHead', 'roi_head.point_head': dict(
        type='MaskPointHead', num_fcs=1, in_channels=256, num_classes=80)},
], ids=['mask scoring', 'two box heads', 'features of all levels', 'points of masks'])
def test_heads_that_predict_in_another_way_are_not_accepted(changes):
    assert not TwoStageAdapter.accepts(build_two_stage('mask-rcnn', **changes))
    assert not TwoStageAdapter.accepts(nn.Identity())


def test_heads_that_differ_in_training_only_are_accepted():
    model = build_two_stage('faster-rcnn', **{'roi_head.type': 'PISARoIHead'})
    assert find_adapter(model) is TwoStageAdapter
