"""Progress display of slow commands."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hrnet_plugin.cli.output import print_text
from hrnet_plugin.escaping import escape_controls


@contextmanager
def progress(what: str) -> Iterator[None]:
    """Show a spinner and the elapsed time on stderr while the context is active.

    Nothing is shown if stderr is not a terminal, so that logs and pipes stay clean.

    Args:
        what: Description of the task, e.g. 'evaluating boxes.bbox.json'.
    """
    if not sys.stderr.isatty():
        yield
        return
    try:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    except ImportError:  # rich comes with mmengine, which hrnet doctor does not require
        print_text(f'{what} ...', sys.stderr)
        yield
        return
    columns = SpinnerColumn(), TextColumn('{task.description}', markup=False), TimeElapsedColumn()
    # stdout is not redirected: it may be a pipe while stderr is a terminal
    with Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False,
                  redirect_stderr=False) as shown:
        shown.add_task(escape_controls(what), total=None)
        yield
