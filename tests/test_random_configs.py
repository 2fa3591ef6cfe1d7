"""Errors of random configs name the type and the option, for each registered type."""

from __future__ import annotations

import importlib
import warnings

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from paths import ROOT

pytest.importorskip('mmdet')
pytest.importorskip('mmseg')
pytest.importorskip('mmpretrain')

from hrnet_plugin.argument_errors import with_named_errors
from hrnet_plugin.checkpoints import Pretrained
from hrnet_plugin.models import HRFPN, HRNet


@pytest.fixture(scope='module')
def configs():
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter('ignore')
        patch.syspath_prepend(str(ROOT / 'scripts'))
        yield importlib.import_module('fuzz_configs')


@pytest.fixture(scope='module')
def types(configs):
    return list(configs.registered())


def test_each_registered_type_has_a_valid_config(configs, types):
    assert {name for _, name in types} == set(configs.VALID)
    for registry, name in types:
        for valid in configs.VALID[name]:
            configs.build(registry, dict(valid, type=f'hrnet_plugin.{name}'))


def error_of(configs, registry, config):
    try:
        configs.build(registry, config)
    except Exception as error:
        return error
    return None


@given(seed=st.integers(0, 2**32))
@settings(max_examples=400)
def test_errors_name_type_and_option(configs, types, seed):
    registry, config, names = configs.mutate(seed, types)
    error = error_of(configs, registry, config)
    if error is not None and str(config.get('type')).startswith('hrnet_plugin.'):  # mmengine rejects the others
        assert isinstance(error, (TypeError, ValueError, RuntimeError, KeyError))
        assert configs.describe(error, config['type'], names) == 'both', (config, error)


@pytest.mark.parametrize('value', [b'x', bytearray(b'x'), 'x', {1: 2}, [True], [1.5]])
def test_channels_are_sequences_of_ints(value):
    with pytest.raises(TypeError, match=r'hrnet_plugin.HRFPN: .*in_channels must be'):
        HRFPN(value)


def test_bools_are_no_numbers_of_a_choice():
    fcn = pytest.importorskip('hrnet_plugin.models.decode_heads').FCNHead
    with pytest.raises(ValueError, match=r'num_convs .* must be one of 1, got True'):
        fcn(arch='w18', num_classes=2, num_convs=True)


@pytest.mark.parametrize(('options', 'words'), [
    (dict(norm_cfg=dict(type='BatchNorm7d')), r"norm_cfg\['type'\] must be a registered model, got 'BatchNorm7d'"),
    (dict(norm_cfg=dict(type='BN', nope=1)), r'HRNet: .*nope.* arguments is invalid: norm_cfg='),
    (dict(init_cfg=dict(type='Normal', nope=1)), 'init_cfg must be valid.*nope'),
    (dict(init_cfg=dict(type='Nope')), r"init_cfg\['type'\] must be a registered weight initializer, got 'Nope'")])
def test_errors_of_layers_name_the_option(options, words):
    with pytest.raises((TypeError, ValueError), match=words):
        HRNet('w18_small_v1', **options)


def test_arguments_of_parts_are_named_once():
    classifier = pytest.importorskip('hrnet_plugin.models.classifiers').HRNetClassifier
    with pytest.raises(TypeError, match=r"^hrnet_plugin.HRNetClassifier: hrnet_plugin.HRNet: arch\['stage1'\] must be "
                                        r'a mapping, got 3 \(int\)$'):
        classifier(dict.fromkeys(('stage1', 'stage2', 'stage3', 'stage4'), 3), num_classes=2)
    with pytest.raises(TypeError, match=r"^hrnet_plugin.HRNet: extra\['stage1'\] must be a mapping, got 3 \(int\)$"):
        HRNet(extra=dict.fromkeys(('stage1', 'stage2', 'stage3', 'stage4'), 3))


def test_missing_arguments_have_no_suspects():
    with pytest.raises(TypeError, match=r"^Pretrained\S+ missing 1 required positional argument: 'checkpoint'$"):
        Pretrained(prefix='backbone.')
    with pytest.raises(ValueError, match=r'^hrnet_plugin\.HRFPN: in_channels or arch must be given, got neither$'):
        HRFPN(out_channels=256)


def test_errors_without_a_message_show_the_failed_line():
    class Module:
        def __init__(self, size):
            if size < 0:
                raise AssertionError

    with pytest.raises(ValueError, match=r"scope.Module: AssertionError in 'raise AssertionError'.* invalid: size=-1"):
        with_named_errors(Module, 'scope.Module')(-1)


def test_long_values_are_shortened():
    with pytest.raises(ValueError, match=r"arch must be one of .*, got 'a{199}$"):
        HRNet('a' * 10**6)

    class Module:
        def __init__(self, size):
            raise ValueError(f'size must be 1, got {size}')

    with pytest.raises(ValueError, match=r'Module: size must be 1, got a+ \.\.\. a+$') as found:
        with_named_errors(Module, 'scope.Module')('a' * 10**6)
    assert len(str(found.value)) < 1000


@pytest.mark.parametrize('error', [OSError('no space'), ImportError('no mmdet'), MemoryError(),
                                   NotImplementedError('here'), torch.cuda.OutOfMemoryError('2 GiB')])
def test_errors_of_the_environment_do_not_change(error):
    class Module:
        def __init__(self, size):
            raise error

    with pytest.raises(type(error)) as found:
        with_named_errors(Module, 'scope.Module')(1)
    assert found.value is error


def test_inherited_constructors_keep_the_order_of_base_classes():
    class Base:
        pass

    class Mixin(Base):
        def __init__(self, interval):
            if interval < 0:
                raise ValueError('too small')
            self.interval = interval

    class Heir(Base):
        pass

    for kind in (Base, Heir):
        with_named_errors(kind, f'scope.{kind.__name__}')

    class Mine(Heir, Mixin):
        pass

    assert with_named_errors(Mine, 'scope.Mine')(interval=3).interval == 3
    with pytest.raises(ValueError, match=r'^scope\.Mine: too small\. One of these arguments is invalid: interval=-1'):
        Mine(interval=-1)
    with pytest.raises(TypeError, match=r'Heir\(\) takes no arguments'):
        Heir(interval=3)
