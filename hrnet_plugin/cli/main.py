"""Entry point of the console command, which handles all errors of the subcommands."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from itertools import takewhile
from typing import NoReturn

from hrnet_plugin.cli.commands import COMMANDS, overview
from hrnet_plugin.cli.errors import is_in_group, one_line, write_to_log
from hrnet_plugin.cli.output import escaped_logs, print_text
from hrnet_plugin.suggest import did_you_mean
from hrnet_plugin.version import __version__

USAGE_ERROR, INTERRUPTED, CLOSED_PIPE = 2, 130, 141  # 128 + SIGINT and 128 + SIGPIPE, as in shells


def main(command: str | None = None) -> NoReturn:
    """Run the command line of this process, and exit.

    Args:
        command: Subcommand, to which all arguments are passed. By default the first argument names it.
    """
    logging.raiseExceptions = False  # the handlers would print a traceback per message that a full disk does not take
    raise SystemExit(run(sys.argv[1:] if command is None else [command, *sys.argv[1:]]))


def run(words: Sequence[str]) -> int:
    """Run a subcommand and return the exit code.

    An error is printed as one line on stderr, and the exit code is 2. With ``--debug``, the traceback precedes the
    line. The log file of a run gets the traceback, too. In a distributed run, processes without a log file print it.

    Args:
        words: Subcommand and its arguments.
    """
    # torch.distributed.launch inserts --local-rank before the subcommand
    ranks = list(takewhile(lambda word: word.startswith(('--local-rank=', '--local_rank=')), words))
    name, *rest = [*words[len(ranks):], *ranks] or ['--help']
    debug = '--debug' in rest
    if name in ('-h', '--help', '--version'):
        return _print(__version__ if name == '--version' else overview())
    name = name.replace('_', '-')
    if name not in COMMANDS:
        return _fail('hrnet', f'unknown command {name!r}.{did_you_mean(name, COMMANDS)} All commands: hrnet --help')
    try:
        with escaped_logs():
            code = import_module(COMMANDS[name]).main(rest)
        sys.stdout.flush()
        return int(code or 0)
    except BrokenPipeError:
        return _silence_closed_pipe()
    except KeyboardInterrupt:
        _fail(f'hrnet {name}', 'interrupted')
        return INTERRUPTED
    except Exception as error:  # the user gets one line for any error
        log = write_to_log(error)
        if debug or (not log and is_in_group()):
            print_text(''.join(traceback.format_exception(error)), sys.stderr)
        hint = '' if debug else f' (traceback: {log})' if log else ' (traceback: --debug)'
        return _fail(f'hrnet {name}', one_line(error) + hint)


def _print(text: str) -> int:
    try:
        print_text(text)
    except BrokenPipeError:
        return _silence_closed_pipe()
    return 0


def _fail(prog: str, message: str) -> int:
    print_text(f'{prog}: error: {message}', sys.stderr)
    return USAGE_ERROR


def _silence_closed_pipe() -> int:
    # the interpreter flushes stdout again at exit and would print an error
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return CLOSED_PIPE
