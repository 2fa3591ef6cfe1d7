"""Problems of the hosts and the plugin, from facts made by hand."""

from __future__ import annotations

import pytest
from doctor_facts import SITE, change, errors, healthy, notes, only

from hrnet_plugin.cli.diagnosis.facts import HOSTS, Distribution
from hrnet_plugin.cli.diagnosis.problems import find_problems, split_by_readiness


def test_a_missing_host():
    facts = change(healthy(), {'mmdet': None, 'mmpose': None, 'numpy': '2.4.6'}, {'mmdet': None, 'mmpose': None})
    assert errors(facts) == []
    assert notes(facts)[0] == 'pip install mmdet'
    assert errors(facts, 'mmdet', 'mmseg') == ['pip install mmdet']
    command, = errors(facts, 'mmpose')
    assert command.startswith('pip install mmdet && pip install --no-deps mmpose')
    assert command.endswith("pip install 'numpy<2'")
    assert split_by_readiness(facts, find_problems(facts, ['mmdet']), ['mmdet'])[1] == ['mmdet']


def test_a_host_that_has_lost_its_files():
    assert errors(change(healthy(), modules={'mmdet': None})) == ['pip uninstall -y mmdet && pip install mmdet']


@pytest.mark.parametrize(('python', 'is_compiled'), [('3.11.7, /bin/python', False), ('3.13.0, /bin/python', True)])
def test_mmpose_on_newer_pythons(python, is_compiled):
    facts = change(healthy(), {'mmpose': None}, {'mmpose': None}, python=python)
    assert ('xtcocotools' in only(facts, 'mmpose').message) == is_compiled


def test_a_host_of_two_distributions():
    assert errors(change(healthy(), {'onedl-mmdetection': '3.5.1'})) == [
        'pip uninstall -y mmdet onedl-mmdetection && pip install mmdet']


@pytest.mark.parametrize(('error', 'command'), [
    ('ValueError: numpy.dtype size changed, may indicate binary incompatibility', "pip install 'numpy<2'"),
    ("ModuleNotFoundError: No module named 'xtcocotools'", "pip install 'numpy<2' xtcocotools"),
    ("ModuleNotFoundError: No module named 'yaml.reader'", 'pip install pyyaml'),
    ("ModuleNotFoundError: No module named 'unheard_of'", "python -c 'import mmpose.models'  # prints the traceback"),
])
def test_a_host_that_does_not_import(error, command):
    assert only(change(healthy(), modules={'mmpose': error})).command == command


def test_hosts_with_one_error_are_one_problem():
    error = "ModuleNotFoundError: No module named 'pycocotools'"
    problem = only(change(healthy(), modules={'mmdet': error, 'mmpose': error}))
    assert problem.command == 'pip install pycocotools'
    assert problem.affects == {'mmdet', 'mmpose'}


def test_the_network():
    facts = change(healthy(), network_error="ModuleNotFoundError: No module named 'safetensors'")
    assert only(facts).command == "pip install 'safetensors>=0.4.0'"
    assert split_by_readiness(facts, find_problems(facts)) == (list(HOSTS), ['network'])


def test_the_plugin():
    editable = Distribution('hrnet-plugin', '0.1.0', SITE, 'file:///checkout', is_editable=True)
    problem = only(change(healthy(), {'hrnet-plugin': editable}, has_configs=False))
    assert problem.command == 'pip install --force-reinstall --no-deps .'
    assert problem.message.endswith('got an editable one.')
    assert errors(change(healthy(), {'hrnet-plugin': editable})) == []  # mmengine and mim find this one
    assert errors(change(healthy(), has_configs=False)) == [problem.command]
    facts = change(healthy(), {'hrnet-plugin': None}, has_configs=False)
    assert errors(facts) == []
    assert notes(facts) == ['pip install .']


def test_openmim():
    assert errors(change(healthy(), modules={'mim': "No module named 'tabulate'"})) == ['pip install tabulate']


def test_checkpoints():
    facts = change(healthy(), checkpoint_error='UnpicklingError: x')
    assert errors(facts) == ['export TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1']
    assert 'UnpicklingError: x' in only(facts).message
