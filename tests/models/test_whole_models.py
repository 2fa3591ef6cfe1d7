"""Models of mmpose and mmsegmentation with plugin modules, compared with the upstream models."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from conftest import randomize, relative_error, same_weights
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch import nn
from torch.nn import functional as F

from hrnet_plugin.models import HRNet

POSE = 'body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'
FACE = 'face_2d_keypoint/topdown_heatmap/wflw/td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256.py'
FCN = 'hrnet/fcn_hr18s_4xb2-160k_cityscapes-512x1024.py'
OCR = 'ocrnet/ocrnet_hr18s_4xb2-160k_cityscapes-512x1024.py'


def model_cfg(host, name):
    """Return the model of a host's config, without entries that require a GPU or a download."""
    root = Path(pytest.importorskip(host).__file__).parent / '.mim' / 'configs'
    pytest.importorskip(f'{host}.models')
    model = Config.fromfile(str(root / name)).model.to_dict()
    model['pretrained'] = model['backbone']['init_cfg'] = None
    return model if host == 'mmseg' else {key: value for key, value in model.items() if key != 'pretrained'}


def build(host, model):
    with DefaultScope.overwrite_default_scope(host):
        return MODELS.build(Config(dict(model=model)).model).eval()


def ours(host, model, **changes):
    """Return the model config with the types of the plugin."""
    model = {**model, 'backbone': {**model['backbone'], 'type': 'hrnet_plugin.HRNet', 'host': host, **changes}}
    heads = model.get('decode_head')
    if heads is None:
        return model
    listed = heads if isinstance(heads, list) else [heads]
    plugins = [{**head, 'type': f'hrnet_plugin.{head["type"]}'} for head in listed]
    return {**model, 'decode_head': plugins if isinstance(heads, list) else plugins[0]}


@pytest.mark.parametrize(('host', 'name', 'size'), [
    ('mmpose', POSE, (256, 192)), ('mmpose', FACE, (256, 256)), ('mmseg', FCN, (96, 160)), ('mmseg', OCR, (96, 160))])
@torch.no_grad()
def test_equal_outputs_at_multiples_of_32(host, name, size):
    model = model_cfg(host, name)
    upstream, plugin = build(host, model), build(host, ours(host, model))
    same_weights(plugin, upstream)  # strict loading: the keys are equal, so upstream checkpoints load
    images = torch.randn(1, 3, *size)
    assert relative_error(plugin(images, None, mode='tensor'), upstream(images, None, mode='tensor')) < 1e-5


@torch.no_grad()
def test_face_config_of_the_plugin_equals_the_released_one():
    from hrnet_plugin.config_files import cfg
    upstream = build('mmpose', model_cfg('mmpose', FACE))
    model = Config.fromfile(cfg('td-hm_hrnetv2-w18_60e_wflw-256x256')).model.to_dict()
    model['backbone']['init_cfg'] = None
    plugin = build('mmpose', model)
    same_weights(plugin, upstream)
    images = torch.randn(1, 3, 128, 128)
    assert relative_error(plugin(images, None, mode='tensor'), upstream(images, None, mode='tensor')) < 1e-5


class OfficialFusion(nn.Module):
    """Fusion row of the official segmentation code, which interpolates once to the target size."""

    def __init__(self, row, branch):
        super().__init__()
        self.row, self.branch = row, branch

    def forward(self, feats):
        own = feats[self.branch]
        total = own
        for j, x in enumerate(feats):
            if j == self.branch:
                continue
            y = self.row[j](x)
            if j > self.branch:
                y = F.interpolate(y, size=own.shape[-2:], mode='bilinear', align_corners=False)
            total = total + y
        return F.relu(total)


@pytest.mark.parametrize('size', [(97, 161), (100, 130)])
@torch.no_grad()
def test_other_sizes_are_interpolated_once_as_in_the_official_code(size):
    """Compare with the official code. mmsegmentation interpolates twice, with other outputs."""
    model = model_cfg('mmseg', FCN)
    upstream, plugin = build('mmseg', model), build('mmseg', ours('mmseg', model))
    same_weights(plugin, upstream)
    images = torch.randn(1, 3, *size)
    feats = plugin.backbone(images)
    assert relative_error(feats[0], upstream.backbone(images)[0]) > 1e-3
    official = HRNet('w18_small_v2', host='mmseg').eval()
    official.load_state_dict(plugin.backbone.state_dict())
    for stage in (official.stage2, official.stage3, official.stage4):
        for module in stage:
            rows = [OfficialFusion(row, i) for i, row in enumerate(module.fuse_layers)]
            module.fuse_layers.forward = lambda feats, rows=rows: [row(feats) for row in rows]
    for a, b in zip(feats, official(images)):
        assert relative_error(a, b) < 1e-5


@torch.no_grad()
def test_align_corners_of_every_interpolation():
    """Check the option of the official OCR networks, which mmsegmentation's configs do not use."""
    model = model_cfg('mmseg', OCR)
    aligned = ours('mmseg', model, upsample=dict(mode='bilinear', align_corners=True))
    aligned['decode_head'] = [{**head, 'align_corners': True} for head in aligned['decode_head']]
    plain, plugin = build('mmseg', ours('mmseg', model)), build('mmseg', aligned)
    plugin.load_state_dict(randomize(plain).state_dict())
    modes, interpolate = [], F.interpolate

    def recorded(x, size=None, scale_factor=None, mode='nearest', align_corners=None, **options):
        modes.append((mode, align_corners))
        return interpolate(x, size, scale_factor, mode, align_corners, **options)

    F.interpolate = recorded
    try:
        out = plugin(torch.randn(1, 3, 64, 96), None, mode='tensor')
    finally:
        F.interpolate = interpolate
    assert set(modes) == {('bilinear', True)}
    assert out.shape == (1, 19, 16, 24)
