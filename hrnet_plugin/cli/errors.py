"""Error messages of the command line."""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import traceback

from hrnet_plugin.cli.error_hints import hint
from hrnet_plugin.escaping import escape_controls

# Messages of other types are printed with the type, since a message such as "'bbox'" does not explain the error.
_SELF_EXPLANATORY = (OSError, ImportError, ValueError, TypeError, RuntimeError, sqlite3.Error)


def one_line(error: BaseException) -> str:
    """Return the message of an error as one line, with a suggestion for a misspelled type or argument.

    Control characters are escaped, since file names and checkpoint keys may come from anyone.

    Args:
        error: Any exception.
    """
    if isinstance(error, OSError) and error.strerror and error.filename:
        return escape_controls(f'{os.fsdecode(error.filename)}: {error.strerror}')
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    if 'Original Traceback' in text:  # an error in a DataLoader worker, whose message contains the traceback
        text = text.strip().splitlines()[-1]
    message = ' '.join(text.split())
    if not isinstance(error, _SELF_EXPLANATORY) or not message:
        message = f'{type(error).__name__}: {message}'.removesuffix(': ')
    return escape_controls(message + hint(message))


def is_in_group() -> bool:
    """Return True if this is one of several processes of a run. Only the first one has a log file in mmengine."""
    return any(os.environ.get(name, '1') != '1' for name in ('WORLD_SIZE', 'SLURM_NTASKS', 'OMPI_COMM_WORLD_SIZE'))


def write_to_log(error: BaseException) -> str:
    """Append the traceback of an error to the log file of the current run.

    Returns:
        Path of the log file. Empty if no run has started.
    """
    module = sys.modules.get('mmengine.logging')  # every run imports it
    for handler in module.MMLogger.get_current_instance().handlers if module else ():
        if isinstance(handler, logging.FileHandler):
            text = escape_controls(''.join(traceback.format_exception(error)), keep='\n\t')
            handler.handle(logging.LogRecord('hrnet', logging.ERROR, __file__, 0, text, None, None))
            return handler.baseFilename
    return ''
