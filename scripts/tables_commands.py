"""Reference of the subcommands of ``hrnet``, from their argument parsers."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from textwrap import dedent, wrap
from unittest.mock import patch

from tables_cells import markdown_table

from hrnet_plugin.cli.commands import COMMANDS, summary

_HEAD = """\
# Commands

`hrnet COMMAND` runs a subcommand. `mim run hrnet_plugin TOOL` does the same. With mim, names of subcommands have
underscores instead of hyphens. Each command also has `--help`, and `--debug`, which shows the traceback of an error.

<!-- Written by scripts/write_tables.py from the argument parsers in hrnet_plugin/cli. -->
"""
_WIDTH = 80
_COMMON = ('help', 'debug')
_FIRST_WORDS = ('hrnet ', 'python ')  # of a paragraph that shows command lines


class _Parser(Exception):
    """Complete argument parser of a subcommand."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        super().__init__(parser.prog)
        self.parser = parser


def command_parser(command: str) -> argparse.ArgumentParser:
    """Return the parser that a subcommand makes when it is called."""
    def stop(self: argparse.ArgumentParser, *words: object) -> None:
        raise _Parser(self)

    module = import_module(COMMANDS[command])
    try:
        with patch.object(argparse.ArgumentParser, 'parse_args', stop):
            module.parse_args([])
    except _Parser as made:
        return made.parser
    raise TypeError(f'{module.__name__}.parse_args must call parse_args of a parser.')


def commands_page() -> str:
    """Return the page of all subcommands."""
    rows = [(f'[`hrnet {name}`](#hrnet-{name})', summary(name)) for name in COMMANDS]
    parts = [_HEAD.rstrip('\n'), markdown_table(('command', 'purpose'), rows)]
    for name in COMMANDS:
        parts += [f'## hrnet {name}', *_describe(command_parser(name))]
    return '\n\n'.join(parts) + '\n'


def _describe(parser: argparse.ArgumentParser) -> Iterator[str]:
    if parser.description:
        yield from map(_paragraph, re.split(r'\n\s*\n', parser.description.strip('\n')))
    nested = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not nested:
        yield from _arguments(parser)
    for action in nested:
        for name, command in action.choices.items():
            yield f'### {parser.prog} {name}'
            yield from _arguments(command)


def _paragraph(text: str) -> str:
    if text.lstrip().startswith(_FIRST_WORDS):
        return f'```text\n{dedent(text)}\n```'
    # command lines with a gap are no code that can be run
    return re.sub(r'`hrnet\s+([\w-]+)\s+\.\.\.\s+(--[\w-]+)`', r'`hrnet \1` with `\2`', dedent(text)).replace('``', '`')


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    actions = [action for action in parser._actions if action.dest not in _COMMON]
    yield f'```text\n{usage(parser.prog, actions)}\n```'
    for group in parser._mutually_exclusive_groups:
        names = ' and '.join(f'`{_names(action)}`' for action in group._group_actions)
        yield f'Exactly one of {names} is required.' if group.required else f'At most one of {names} is allowed.'
    yield markdown_table(('argument', 'meaning'), [(f'`{_names(action)}`', _meaning(action, parser.prog))
                                                   for action in sorted(actions, key=_is_option)])


def usage(prog: str, actions: Sequence[argparse.Action]) -> str:
    """Return the usage line of a parser, wrapped. Options precede arguments, as in the help of argparse."""
    words = [_bracket(f'{action.option_strings[0]} {_value(action)}'.rstrip(), not action.required)
             for action in actions if _is_option(action)]
    words += [_value(action) for action in actions if not _is_option(action)]
    indent = ' ' * len(f'usage: {prog} ')
    text = ' '.join(word.replace(' ', '\0') for word in words)  # an option and its value stay on one line
    lines = wrap(text, _WIDTH, initial_indent=f'usage: {prog} ', subsequent_indent=indent, break_on_hyphens=False)
    return '\n'.join(lines).replace('\0', ' ')


def _is_option(action: argparse.Action) -> bool:
    return bool(action.option_strings)


def _bracket(text: str, is_optional: bool) -> str:
    return f'[{text}]' if is_optional else text


def _names(action: argparse.Action) -> str:
    if not _is_option(action):
        return _value(action)
    value = _value(action)
    return ', '.join(f'{option} {value}'.rstrip() for option in action.option_strings)


def _value(action: argparse.Action) -> str:
    """Return the placeholder of an argument's values."""
    if action.nargs == 0:
        return ''
    names = _placeholders(action)
    if action.nargs == '?':
        return f'[{names[0]}]'
    if action.nargs == '*':
        return f'[{names[0]} ...]'
    if action.nargs == '+':
        return f'{names[0]} [{names[-1]} ...]'
    return ' '.join(names)


def _placeholders(action: argparse.Action) -> tuple[str, ...]:
    count = action.nargs if isinstance(action.nargs, int) else 1
    if isinstance(action.metavar, tuple):
        return action.metavar
    if action.metavar is not None:
        return (action.metavar, ) * count
    if action.choices is not None:
        return (f'{{{",".join(map(str, action.choices))}}}', ) * count
    return (action.dest.upper() if _is_option(action) else action.dest, ) * count


def _meaning(action: argparse.Action, prog: str) -> str:
    """Return the help text of an argument as the contents of a cell."""
    text = (action.help or '') % {**vars(action), 'prog': prog}
    if _is_option(action) and action.required:
        text += ' (required)'
    return _escape(text.split())


def _escape(words: Iterable[str]) -> str:
    return ' '.join(words).replace('|', r'\|')
