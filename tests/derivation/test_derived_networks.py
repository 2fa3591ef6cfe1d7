"""Networks of derived configs: equal to those of the hosts, or trained for one step in place of other backbones."""

from __future__ import annotations

import pytest
from conftest import load_benchmark
from mmengine.config import Config

from hrnet_plugin.derivation.host_configs import find_host_config
from hrnet_plugin.hosts import HOSTS

# host -> number of its HRNet configs
NUMBERS = {'mmdet': 29, 'mmpose': 87, 'mmseg': 66, 'mmpretrain': 7}
SMALLEST = ('mmdet::faster-rcnn_hrnetv2p-w18-1x_coco', 'mmpose::td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256',
            'mmpose::dekr_hrnet-w32_8xb10-140e_coco-512x512', 'mmseg::fcn_hr18s_4xb2-40k_cityscapes-512x1024',
            'mmseg::ocrnet_hr18s_4xb2-40k_cityscapes-512x1024', 'mmpretrain::hrnet-w18_4xb32_in1k')
REFUSED = {
    'faster-rcnn_r50-caffe_c4-1x_coco': 'model must have a neck',
    'ssd300_coco': 'neck must not be SSDNeck',
    'cornernet_hourglass104_10xb5-crop511-210e-mstest_coco': 'model must have a neck',
}
# a step of these takes a third of the time of all, and the report lists them
COSTLY = ('mask2former_r50_8xb2-lsj-50e_coco', 'dino-5scale_swin-l_8xb2-12e_coco',
          'cascade-mask-rcnn_r50_fpn_1x_coco', 'retinanet_effb3_fpn_8xb4-crop896-1x_coco')


@pytest.fixture(scope='module')
def derived_configs():
    return load_benchmark('derived_configs')


DETECTORS = [(kind, name) for kind, names in load_benchmark('derived_configs').DETECTORS.items() for name in names
             if name not in COSTLY]


@pytest.mark.parametrize('address', SMALLEST)
def test_one_network_of_each_kind(derived_configs, address):
    pytest.importorskip(address.partition('::')[0])
    config = find_host_config(address)
    outcome = derived_configs.compare_config(config, Config.fromfile(str(config.path)), {})
    assert outcome.error == ''
    assert outcome.difference < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize('host', NUMBERS)
@pytest.mark.timeout(1800)
def test_every_hrnet_config_of_a_host(derived_configs, host):
    pytest.importorskip(host)
    outcomes = list(derived_configs.compare_host(HOSTS[host]))
    assert len(outcomes) == NUMBERS[host]
    assert {outcome.config: outcome.error for outcome in outcomes if outcome.error} == {}
    assert max(outcome.difference for outcome in outcomes) < 1e-5


def test_a_difference_is_detected(derived_configs, monkeypatch):
    """Without ``host``, the network has mmdet's interpolation."""
    pytest.importorskip('mmseg')
    config = find_host_config('mmseg::fcn_hr18s_4xb2-40k_cityscapes-512x1024')
    theirs, ours = (Config.fromfile(str(config.path)) for _ in range(2))
    ours.model.backbone.update(type='hrnet_plugin.HRNet', norm_eval=True)
    assert derived_configs.compare_models(config.host, theirs, ours)[0] == 'norm_modes differ'
    ours.model.backbone.norm_eval = False
    error, difference = derived_configs.compare_models(config.host, theirs, ours)
    assert error == 'outputs differ'
    assert difference > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(('kind', 'name'), DETECTORS)
def test_a_training_step_in_place_of_another_backbone(derived_configs, kind, name):
    pytest.importorskip('mmdet')
    outcome = derived_configs.train_detector(kind, name)
    if name in REFUSED:
        assert outcome.error.startswith(REFUSED[name])
        assert '\n' not in outcome.error
    else:
        assert outcome.error == ''
