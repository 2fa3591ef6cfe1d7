"""Problems of torch, torchvision, numpy, mmengine and setuptools, from facts made by hand."""

from __future__ import annotations

import pytest
from doctor_facts import change, errors, healthy, notes, only, with_details

from hrnet_plugin.cli.diagnosis.facts import HOSTS
from hrnet_plugin.cli.diagnosis.problems import find_problems, split_by_readiness


def test_nothing_is_wrong():
    assert find_problems(healthy()) == ()
    assert split_by_readiness(healthy(), ()) == (['network', *HOSTS], [])


def test_torch_and_torchvision():
    facts = change(healthy(), {'torch': None}, {'torch': None}, network_error='x', checkpoint_error='x')
    assert errors(facts) == ["pip install 'torch>=2.1' torchvision"]
    facts = change(healthy(), {'torch': None}, {'torch': 'OSError: x'})
    assert errors(facts) == ['pip uninstall -y torch torchvision && pip install torchvision torch']


@pytest.mark.parametrize(('torch', 'required'), [
    ('2.11.0', 'torchvision torch==2.11.0'), ('2.12.1+cpu', 'torchvision==0.27.1+cpu torch==2.12.1+cpu'),
    ('2.14.1+cpu', 'torchvision torch==2.14.1+cpu'), ('2.8.0a0+git1', 'torchvision torch==2.8.0a0+git1')])
def test_the_torchvision_of_a_torch(torch, required):
    error = 'RuntimeError: operator torchvision::nms does not exist'
    facts = change(healthy(), {'torch': torch}, {'torchvision': error, 'mmpose': error})
    problem = only(facts)
    assert problem.command == f'pip uninstall -y torchvision && pip install {required}'
    assert problem.affects == {'mmpose'}
    assert ('--index-url' in problem.message) == ('+' in torch)


def test_a_missing_torchvision_is_a_note_if_nothing_requires_it():
    facts = change(healthy(), {'torchvision': None}, {'torchvision': None})
    assert errors(facts) == []
    assert notes(facts) == ['pip install torchvision torch==2.11.0']
    assert errors(facts, 'mmdet') == notes(facts)
    assert errors(change(facts, {'mmcv-torch-ops': '0.1.0'})) == notes(facts)


def test_numpy():
    assert errors(change(healthy(), {'numpy': None}, {'numpy': None, 'mmcv': 'x', 'mim': 'x'})) == [
        "pip install 'numpy<2'"]
    facts = change(healthy(), {'mmpose': None}, {'numpy': 'ImportError: x', 'mmpose': None})
    assert errors(facts) == ['pip install --force-reinstall numpy']


def test_mmengine():
    facts = change(healthy(), {'mmengine': None}, {'mmengine': None, 'mmcv': 'x'}, uses_pkg_resources=False)
    assert errors(facts) == ['pip install mmengine==0.10.7']
    onedl = change(facts, {'mmdet': None, 'onedl-mmdetection': '3.5.1'})
    assert errors(onedl) == ['pip install onedl-mmengine']
    facts = change(healthy(), modules={'mmengine': 'ImportError: x'})
    assert errors(facts) == ['pip uninstall -y mmengine && pip install mmengine==0.10.7']
    facts = change(healthy(), {'onedl-mmengine': '0.10.12'})
    assert errors(facts) == ['pip uninstall -y mmengine onedl-mmengine && pip install mmengine==0.10.7']
    facts = change(healthy(), modules={'mmengine': "ModuleNotFoundError: No module named 'addict'"})
    assert errors(facts) == ['pip install addict']
    problem = only(change(healthy(), {'mmengine': '1.0.0'}))
    assert problem.command == 'pip uninstall -y mmengine && pip install mmengine==0.10.7'
    assert problem.message == ('mmengine must be >=0.7.1,<1.0.0 for mmdet 3.3.0 and >=0.7.1,<1.0.0 for mmseg 1.2.2, '
                               'got 1.0.0.')


def test_pkg_resources():
    facts = change(healthy(), {'setuptools': '82.0.0'}, {'pkg_resources': None, 'mim': 'No module named pkg_resources'})
    problem = only(facts)
    assert problem.command == "pip install 'setuptools<81'"
    assert problem.message == ('setuptools must have pkg_resources for mmengine 0.10.7 and openmim 0.3.9, '
                               'got setuptools 82.0.0.')
    assert problem.affects == set(HOSTS)
    assert only(change(facts, uses_pkg_resources=False)).affects == set()
    assert errors(change(facts, {'openmim': None, 'onedl-mim': '0.3.10'}, {'mim': ''}, uses_pkg_resources=False)) == []


@pytest.mark.parametrize(('numpy', 'command'), [('2.2.6', "pip install 'numpy<2'"),
                                                ('1.26.4', "pip install --force-reinstall 'numpy<2'")])
def test_a_torch_that_cannot_use_numpy(numpy, command):
    facts = with_details(change(healthy(), {'numpy': numpy}, checkpoint_error='x'),
                         {'torch': dict(version='2.1.2', numpy_error='RuntimeError: Numpy is not available')})
    problem = only(facts)
    assert problem.command == command
    assert problem.message == (f'torch 2.1.2 must be able to use numpy {numpy}, got RuntimeError: Numpy is not '
                               'available.')
    assert problem.affects == {'network', *HOSTS}


GPU = dict(version='2.11.0+cu130', cuda='13.0', devices='1')


def test_a_torchvision_without_cuda():
    """mmcv-torch-ops needs it on a GPU. A compiled mmcv does not."""
    command = 'pip uninstall -y torchvision && pip install torchvision torch==2.11.0'
    compiled = with_details(healthy(), {'torch': GPU, 'torchvision': dict(cuda='-1')})
    assert errors(compiled) == []
    assert notes(compiled) == [command]
    problem = only(with_details(compiled, {'mmcv._ext': dict(origin='mmcv_torch_ops 0.1.0')}))
    assert problem.command == command
    assert problem.affects == set(HOSTS)
    for torch in (dict(GPU, devices='0'), dict(GPU, cuda=''), {}):  # ROCm has no CUDA version
        assert find_problems(with_details(compiled, {'torch': torch})) == ()
    assert find_problems(with_details(compiled, {'torchvision': dict(cuda='13000')})) == ()
