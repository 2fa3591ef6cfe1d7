"""Subcommands of ``hrnet`` and their overview."""

from __future__ import annotations

import ast
from pathlib import Path

_NAMES = ('train', 'test', 'predict', 'check', 'config', 'derive', 'doctor', 'sample-set', 'report', 'inspect',
          'convert', 'export', 'count', 'benchmark', 'ablate', 'leaderboard', 'reproduce', 'record', 'compare',
          'submission')
# other module names: pytest collects test_*.py, and inspect is a module of the standard library
_MODULES = {'test': 'evaluate', 'inspect': 'inspect_checkpoint'}

#: Subcommand -> module.
COMMANDS = {name: f'hrnet_plugin.cli.{_MODULES.get(name, name.replace("-", "_"))}' for name in _NAMES}


def overview() -> str:
    """Return the help of ``hrnet``: one line per subcommand."""
    width = max(map(len, COMMANDS))
    lines = ['usage: hrnet COMMAND [arguments]', '', 'HRNet for mmdet, mmpose and mmsegmentation.', '']
    lines += [f'  {name:<{width}}  {summary(name)}' for name in COMMANDS]
    return '\n'.join([*lines, '', 'Help on a command: hrnet COMMAND --help',
                      'Any command shows the traceback of an error with --debug.'])


def summary(name: str) -> str:
    """Return the first line of a subcommand's docstring, without the slow import of its module."""
    file = Path(__file__).with_name(f'{COMMANDS[name].rsplit(".", 1)[1]}.py')
    return (ast.get_docstring(ast.parse(file.read_text(encoding='utf-8'))) or '').splitlines()[0].rstrip('.')
