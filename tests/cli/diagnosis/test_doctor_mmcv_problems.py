"""Problems of mmcv and its operators, from facts made by hand."""

from __future__ import annotations

import pytest
from doctor_facts import LITE, OPERATORS, SITE, USER, VERSIONS, change, errors, healthy, notes, only, with_details

from hrnet_plugin.cli.diagnosis.facts import HOSTS, Distribution, Module
from hrnet_plugin.cli.diagnosis.problems import find_problems, split_by_readiness


@pytest.mark.parametrize(('installed', 'command'), [
    ({'mmcv': '2.2.0'}, f'pip uninstall -y mmcv && pip install {LITE} {OPERATORS}'),
    ({'mmcv': '2.2.0', 'mmcv-torch-ops': '0.1.0'}, f'pip uninstall -y mmcv && pip install {LITE}'),
    ({'mmcv': None, 'mmcv-lite': '2.2.0'}, f'pip install {LITE} {OPERATORS}'),
    ({'mmcv': None, 'onedl-mmcv': '2.3.6'}, f'pip uninstall -y onedl-mmcv && pip install {LITE} {OPERATORS}'),
    ({'mmcv': '1.7.2'}, f'pip uninstall -y mmcv && pip install {LITE} {OPERATORS}'),
])
def test_mmcv_that_hosts_refuse(installed, command):
    problem = only(change(healthy(), installed, dict.fromkeys(('mmdet', 'mmseg'), 'AssertionError: MMCV==x')))
    assert problem.command == command
    assert problem.affects == {'mmdet', 'mmseg'}
    assert problem.message.startswith('mmcv must be >=2.0.0rc4,<2.2.0 for mmdet 3.3.0 and ')


def test_a_fork_without_a_range_accepts_any_mmcv():
    assert errors(change(healthy(), {'mmcv': None, 'onedl-mmcv': '2.3.6'}, ranges={})) == []


def test_mmcv_lite_does_not_bring_another_mmengine():
    """Its requirement mmengine would overwrite the files of onedl-mmengine."""
    facts = change(healthy(), {'mmengine': None, 'onedl-mmengine': '0.10.12', 'mmcv': '2.3.6'})
    assert errors(facts) == [f'pip uninstall -y mmcv && pip install --no-deps {LITE} {OPERATORS}']


def test_mmcv_of_two_distributions():
    problem = only(change(healthy(), {'mmcv-lite': '2.1.0'}))
    assert problem.command == f'pip uninstall -y mmcv mmcv-lite && pip install {LITE} {OPERATORS}'
    assert 'got mmcv 2.1.0 and mmcv-lite 2.1.0.' in problem.message
    assert errors(change(healthy(), {'mmcv-lite': Distribution('mmcv-lite', '2.1.0', USER)})) == []


def test_mmcv_without_files():
    facts = change(healthy(), {'mmcv': None}, {'mmcv': None, 'mmcv._ext': None}, network_error='x')
    assert only(facts).command == f'pip install {LITE} {OPERATORS}'
    assert split_by_readiness(facts, find_problems(facts)) == ([], ['network', *HOSTS])
    namespace = change(healthy(), {'mmcv': None, 'mmcv-torch-ops': '0.1.0'}, {'mmcv': Module()})
    assert only(namespace).command == f'pip install {LITE}'
    assert only(namespace).message.startswith('mmcv-lite must be installed beside mmcv-torch-ops 0.1.0, got')
    lost = change(healthy(), {'mmcv': None, 'mmcv-lite': '2.1.0'}, {'mmcv': Module()})
    assert errors(lost) == [f'pip install --force-reinstall --no-deps {LITE}']


def test_torch_stays_when_the_operators_bring_torchvision():
    facts = change(healthy(), {'torchvision': None, 'mmcv': None}, {'torchvision': None, 'mmcv': None})
    assert errors(facts) == [f'pip install {LITE} {OPERATORS} torch==2.11.0']


def test_mmcv_that_does_not_import():
    facts = change(healthy(), modules={'mmcv': 'ImportError: libGL.so.1: cannot open shared object file'})
    assert errors(facts) == ['pip uninstall -y opencv-python && pip install opencv-python-headless']
    facts = change(healthy(), modules={'mmcv': 'AttributeError: x'})
    assert errors(facts) == [f'pip uninstall -y mmcv && pip install {LITE} {OPERATORS}']


def test_mmcv_without_operators():
    facts = change(healthy(), modules={'mmcv._ext': None, 'mmdet': "No module named 'mmcv._ext'"})
    assert only(facts).command == f'pip install {OPERATORS}'
    assert only(facts).affects == {'mmdet'}
    alone = change(facts, dict.fromkeys(VERSIONS.keys() & {'mmdet', 'mmpose', 'mmsegmentation', 'mmpretrain'}),
                   dict.fromkeys(HOSTS))
    assert errors(alone) == []
    assert f'pip install {OPERATORS}' in notes(alone)
    assert errors(alone, 'mmdet') == [f'pip install {OPERATORS}', 'pip install mmdet']


def test_operators_of_another_torch():
    error = 'ImportError: mmcv/_ext.cpython-311.so: undefined symbol: _ZN3c10'
    facts = change(healthy(), modules=dict.fromkeys(('mmcv._ext', 'mmdet', 'mmpose'), error))
    assert only(facts).command == f'pip uninstall -y mmcv && pip install {LITE} {OPERATORS}'
    assert only(facts).affects == {'mmdet', 'mmpose'}


def test_operators_that_do_not_import():
    facts = change(healthy(), {'mmcv-torch-ops': '0.1.0'}, {'mmcv._ext': Module(f'{SITE}/mmcv/_ext.py', error='x')})
    assert errors(facts) == [f'pip install --force-reinstall --no-deps {OPERATORS}']
    assert errors(change(facts, {'torchvision': None}, {'torchvision': None})) == [
        'pip install torchvision torch==2.11.0']


@pytest.mark.parametrize(('mmcv', 'operators', 'command'), [
    # pip installs into SITE, which hides the user site but not PYTHONPATH
    (USER, SITE, f'pip install --ignore-installed --no-deps {LITE} {OPERATORS}'),
    (SITE, USER, f'pip install --ignore-installed --no-deps {OPERATORS}'),
    ('/other', SITE, f'unset PYTHONPATH && pip install --ignore-installed --no-deps {LITE} {OPERATORS}'),
    (SITE, SITE, f'pip install --force-reinstall --no-deps {OPERATORS}'),
])
def test_operators_in_another_site_directory(mmcv, operators, command):
    facts = change(healthy(), {'mmcv': None, 'mmcv-lite': Distribution('mmcv-lite', '2.1.0', mmcv),
                               'mmcv-torch-ops': Distribution('mmcv-torch-ops', '0.1.0', operators)},
                   {'mmcv': Module(f'{mmcv}/mmcv/__init__.py'), 'mmcv._ext': None},
                   search_path=('/other', SITE, USER))
    assert only(facts).command == command


def test_operators_behind_the_user_site():
    """Outside a virtual environment, the user site comes first."""
    facts = change(healthy(), {'mmcv': None, 'mmcv-lite': Distribution('mmcv-lite', '2.1.0', USER),
                               'mmcv-torch-ops': '0.1.0'},
                   {'mmcv': Module(f'{USER}/mmcv/__init__.py'), 'mmcv._ext': None}, search_path=(USER, SITE))
    assert errors(facts) == [f'pip install --ignore-installed --no-deps --user {OPERATORS}']


def test_operators_without_cuda_beside_a_gpu():
    gpu = with_details(healthy(), {'torch': dict(cuda='13.0', devices='2')})
    facts = with_details(gpu, {'mmcv._ext': dict(cuda='not available')})
    assert only(facts).command == f'pip uninstall -y mmcv && pip install {LITE} {OPERATORS}'
    assert only(facts).affects == set(HOSTS)
    assert errors(with_details(gpu, {'mmcv._ext': dict(cuda='13.0')})) == []
    assert errors(with_details(facts, {'torch': dict(cuda='13.0', devices='0')})) == []


@pytest.mark.parametrize('operators', [None, USER])
def test_an_mmcv_in_a_folder_that_pip_cannot_write_to(operators):
    """The operators are in the user site, or would get there."""
    ours = operators and Distribution('mmcv-torch-ops', '0.1.0', operators)
    facts = change(healthy(), {'mmcv': None, 'mmcv-lite': '2.1.0', 'mmcv-torch-ops': ours},
                   {'mmcv': Module(f'{SITE}/mmcv/__init__.py'), 'mmcv._ext': None, 'mmdet': 'mmcv._ext'},
                   search_path=(USER, SITE), site_is_writable=False)
    assert errors(facts) == [f'pip install --user --ignore-installed --no-deps {LITE} {OPERATORS}']
    assert '--user' not in errors(change(facts, search_path=(SITE, )))[0]  # a venv does not see the user site
    assert '--user' not in errors(change(facts, site_is_writable=True))[0]
