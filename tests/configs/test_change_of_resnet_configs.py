"""The change that the README shows works over every config of mmdet with ResNet-50 and FPN."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from catalogue import shallow
from mmengine.config import Config
from paths import ROOT

pytest.importorskip('mmdet')
import mmdet
from mmdet.registry import MODELS

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures('mmdet_scope')]

CONFIGS = Path(mmdet.__file__).parent / '.mim' / 'configs'
# configs of distillation, which download the checkpoint of the teacher when the model is built
DOWNLOADS = ('lad', 'ld')


def change(base, *neck_arguments):
    """Return the config of the README over another base, with further arguments of the neck and fewer layers."""
    text = next(text for text in re.findall(r'```python\n(.*?)```', (ROOT / 'README.md').read_text(), re.S)
                if '_delete_=True' in text)
    text = re.sub(r"_base_ = '.*'", f'_base_ = {str(base)!r}', text)
    text = text.replace("'w32'", str(shallow('w32')))
    return text.replace('out_channels=256)', ', '.join(['out_channels=256', *neck_arguments]) + ')')


def is_resnet_with_fpn(path):
    if '_base_' in path.parts or path.parent.name in DOWNLOADS:
        return False
    try:
        model = Config.fromfile(str(path)).get('model') or {}
    except FileNotFoundError:  # a base that mmdet does not ship
        return False
    parts = [model.get(name) for name in ('backbone', 'neck')]
    return all(isinstance(part, dict) for part in parts) and (
        parts[0].get('type'), parts[0].get('depth'), parts[1].get('type')) == ('ResNet', 50, 'FPN')


def error_of(config):
    """Build the model of a config without memory. Return the error, or None."""
    try:
        with torch.device('meta'):
            MODELS.build(config.model)
    except Exception as error:
        return error
    return None


def test_the_change_of_the_readme(tmp_path):
    """The neck of heads with strides 8 to 128 needs ``stride=2``, which the error says."""
    built, failed = {'': 0, 'stride=2': 0}, {}
    for path in sorted(CONFIGS.rglob('*_r50*fpn*.py')):
        if not is_resnet_with_fpn(path):
            continue
        errors = {}
        for argument in built:
            (tmp_path / 'config.py').write_text(change(path, *filter(None, [argument])))
            errors[argument] = error_of(Config.fromfile(str(tmp_path / 'config.py')))
            if errors[argument] is None:
                built[argument] += 1
                break
        else:
            if error_of(Config.fromfile(str(path))) is None:  # else mmdet cannot build it here, either
                failed[path.name] = errors
        if errors[''] is not None and errors.get('stride=2', '') is None:
            assert 'neck.stride' in str(errors['']), path.name
    print(built)
    assert failed == {}
    assert built[''] >= 150
    assert built['stride=2'] >= 60
