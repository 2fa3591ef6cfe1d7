"""The set-up script's decisions; what it installs is shown by everything else that runs."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / 'scripts' / 'setup_env.py'


@pytest.fixture(scope='module')
def script():
    spec = importlib.util.spec_from_file_location('setup_env', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_another_python_is_refused(script, monkeypatch):
    monkeypatch.setattr(script, 'PYTHONS', ((2, 7), ))
    with pytest.raises(script.SetupError, match=r'Python must be one of 2\.7, got 3\.'):
        script.check_python()


def test_a_missing_compiler_is_named(script, monkeypatch):
    monkeypatch.setenv('CXX', '/nowhere/c++')
    with pytest.raises(script.SetupError, match=r"No C\+\+ compiler was found as CXX='/nowhere/c\+\+'"):
        script.find_compiler()
    monkeypatch.delenv('CXX')
    monkeypatch.setenv('PATH', '')
    with pytest.raises(script.SetupError, match=r'No C\+\+ compiler was found, and mmcv'):
        script.find_compiler()


def test_a_program_that_is_not_there_says_nothing(script, tmp_path):
    assert script.ask([tmp_path / 'nothing']) == ''


def test_finished_steps_are_skipped_and_failed_ones_are_not(script, tmp_path):
    environment = script.Environment(tmp_path, tmp_path / 'cache', dev=False)
    done = []
    environment.step('name', 'key', lambda: done.append(1))
    environment.step('name', 'key', lambda: done.append(2))
    environment.step('name', 'other key', lambda: done.append(3))
    assert done == [1, 3]

    def fail():
        raise script.SetupError('stop')

    with pytest.raises(script.SetupError):
        environment.step('second', 'key', fail)
    environment.step('second', 'key', lambda: done.append(4))
    assert done == [1, 3, 4]


def test_requirements_are_pinned(script):
    for name in ('stack.txt', 'no-deps.txt', 'dev.txt', 'python-3.10.txt', 'python-3.11.txt', 'python-3.12.txt'):
        assert all('==' in line for line in script.requirement_lines(name)), name


@pytest.mark.parametrize(('version', 'pins', 'pose'), [
    ((3, 10), 'python-3.10.txt', True), ((3, 11), 'python-3.11.txt', True), ((3, 12), 'python-3.12.txt', False),
    ((3, 13), 'python-3.12.txt', False)])
def test_each_python_has_its_pins(script, version, pins, pose, monkeypatch, capsys):
    monkeypatch.setattr(script.sys, 'version_info', SimpleNamespace(minor=version[1]))
    assert version in script.PYTHONS
    assert script.python_pins() == pins
    bare = script.bare_requirements(script.requirement_lines(pins))
    assert any(line.startswith('mmpose') for line in bare) == pose
    assert ('mmpose is left out' in capsys.readouterr().out) == (not pose)
    # together, each package is pinned once
    names = [line.partition('==')[0] for name in (pins, 'stack.txt') for line in script.requirement_lines(name)]
    assert len(names) == len(set(names))
    assert {'torch', 'torchvision', 'numpy'} <= set(names)


@pytest.fixture
def commands(script, monkeypatch):
    """The words of pip's commands, of which none runs."""
    words = []
    monkeypatch.setattr(script, 'run', lambda command, *rest, **env: words.append([str(word) for word in command][4:]))
    return words


def test_operators_need_no_compiler(script, commands, tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', '')
    script.Environment(tmp_path, tmp_path / 'cache', dev=False).step_operators('key')
    uninstall, lite, ours = commands
    # all three before anything is installed: removing one takes files of the others
    assert uninstall == ['uninstall', '--quiet', '--yes', 'mmcv', 'mmcv-lite', 'mmcv-torch-ops']
    assert 'mmcv-lite==2.1.0' in lite
    assert str(script.OPS_PACKAGE) in ours


def test_compiled_operators_replace_the_others(script, commands, tmp_path, monkeypatch):
    environment = script.Environment(tmp_path, tmp_path / 'cache', dev=False, ops='compiled')
    folder = tmp_path / 'cache' / 'wheels' / 'this'
    folder.mkdir(parents=True)
    (folder / 'mmcv-2.1.0-cp311.whl').touch()
    monkeypatch.setattr(script.Environment, 'mmcv_wheel_folder', lambda self: folder)
    environment.step_operators('key')
    tools, uninstall, compiled = commands
    assert 'ninja' in tools
    assert uninstall[-3:] == ['mmcv', 'mmcv-lite', 'mmcv-torch-ops']
    assert compiled[3:5] == ['--no-deps', str(folder / 'mmcv-2.1.0-cp311.whl')]
    environment.ops = 'torch'  # and back
    environment.step_operators('key')
    assert commands[-2][-1] == 'mmcv-lite==2.1.0'
