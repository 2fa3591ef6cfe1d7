"""Command line: ``hrnet``, with one subcommand per tool.

:func:`main` is the entry point of the console command. Each subcommand has a module with ``parse_args`` and ``main``.
The module is imported when the subcommand is called. This package may import all others. No other package imports it.
"""

from hrnet_plugin.cli.main import main

__all__ = ['main']
