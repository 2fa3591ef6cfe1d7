"""Upstream HRNet configs with only type and host changed give the upstream network."""

from __future__ import annotations

import importlib
import json
from functools import cache
from pathlib import Path

import pytest
import torch
from conftest import randomize, relative_error
from mmengine.config import Config
from torch.nn.modules.batchnorm import _BatchNorm

from hrnet_plugin.models import HRFPN, HRNet

# host -> (module of its backbones, number of its HRNet configs)
HOSTS = {
    'mmdet': ('mmdet.models.backbones', 29),
    'mmpose': ('mmpose.models.backbones', 87),
    'mmseg': ('mmseg.models.backbones', 68),
}


@cache
def hrnet_configs(host):
    """Map the name of each HRNet config of an installed host to its backbone and neck, as plain dicts."""
    root = Path(pytest.importorskip(host).__file__).parent / '.mim' / 'configs'
    found = {}
    for path in sorted(root.rglob('*.py')):
        if 'hr' not in path.name.lower():
            continue
        try:
            model = Config.fromfile(str(path)).get('model')
        except (OSError, KeyError):  # requires a package that is not installed
            continue
        backbone = model.get('backbone') if model else None
        if backbone is not None and backbone.get('type') == 'HRNet':
            pretrained = {'pretrained': model['pretrained']} if model.get('pretrained') else {}
            neck = model.get('neck')
            found[str(path.relative_to(root))] = ({**backbone.to_dict(), **pretrained},
                                                  neck.to_dict() if isinstance(neck, dict) else None)
    return found


def distinct(cfgs):
    return [json.loads(text) for text in sorted({json.dumps(cfg, sort_keys=True) for cfg in cfgs})]


def compare(ours, upstream, inputs):
    ours.load_state_dict(randomize(upstream).state_dict(), strict=True)
    assert [name for name, p in ours.named_parameters() if p.requires_grad] == \
        [name for name, p in upstream.named_parameters() if p.requires_grad]
    ours.train()
    upstream.train()
    modes = [[(type(m), m.training) for m in model.modules() if isinstance(m, _BatchNorm)]
             for model in (ours, upstream)]
    assert modes[0] == modes[1]
    ours.eval()
    upstream.eval()
    with torch.no_grad():
        outs, expected = ours(inputs), upstream(inputs)
    assert len(outs) == len(expected)
    for a, b in zip(outs, expected):
        assert relative_error(a, b) < 1e-5


def without(cfg, *keys):
    return {key: value for key, value in cfg.items() if key not in keys}


@pytest.mark.parametrize('host', HOSTS)
def test_every_shipped_config(host):
    module, count = HOSTS[host]
    cfgs = hrnet_configs(host)
    assert len(cfgs) == count
    theirs = importlib.import_module(module).HRNet
    for cfg in distinct(backbone for backbone, _ in cfgs.values()):
        options = without(cfg, 'type')
        # mmpose's class has no argument pretrained
        upstream = theirs(**without(options, 'pretrained') if host == 'mmpose' else options)
        compare(HRNet(**options, host=host), upstream, torch.randn(1, options.get('in_channels', 3), 64, 96))


def test_every_shipped_neck_of_mmdet():
    necks = distinct(neck for _, neck in hrnet_configs('mmdet').values())
    theirs = importlib.import_module('mmdet.models.necks').HRFPN
    for cfg in necks:
        assert cfg['type'] == 'HRFPN'
        options = without(cfg, 'type')
        feats = [torch.randn(1, c, 32 // 2**b, 32 // 2**b) for b, c in enumerate(options['in_channels'])]
        compare(HRFPN(**options), theirs(**options), feats)


EXTRA = {
    'mmdet': 'hrnet/faster-rcnn_hrnetv2p-w18-1x_coco.py',
    'mmpose': 'body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py',
    'mmseg': 'hrnet/fcn_hr18s_4xb2-40k_cityscapes-512x1024.py',
}


@pytest.mark.parametrize('host', HOSTS)
def test_one_config_of_each_host_through_its_registry(host):
    """Build from a config of the host in which only type and host are changed."""
    root = Path(pytest.importorskip(host).__file__).parent / '.mim' / 'configs'
    cfg = Config.fromfile(str(root / EXTRA[host])).model.backbone
    registry = importlib.import_module(f'{host}.registry').MODELS
    importlib.import_module(f'{host}.models')
    upstream = registry.build(dict(cfg))
    ours = registry.build(dict(cfg, type='hrnet_plugin.HRNet', host=host))
    assert type(ours) is HRNet
    assert type(upstream) is not HRNet
    compare(ours, upstream, torch.randn(1, 3, 64, 96))
