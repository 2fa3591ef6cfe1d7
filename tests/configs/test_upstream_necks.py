"""HRNet in every config of mmdet whose backbone has feature maps of strides 4 to 32, with the neck of the config."""

from __future__ import annotations

import copy
import traceback
from pathlib import Path

import pytest
import torch
from catalogue import shallow
from mmengine.config import Config

from hrnet_plugin.arch import arch_channels

pytest.importorskip('mmdet')
import mmdet
from mmdet.registry import MODELS

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures('mmdet_scope')]

CONFIGS = Path(mmdet.__file__).parent / '.mim' / 'configs'
ARCH = shallow('w18')
CHANNELS = arch_channels('w18')
RESNETS = ('ResNet', 'ResNeXt', 'Res2Net', 'ResNeSt')
# their feature maps begin with stride 4, or end with stride 32
OTHERS = ('SwinTransformer', 'PyramidVisionTransformer', 'PyramidVisionTransformerV2', 'CSPDarknet', 'CSPNeXt')
# configs of distillation, which download the checkpoint of the teacher when the model is built
DOWNLOADS = ('lad', 'ld')


def first_neck(model):
    neck = model.get('neck')
    return neck[0] if isinstance(neck, list) else neck


def with_hrnet(model):
    """Replace backbone and channels. Return False if HRNet has no feature maps of the same strides."""
    old, reader = model.backbone, first_neck(model) or model.get('panoptic_head')
    kind = old['type'].split('.')[-1]
    channels = (reader or {}).get('in_channels')
    if not isinstance(channels, (list, tuple)):
        return False
    if kind in RESNETS and not old.get('dilations') and not old.get('strides'):
        indices = tuple(old.get('out_indices', range(4)))
    elif kind in OTHERS and len(channels) <= 4 and 5 not in old.get('out_indices', ()) and old.get('arch') != 'P6':
        indices = tuple(range(4 - len(channels), 4))
    else:
        return False
    model.backbone = dict(type='hrnet_plugin.HRNet', arch=ARCH, out_indices=indices)
    reader['in_channels'] = [CHANNELS[i] for i in indices]
    if model.get('track_head'):
        model.track_head.in_channels = reader['in_channels']
    return True


def error_of(model):
    """Build a model without memory. Return the error of the build-time checks, another error as text, or None."""
    try:
        with torch.device('meta'):
            MODELS.build(copy.deepcopy(model))
    except Exception as error:
        is_ours = any(frame.name == 'check_submodule' for frame in traceback.extract_tb(error.__traceback__))
        return error if is_ours else f'{type(error).__name__}: {error}'
    return None


def models():
    """Yield the name and model of each config that HRNet fits."""
    seen = set()
    for path in sorted(CONFIGS.rglob('*.py')):
        if '_base_' in path.parts or path.parent.name in DOWNLOADS:
            continue
        try:
            model = Config.fromfile(str(path)).get('model') or {}
        except Exception:  # a base or package that is missing
            continue
        if isinstance(model.get('backbone'), dict) and with_hrnet(model) and str(model) not in seen:
            seen.add(str(model))
            yield path.name, model


def test_right_configs_are_accepted_and_wrong_ones_refused():
    built, refused, missed = 0, {}, []
    for name, model in models():
        error = error_of(model)
        if isinstance(error, Exception):
            refused[name] = error
        if error is not None:
            continue
        built += 1
        if len(model.backbone.out_indices) > 1:  # the coarsest feature map alone is what many necks read
            model.backbone.out_indices = model.backbone.out_indices[1:]
            wrong = error_of(model)
            if not isinstance(wrong, ValueError) or 'backbone.out_indices=' not in str(wrong):
                missed.append((name, wrong))
    assert refused == {}
    assert missed == []
    assert built >= 180
