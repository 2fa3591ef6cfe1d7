"""Derived configs: lookup of the base, entries, text, form for the command line, refusals."""

from __future__ import annotations

import argparse
import csv
import shlex
from pathlib import Path

import pytest
from mmengine.config import Config, DictAction

from hrnet_plugin.arch import ARCHS
from hrnet_plugin.checkpoints import published
from hrnet_plugin.derivation import derive
from hrnet_plugin.derivation.build import build_model, read_derived
from hrnet_plugin.derivation.host_configs import find_host_config
from hrnet_plugin.derivation.weights import imagenet_weights
from hrnet_plugin.hosts import MMDET
from hrnet_plugin.models import HRFPN, HRNet

pytest.importorskip('mmdet')

SMALL = 'w18_small_v1'
RETINANET = 'mmdet::retinanet_r50_fpn_1x_coco'
FCOS_HRNET = 'mmdet::fcos_hrnetv2p-w18-gn-head_4xb4-1x_coco'


def merged_options(derived):
    """Return the base with the options for the command line, parsed as the tools of the hosts do."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    config = Config.fromfile(str(find_host_config(derived.base).path))
    config.merge_from_dict(parser.parse_args(['--cfg-options', *shlex.split(derived.options)]).cfg_options)
    return config


def plain(value):
    """Return a config without mmengine's marks of the origin, and with lists for tuples."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items() if key not in ('_scope_', 'custom_imports')}
    return [plain(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def test_a_name_a_path_and_a_path_with_suffix_are_one_config():
    path = 'retinanet/retinanet_r50_fpn_1x_coco'
    for name in (path, f'{path}.py', 'retinanet_r50_fpn_1x_coco', 'retinanet_r50_fpn_1x_coco.py'):
        config = find_host_config(f'mmdet::{name}')
        assert config.base == f'mmdet::{path}.py'
        assert config.path.is_file()


@pytest.mark.parametrize(('address', 'error', 'message'), [
    ('mmdet::retinanet_r50_fpn_1x_coc', FileNotFoundError, 'Did you mean retinanet_r50_fpn_1x_coco'),
    ('mmdet::retinanet/retinanet_r50_fpn_1x_coc', FileNotFoundError, 'Did you mean retinanet/retinanet_r50_fpn_1x_'),
    ('mmdett::retinanet_r50_fpn_1x_coco', ValueError, 'Did you mean mmdet?'),
    ('retinanet_r50_fpn_1x_coco', ValueError, 'config must be HOST::CONFIG'),
    ('mmdet::../../__init__', FileNotFoundError, 'config must be one that mmdet ships'),
])
def test_a_wrong_address_is_an_error_with_suggestions(address, error, message):
    with pytest.raises(error) as raised:
        find_host_config(address)
    assert message in str(raised.value)
    assert '\n' not in str(raised.value)


def test_levels_of_an_anchor_head():
    derived = derive(RETINANET, SMALL)
    assert derived.name == 'retinanet_hrnetv2p-w18-small-v1_1x_coco.py'
    model = build_model(MMDET, read_derived(derived).model)
    assert isinstance(model.backbone, HRNet)
    assert isinstance(model.neck, HRFPN)
    assert model.neck.out_strides == tuple(stride[0] for stride in model.bbox_head.prior_generator.strides)
    assert any('FPN -> hrnet_plugin.HRFPN, levels of strides 8 to 128' in note for note in derived.changes.notes)


@pytest.mark.parametrize(('name', 'entries'), [
    ('faster-rcnn_r50_fpn_1x_coco', dict(neck=dict(type='hrnet_plugin.HRFPN', arch=SMALL, out_channels=256))),
    ('dino-4scale_r50_8xb2-12e_coco', dict(neck=dict(
        type='hrnet_plugin.HRFPN', arch=SMALL, out_channels=256, num_outs=4, stride=2,
        norm_cfg=dict(type='GN', num_groups=32)))),
    ('centernet_r18_8xb16-crop512-140e_coco', dict(neck=dict(
        type='hrnet_plugin.HRNetV2', arch=SMALL, out_channels=64))),
])
def test_the_neck_is_replaced(name, entries):
    model = plain(read_derived(derive(f'mmdet::{name}', SMALL)).model.to_dict())
    assert {key: model[key] for key in entries} == entries


@pytest.mark.parametrize(('name', 'reader', 'branches', 'channels'), [
    ('detr_r50_8xb2-150e_coco', 'neck', [3], [128]),
    ('yolox_s_8xb8-300e_coco', 'neck', [1, 2, 3], [32, 64, 128]),
    ('yolov3_d53_8xb8-ms-608-273e_coco', 'neck', [1, 2, 3], [128, 64, 32]),
    ('mask2former_r50_8xb2-lsj-50e_coco', 'panoptic_head', None, [16, 32, 64, 128]),
])
def test_other_readers_get_feature_maps_of_the_same_strides(name, reader, branches, channels):
    model = plain(read_derived(derive(f'mmdet::{name}', SMALL)).model.to_dict())
    assert model['backbone'].get('out_indices') == branches
    assert model[reader]['in_channels'] == channels


@pytest.mark.parametrize(('name', 'message'), [
    ('ssd300_coco', 'neck must not be SSDNeck'),
    ('faster-rcnn_r50-caffe_c4-1x_coco', 'model must have a neck, got FasterRCNN whose heads depend on ResNet'),
    ('cornernet_hourglass104_10xb5-crop511-210e-mstest_coco', 'model must have a neck, got CornerNet'),
])
def test_what_cannot_fit_is_refused_in_one_line(name, message):
    with pytest.raises(ValueError, match=message) as raised:
        derive(f'mmdet::{name}', SMALL)
    assert str(raised.value).startswith(message)
    assert '\n' not in str(raised.value)


def test_a_width_for_a_config_with_an_hrnet_is_refused():
    with pytest.raises(ValueError, match=r'--arch must be omitted for a config that has an HRNet, got w32\.'):
        derive(FCOS_HRNET, 'w32')


def test_another_backbone_of_another_host_is_refused():
    pytest.importorskip('mmpose')
    with pytest.raises(ValueError, match='config must have an HRNet, or belong to mmdet'):
        derive('mmpose::td-hm_res50_8xb64-210e_coco-256x192')


def test_a_model_that_does_not_build_is_refused(monkeypatch):
    from hrnet_plugin.derivation import necks
    # levels of strides 4 to 64, which do not fit the anchors
    monkeypatch.setattr(necks, 'feature_maps', lambda backbone: ((256, 512, 1024, 2048), (4, 4, 16, 32)))
    with pytest.raises(ValueError, match=r'^HRNet does not fit into mmdet::retinanet/.*strides must be \[4, 8'):
        derive(RETINANET, SMALL)


@pytest.mark.parametrize(('address', 'arch'), [
    (FCOS_HRNET, None), (RETINANET, SMALL), ('mmdet::yolox_s_8xb8-300e_coco', 'w18'),
    ('mmdet::dino-4scale_r50_8xb2-12e_coco', SMALL),
    ('mmdet::faster-rcnn_r50_fpn_1x_cityscapes', SMALL)])
def test_the_command_line_gives_the_same_config(address, arch):
    derived = derive(address, arch)
    assert plain(merged_options(derived).to_dict()) == plain(read_derived(derived).to_dict())


def test_lists_of_necks_have_no_form_for_the_command_line():
    derived = derive('mmdet::libra-faster-rcnn_r50_fpn_1x_coco', SMALL)
    assert derived.options is None
    neck = plain(read_derived(derived).model.neck)
    assert [part['type'] for part in neck] == ['hrnet_plugin.HRFPN', 'BFP']


def test_what_belongs_to_the_old_backbone_is_removed():
    config = read_derived(derive('mmdet::faster-rcnn_r50_fpn_1x_cityscapes', SMALL))
    assert Config.fromfile(str(find_host_config('mmdet::faster-rcnn_r50_fpn_1x_cityscapes').path)).load_from
    assert config.load_from is None
    caffe = read_derived(derive('mmdet::fcos_r50-caffe_fpn_gn-head_1x_coco', SMALL)).model.data_preprocessor
    assert (caffe.mean, caffe.std, caffe.bgr_to_rgb) == (
        [123.675, 116.28, 103.53], [58.395, 57.12, 57.375], True)


def test_learning_rates_by_layer_are_removed():
    pytest.importorskip('mmpretrain')
    name = 'mask-rcnn_convnext-t-p4-w7_fpn_amp-ms-crop-3x_coco'
    derived = derive(f'mmdet::{name}', SMALL)
    assert read_derived(derived).optim_wrapper.constructor == 'DefaultOptimWrapperConstructor'
    assert derived.imports == ('mmpretrain.models', 'hrnet_plugin.plugin')


def test_the_detector_of_a_semi_supervised_method():
    derived = derive('mmdet::soft-teacher_faster-rcnn_r50-caffe_fpn_180k_semi-0.1-coco', SMALL)
    model = build_model(MMDET, read_derived(derived).model)
    assert isinstance(model.student.backbone, HRNet)
    assert isinstance(model.teacher.neck, HRFPN)
    images = read_derived(derived).model.data_preprocessor.data_preprocessor
    assert (images.mean, images.bgr_to_rgb) == ([123.675, 116.28, 103.53], True)


def test_a_config_that_its_host_cannot_build_is_refused(monkeypatch):
    from hrnet_plugin.derivation import build

    def fail(host, model):
        raise ImportError('motmetrics is not installed')

    monkeypatch.setattr(build, 'build_model', fail)
    with pytest.raises(ValueError, match=r'^mmdet::\S+ must build in this environment, got ImportError: motmetrics'):
        derive(RETINANET, SMALL)


def test_the_text_is_short_and_has_short_lines():
    for address in (RETINANET, 'mmdet::dino-4scale_r50_8xb2-12e_coco', 'mmdet::libra-faster-rcnn_r50_fpn_1x_coco'):
        lines = derive(address, SMALL).text.splitlines()
        assert len(lines) < 20
        assert max(map(len, lines)) <= 120


@pytest.mark.parametrize('arch', ARCHS)
def test_each_network_has_published_weights(arch):
    with Path(published.__file__).with_suffix('.csv').open(encoding='utf-8') as file:
        known = {row['address']: row['arch'] for row in csv.DictReader(file) if row['task'] == 'classification'}
    assert known[imagenet_weights(arch)['checkpoint']] == arch
