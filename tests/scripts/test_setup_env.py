"""The set-up script's decisions; what it installs is shown by everything else that runs."""

from __future__ import annotations

import importlib.util
from pathlib import Path

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
    with pytest.raises(script.SetupError, match=r'Python 2\.7 is needed'):
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
    for name in ('stack.txt', 'no-deps.txt', 'dev.txt'):
        assert all('==' in line for line in script.requirement_lines(name)), name
