"""The stacks are installed by the commands of docs/how-to/install.md."""

from __future__ import annotations

import importlib
import shlex

import pytest
from paths import ROOT


@pytest.fixture(scope='module')
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / 'scripts'))
        yield importlib.import_module('try_stack')


def documented():
    """Return the words of each command in the table, without 'pip install'."""
    cells = (line.split('|')[-2].strip() for line in (ROOT / 'docs' / 'how-to' / 'install.md').read_text().splitlines()
             if line.startswith('|') and '`pip install' in line)
    return [tuple(shlex.split(cell.strip('`'))[2:]) for cell in cells if cell.count('`') == 2]


@pytest.mark.parametrize('name', ['torch21', 'py312', 'py313'])
def test_the_documented_command_is_tried(script, name):
    torch, command, *_ = script.STACKS[name].installs
    assert {word.partition('==')[0] for word in torch} == {'torch', 'torchvision'}
    assert command in documented()
    assert ('numpy<2' in command) == (name == 'torch21')


def test_the_selected_tests_exist(script):
    assert all((ROOT / path).exists() for path in script.TESTS)
