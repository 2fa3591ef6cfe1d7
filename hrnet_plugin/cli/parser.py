"""Argument parser of the subcommands."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from itertools import takewhile
from typing import NoReturn

from hrnet_plugin.escaping import escape_controls
from hrnet_plugin.suggest import did_you_mean


class CommandParser(argparse.ArgumentParser):
    """Argument parser with one-line errors that suggest the closest option or choice."""

    def parse_known_args(self, args: Sequence[str] | None = None,  # type: ignore[override]
                         namespace: argparse.Namespace | None = None) -> tuple[argparse.Namespace, list[str]]:
        """Parse arguments. Unknown options are reported before missing arguments, which they often cause."""
        words = sys.argv[1:] if args is None else list(args)
        # the nested parser checks the options after a nested command
        own = words if self._subparsers is None else list(takewhile(lambda word: word.startswith('-'), words))
        self._reject_unknown_options(own)
        return super().parse_known_args(words, namespace)

    def error(self, message: str) -> NoReturn:
        """Exit with code 2 and one line on stderr."""
        choice = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        hint = did_you_mean(choice[1], re.findall(r'[\w.-]+', choice[2])) if choice else ''
        end = '' if message.endswith(('.', '?')) else '.'
        line = escape_controls(f'{self.prog}: error: {message}{end}{hint} All options: {self.prog} --help')
        self.exit(2, f'{line}\n')

    def _reject_unknown_options(self, words: Sequence[str]) -> None:
        known = [option for action in self._actions for option in action.option_strings]
        for word in words[:words.index('--')] if '--' in words else words:
            name = word.split('=', 1)[0]
            if name.startswith('--') and ' ' not in name and not any(option.startswith(name) for option in known):
                hint = did_you_mean(name.lstrip('-'), (option.lstrip('-') for option in known))
                self.error(f'unknown option {name}.{hint.replace("mean ", "mean --")}')


def make_parser(command: str, doc: str | None) -> CommandParser:
    """Make the parser of a subcommand.

    Args:
        command: Name of the subcommand.
        doc: Docstring of its module, which becomes the description.
    """
    parser = CommandParser(prog=f'hrnet {command}', description=doc,
                           formatter_class=argparse.RawDescriptionHelpFormatter)
    add_debug_option(parser)
    return parser


def add_debug_option(parser: argparse.ArgumentParser) -> None:
    """Add the option ``--debug``, which ``hrnet_plugin.cli.main.run`` evaluates."""
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
