"""Models of mmpose and mmsegmentation with the plugin's parts and with the hosts' own: same weights, same outputs."""

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
    """The model of a host's config, without what needs a GPU or a network."""
    root = Path(pytest.importorskip(host).__file__).parent / '.mim' / 'configs'
    pytest.importorskip(f'{host}.models')
    model = Config.fromfile(str(root / name)).model.to_dict()
    model['pretrained'] = model['backbone']['init_cfg'] = None
    return model if host == 'mmseg' else {key: value for key, value in model.items() if key != 'pretrained'}


def build(host, model):
    with DefaultScope.overwrite_default_scope(host):
        return MODELS.build(Config(dict(model=model)).model).eval()


def ours(host, model, **changes):
    """The same, with the plugin's types and nothing else changed."""
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
def test_the_same_output_on_multiples_of_32(host, name, size):
    model = model_cfg(host, name)
    upstream, plugin = build(host, model), build(host, ours(host, model))
    same_weights(plugin, upstream)  # strictly: the keys are the same, and so host's checkpoints load
    images = torch.randn(1, 3, *size)
    assert relative_error(plugin(images, None, mode='tensor'), upstream(images, None, mode='tensor')) < 1e-5


@torch.no_grad()
def test_the_released_faces_are_those_of_the_plugins_config():
    from hrnet_plugin.config_files import cfg
    upstream = build('mmpose', model_cfg('mmpose', FACE))
    model = Config.fromfile(cfg('td-hm_hrnetv2-w18_60e_wflw-256x256')).model.to_dict()
    model['backbone']['init_cfg'] = None
    plugin = build('mmpose', model)
    same_weights(plugin, upstream)
    images = torch.randn(1, 3, 128, 128)
    assert relative_error(plugin(images, None, mode='tensor'), upstream(images, None, mode='tensor')) < 1e-5


class OfficialFusion(nn.Module):
    """A fusion row as the official segmentation code has it: convolve, then interpolate once to the target's size."""

    def __init__(self, row, resolution):
        super().__init__()
        self.row, self.resolution = row, resolution

    def forward(self, feats):
        own = feats[self.resolution]
        total = own
        for j, x in enumerate(feats):
            if j == self.resolution:
                continue
            y = self.row[j](x)
            if j > self.resolution:
                y = F.interpolate(y, size=own.shape[-2:], mode='bilinear', align_corners=False)
            total = total + y
        return F.relu(total)


@pytest.mark.parametrize('size', [(97, 161), (100, 130)])
@torch.no_grad()
def test_other_sizes_are_interpolated_once_as_in_the_official_code(size):
    """mmsegmentation interpolates by a factor and then again to the size, which is another function."""
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
def test_aligned_corners_reach_every_interpolation():
    """The option of the official OCR networks, which mmsegmentation's configs do not have."""
    model = model_cfg('mmseg', OCR)
    aligned = ours('mmseg', model, upsample=dict(mode='bilinear', align_corners=True))
    aligned['decode_head'] = [{**head, 'align_corners': True} for head in aligned['decode_head']]
    plain, plugin = build('mmseg', ours('mmseg', model)), build('mmseg', aligned)
    plugin.load_state_dict(randomize(plain).state_dict())
    modes, interpolate = [], F.interpolate

    def watched(x, size=None, scale_factor=None, mode='nearest', align_corners=None, **options):
        modes.append((mode, align_corners))
        return interpolate(x, size, scale_factor, mode, align_corners, **options)

    F.interpolate = watched
    try:
        out = plugin(torch.randn(1, 3, 64, 96), None, mode='tensor')
    finally:
        F.interpolate = interpolate
    assert set(modes) == {('bilinear', True)}
    assert out.shape == (1, 19, 16, 24)
