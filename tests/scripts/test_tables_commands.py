"""The reference of the commands contains each option, and does not depend on how argparse formats help."""

from __future__ import annotations

import argparse
import importlib
import re

import pytest
from paths import ROOT

from hrnet_plugin.cli.commands import COMMANDS


@pytest.fixture(scope='module')
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / 'scripts'))
        yield importlib.import_module('tables_commands')


@pytest.mark.parametrize('command', COMMANDS)
def test_each_option_of_a_command_is_listed(script, command):
    page = script.commands_page()
    section = page.partition(f'\n## hrnet {command}\n')[2].partition('\n## ')[0]
    source = (ROOT / (COMMANDS[command].replace('.', '/') + '.py')).read_text(encoding='utf-8')
    options = set(re.findall(r"add_argument\('(--[\w-]+)'", source))
    assert options <= set(re.findall(r'--[\w-]+', section))


def test_arguments_of_each_kind(script):
    parser = argparse.ArgumentParser('hrnet make')
    parser.add_argument('config', help='name | path')
    parser.add_argument('files', nargs='*', metavar='FILE')
    parser.add_argument('--shape', nargs=2, type=int, metavar=('H', 'W'), required=True, help='size in pixels')
    parser.add_argument('--amp', nargs='?', choices=['fp16', 'bf16'], help='precision (default: %(default)s)')
    parser.add_argument('--names', nargs='+', metavar='NAME')
    parser.add_argument('-q', '--quiet', action='store_true', help='print\n    nothing')
    parser.add_argument('--out', default='folder')
    text = '\n'.join(script._arguments(parser))
    assert text == r'''```text
usage: hrnet make --shape H W [--amp [{fp16,bf16}]] [--names NAME [NAME ...]]
                  [-q] [--out OUT] config [FILE ...]
```
| argument | meaning |
|---|---|
| `config` | name \| path |
| `[FILE ...]` |  |
| `--shape H W` | size in pixels (required) |
| `--amp [{fp16,bf16}]` | precision (default: None) |
| `--names NAME [NAME ...]` |  |
| `-q, --quiet` | print nothing |
| `--out OUT` |  |'''


def test_groups_are_explained(script):
    parser = argparse.ArgumentParser('hrnet make')
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument('--a', action='store_true')
    group.add_argument('--b', metavar='B')
    assert 'Exactly one of `--a` and `--b B` is required.' in list(script._arguments(parser))
