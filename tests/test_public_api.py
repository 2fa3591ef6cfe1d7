"""Public names: lazy imports without side effects."""

from __future__ import annotations

import subprocess
import sys
from textwrap import dedent

import pytest
from mmengine.config import Config
from mmengine.registry import MODELS
from torch import nn

import hrnet_plugin


def run(code):
    done = subprocess.run([sys.executable, '-c', dedent(code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_the_models_has_no_side_effects():
    out = run('''
        import sys
        import mmcv.cnn, mmengine.model, mmengine.registry, torch
        from torch.nn.modules import module

        def state():
            listed = getattr(torch.serialization, 'get_safe_globals', list)()
            return sorted(map(str, listed)), [dict(value) for name, value in sorted(vars(module).items())
                                              if name.startswith('_global') and name.endswith('hooks')]

        before = state()
        import hrnet_plugin.models
        print(state() == before)
        print([name for name in sys.modules if name.startswith((
            'hrnet_plugin.checkpoints', 'hrnet_plugin.execution', 'hrnet_plugin.training', 'mmdet', 'mmpose'))])
    ''')
    assert out.split('\n')[:2] == ['True', '[]']


def test_building_a_model_imports_the_plugin_module():
    out = run('''
        import sys
        from mmengine.registry import MODELS
        MODELS.build(dict(type='hrnet_plugin.HRNet', arch='w18_small_v1'))
        print('hrnet_plugin.plugin' in sys.modules)
    ''')
    assert out.split('\n')[0].endswith('True')


def test_all_public_names_are_importable():
    assert set(hrnet_plugin.__all__) <= set(dir(hrnet_plugin))
    for name in hrnet_plugin.__all__:
        assert getattr(hrnet_plugin, name) is not None
        assert name in (hrnet_plugin.__doc__ or '')
    with pytest.raises(AttributeError, match='HRnet'):
        hrnet_plugin.HRnet  # noqa: B018


def test_names_are_imported_on_first_use():
    assert run('''
        import sys
        import hrnet_plugin
        print('torch' in sys.modules)
        from hrnet_plugin import HRNet
        print(HRNet.__name__)
    ''').split() == ['False', 'HRNet']


NEW_STYLE = '''
from mmengine.config import read_base

from hrnet_plugin import HRFPN

with read_base():
    from .base import *

model.update(neck=dict(type=HRFPN, arch='w18_small_v1', out_channels=16))
'''
BASE = '''
from hrnet_plugin import HRNet
from torch.nn import Identity

model = dict(type=HRNet, arch='w18_small_v1')
other = dict(type=Identity)
'''


def test_new_style_configs_build_and_dump(tmp_path):
    (tmp_path / 'base.py').write_text(BASE)
    (tmp_path / 'derived.py').write_text(NEW_STYLE)
    config = Config.fromfile(tmp_path / 'derived.py')
    config.dump(tmp_path / 'dumped.py')
    for read in (config, Config.fromfile(tmp_path / 'dumped.py')):
        backbone = dict(read.model)
        neck = MODELS.build(backbone.pop('neck'))
        model = nn.Sequential(MODELS.build(backbone), neck)
        assert [type(part).__name__ for part in model] == ['HRNet', 'HRFPN']
        assert type(model[0]) is hrnet_plugin.HRNet
