"""Types of the plugin resolve by scope in every host, in a process that never imported it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

BUILD = """
    import importlib, sys
    registry = importlib.import_module('{host}.registry').MODELS
    from mmengine.registry import DefaultScope
    DefaultScope.get_instance('test', scope_name='{scope}')
    assert not any(name.startswith('hrnet_plugin') for name in sys.modules)
    backbone = registry.build(dict(type='hrnet_plugin.HRNet', arch='w18_small_v1'))
    neck = registry.build(dict(type='hrnet_plugin.HRFPN', arch='w18_small_v1'))
    merge = registry.build(dict(type='hrnet_plugin.HRNetV2', arch='w18_small_v1'))
    print(type(backbone).__module__, type(neck).__module__, type(merge).__module__)
"""
BUILT = 'hrnet_plugin.models.backbones.hrnet hrnet_plugin.models.necks.hrfpn hrnet_plugin.models.necks.hrnetv2'


def run(code, path=None):
    env = dict(os.environ)
    if path is not None:
        env['PYTHONPATH'] = os.pathsep.join([str(path), env.get('PYTHONPATH', '')])
    code = 'import warnings; warnings.simplefilter("ignore")\n' + textwrap.dedent(code)
    done = subprocess.run([sys.executable, '-c', code], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize('host', ['mmengine', 'mmdet', 'mmpose', 'mmseg'])
def test_builds_in_a_fresh_process(host):
    pytest.importorskip(host)
    assert BUILT in run(BUILD.format(host=host, scope=host))


@pytest.mark.parametrize('host', ['mmdet', 'mmpose', 'mmseg'])
def test_the_upstream_network_is_not_replaced(host):
    pytest.importorskip(host)
    out = run(f"""
        from {host}.registry import MODELS
        import {host}.models, hrnet_plugin.models
        print(MODELS.get('HRNet').__module__, MODELS.get('hrnet_plugin.HRNet').__module__)
    """)
    assert out.split() == [f'{host}.models.backbones.hrnet', 'hrnet_plugin.models.backbones.hrnet']


@pytest.mark.parametrize(('broken', 'error', 'builder'), [
    # mmpose and mmsegmentation import mmdet, so only mmengine's registry works if mmdet is broken
    ('mmdet', 'AssertionError("mmcv is too new")', 'mmengine'),
    ('mmpose', 'ImportError("no such library")', 'mmdet'),
    ('mmseg', 'RuntimeError("operator torchvision::nms does not exist")', 'mmdet'),
])
def test_a_host_that_fails_to_import_does_not_break_the_others(broken, error, builder, tmp_path):
    pytest.importorskip(builder)
    (tmp_path / broken).mkdir()
    (tmp_path / broken / '__init__.py').write_text(f'raise {error}\n')
    assert BUILT in run(BUILD.format(host=builder, scope=builder), tmp_path)


def test_the_network_requires_no_host_and_no_mmcv_operators():
    run("""
        import sys
        for name in ('mmdet', 'mmpose', 'mmseg', 'mmpretrain', 'mmcv.ops', 'mmcv._ext', 'torchvision'):
            sys.modules[name] = None  # importing it now raises ImportError
        import torch
        from hrnet_plugin.models import HRFPN, HRNet, HRNetV2
        feats = HRNet('w18_small_v1')(torch.rand(1, 3, 64, 64))
        HRFPN(arch='w18_small_v1')(feats)
        HRNetV2(arch='w18_small_v1')(feats)
    """)


def test_the_classifier_requires_no_host():
    run("""
        import sys
        for name in ('mmdet', 'mmpose', 'mmseg', 'mmpretrain', 'mmcv.ops', 'mmcv._ext', 'torchvision'):
            sys.modules[name] = None
        import torch
        from hrnet_plugin.models import HRNetClassifier
        HRNetClassifier('w18_small_v1', num_classes=3).eval()(torch.rand(1, 3, 64, 64))
    """)


@pytest.mark.parametrize('name', ['FCNHead', 'OCRHead'])
def test_heads_import_their_host_on_first_use(name):
    pytest.importorskip('mmseg')
    out = run(f"""
        import sys
        from mmengine.registry import MODELS
        MODELS.get('hrnet_plugin.HRNet')
        print('mmseg' in sys.modules)
        head = MODELS.build(dict(type='hrnet_plugin.{name}', arch='w18_small_v1', num_classes=5))
        print('mmseg' in sys.modules, type(head).__module__.rsplit('.', 1)[0])
    """)
    assert out.split() == ['False', 'True', 'hrnet_plugin.models.decode_heads']


@pytest.mark.parametrize('name', ['CenterTripletHead', 'CenterTripletTTAModel'])
def test_the_detection_head_imports_mmdet_on_first_use(name):
    pytest.importorskip('mmdet')
    out = run(f"""
        import sys
        from mmengine.registry import MODELS
        MODELS.get('hrnet_plugin.HRNet')
        print('mmdet' in sys.modules)
        found = MODELS.get('hrnet_plugin.{name}')
        print('mmdet' in sys.modules, found.__module__.rsplit('.', 1)[0])
    """)
    assert out.split() == ['False', 'True', 'hrnet_plugin.models.dense_heads']


def test_a_missing_host_raises_with_the_install_command():
    out = run("""
        import importlib.util, sys
        find_spec = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *args: None if name in ('mmdet', 'mmseg') else find_spec(name, *args)
        from mmengine.registry import MODELS
        MODELS.get('hrnet_plugin.HRNet')
        for name in ('FCNHead', 'LeftRightTTAModel', 'CenterTripletHead'):
            try:
                MODELS.build(dict(type='hrnet_plugin.' + name))
            except ImportError as error:
                print(error)
    """)
    assert "hrnet_plugin.FCNHead needs mmseg, which is not installed: pip install mmsegmentation ftfy regex" in out
    assert 'hrnet_plugin.LeftRightTTAModel needs mmseg' in out
    assert 'hrnet_plugin.CenterTripletHead needs mmdet, which is not installed' in out


@pytest.mark.parametrize(('host', 'package', 'name'), [
    ('mmpose', 'mmpose', 'td-hm_hrnetv1-w32_210e_coco-256x192'),
    ('mmseg', 'mmsegmentation', 'fcn_hrnetv2-w18_110k_lip')])
def test_a_config_of_a_missing_host_raises_with_the_install_command(host, package, name):
    out = run(f"""
        import mmengine.config.config, mmengine.config.utils
        installed = mmengine.config.config.is_installed
        for module in (mmengine.config.config, mmengine.config.utils):
            if hasattr(module, 'is_installed'):
                module.is_installed = lambda name: name != '{package}' and installed(name)
        import sys
        from hrnet_plugin.cli import config, count, run_options, train
        import hrnet_plugin
        path = hrnet_plugin.cfg('{name}')
        for call in (lambda: run_options.load_config(train.parse_args([path])), lambda: count.main(['{name}']),
                     lambda: config.main(['{name}'])):
            try:
                call()
            except ImportError as error:
                print(error)
    """)
    command = dict(mmdet='pip install mmdet', mmpose='pip install --no-deps mmpose && pip install json_tricks munkres ',
                   mmseg='pip install mmsegmentation ftfy regex')[host]
    assert out.count(f'inherits from {package}, which is not installed: {command}') == 3


def test_without_mmengine_both_distributions_are_named():
    out = run("""
        import sys, warnings
        from importlib import util
        found = util.find_spec
        util.find_spec = lambda name, *rest: None if name == 'mmengine' else found(name, *rest)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter('always')
            import hrnet_plugin
        print(caught[0].message, 'mmengine' in sys.modules, 'torch' in sys.modules)
    """)
    assert out == ('hrnet_plugin needs mmengine, which is not installed: pip install mmengine (or onedl-mmengine) '
                   'False False\n')


def test_unknown_types_are_named():
    out = run("""
        from mmengine.registry import MODELS
        try:
            MODELS.build(dict(type='hrnet_plugin.HRNetV3'))
        except KeyError as error:
            print(error)
    """)
    assert 'HRNetV3' in out
