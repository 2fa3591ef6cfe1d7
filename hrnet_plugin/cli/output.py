"""Output of the command line, which may contain names from files of anyone."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

from hrnet_plugin.escaping import escape_controls


def print_text(text: str, file: TextIO | None = None) -> None:
    """Print a text of one or more lines, with control characters escaped, and flush the file.

    Args:
        text: Text to print. Names in a text of several lines must be escaped before, as they may contain line breaks.
        file: Text file. Default: stdout.
    """
    print(escape_controls(text, keep='\n\t'), file=file or sys.stdout, flush=True)


@contextmanager
def escaped_logs() -> Iterator[None]:
    """Escape control characters in the logs and warnings of all packages while the context is active.

    Line breaks and tabs stay, since the hosts log configs and models. The colors of mmengine stay, since its formatter
    adds them later.
    """
    make, show = logging.getLogRecordFactory(), warnings.formatwarning

    def make_escaped(*args: object, **options: object) -> logging.LogRecord:
        record = make(*args, **options)
        with suppress(Exception):  # unfit arguments are an error of each handler, not of the caller
            record.msg, record.args = escape_controls(record.getMessage(), keep='\n\t'), None
        return record

    def show_escaped(*args: Any, **options: Any) -> str:
        return escape_controls(show(*args, **options), keep='\n\t')

    logging.setLogRecordFactory(make_escaped)
    warnings.formatwarning = show_escaped
    try:
        yield
    finally:
        logging.setLogRecordFactory(make)
        warnings.formatwarning = show
