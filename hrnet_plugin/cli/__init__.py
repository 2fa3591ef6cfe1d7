"""Command line: ``hrnet``, with one subcommand per tool.

:func:`main` is the entry point of the console command. Each subcommand has a module with ``parse_args`` and ``main``,
which is imported when it is called. The command line may import every other package; none imports it.
"""

from hrnet_plugin.cli.main import main

__all__ = ['main']
