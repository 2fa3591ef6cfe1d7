"""The text of the report, and the tool."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hrnet_plugin.cli import doctor
from hrnet_plugin.cli.diagnosis.facts import Distribution, Facts, Module
from hrnet_plugin.cli.diagnosis.problem import Problem
from hrnet_plugin.cli.diagnosis.report import WIDTH, report

LONG = 'x must be ' + 'a word of many ' * 20
COMMAND = 'pip install ' + 'a-package ' * 20 + './packages/mmcv_ops'


def facts(**modules):
    distributions = (Distribution('mmcv-lite', '2.1.0', '/a'), Distribution('mmcv-torch-ops', '0.1.0', '/b'),
                     Distribution('hrnet-plugin', '0.1.0', '/a', 'file:///checkout'))
    return Facts('3.11, /bin/python', 'Linux', distributions, modules, plugin_folder='/a/hrnet_plugin',
                 has_configs=True)


def test_text_is_wrapped_and_commands_are_not():
    text = report(facts(), [Problem(LONG, COMMAND), Problem('y.', 'pip install y', is_error=False)])
    assert [line for line in text.splitlines() if len(line) > WIDTH] == [f'    {COMMAND}']
    assert '\n\nProblems\n- x must be a word' in text
    assert '\n\nNotes\n- y.\n    pip install y\n\n' in text
    assert text.endswith('\nRun commands with . or ./ in the checkout of hrnet_plugin (/checkout).')


def test_the_checkout_is_named_only_for_commands_that_need_it():
    assert 'checkout' not in report(facts(), [Problem('y.', 'pip install y')])
    assert 'checkout' in report(facts(), [Problem('y.', 'pip install .')])


def test_modules():
    torch = Module('/a/torch/__init__.py', details={'version': '2.11.0', 'cuda': '13.0', 'gpus': 'NVIDIA H100'})
    text = report(facts(torch=torch, mmdet=Module('/a/mmdet/__init__.py', error='ValueError: x'),
                        mmcv=Module('/a/mmcv/__init__.py')), [])
    for line in ('torch         2.11.0, CUDA 13.0, GPUs: NVIDIA H100', 'torchvision   not installed',
                 'mmcv          mmcv-lite 2.1.0, /a/mmcv/__init__.py',
                 'mmcv._ext     missing; mmcv-torch-ops 0.1.0 elsewhere',
                 'mmdet         mmdet, fails with ValueError: x',
                 'hrnet_plugin  0.1.0, mim finds it, /a/hrnet_plugin', 'network       imports'):
        assert f'\n{line}\n' in text


def test_what_is_wanted_is_a_host():
    assert doctor.parse_args(['--for', 'mmdet', 'mmseg']).wanted == ['mmdet', 'mmseg']
    with pytest.raises(SystemExit):
        doctor.parse_args(['--for', 'torch'])


@pytest.mark.parametrize('is_error', [True, False])
def test_the_exit_code(is_error, monkeypatch, capsys):
    monkeypatch.setattr(doctor, 'collect', facts)
    monkeypatch.setattr(doctor, 'find_problems', lambda facts, wanted: (Problem('y.', 'pip', is_error=is_error), ))
    assert doctor.main([]) == is_error
    assert 'Ready for: network' in capsys.readouterr().out


@pytest.mark.parametrize(('command', 'expected'), [
    ("python -c 'import mmdet'  # prints the traceback", "/bin/py -c 'import mmdet'  # prints the traceback"),
    ('unset PYTHONPATH && pip install x-pip y', 'unset PYTHONPATH && /bin/py -m pip install x-pip y'),
    ('export X=1', 'export X=1')])
def test_commands_name_the_interpreter(command, expected):
    examined = replace(facts(), executable='/bin/py')
    assert f'\n    {expected}' in report(examined, [Problem('y.', command)])
    assert f'\n    {command}' in report(facts(), [Problem('y.', command)])
