"""List, print and copy configs.

    hrnet config                 list all shipped configs
    hrnet config PART            list shipped configs whose name contains PART
    hrnet config NAME            print a config with its bases merged; NAME is
                                 a shipped config or the path of any config
    hrnet config NAME --out DIR  write a config to DIR that inherits NAME
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.config_files import cfg, list_configs, read_config
from hrnet_plugin.files import atomic_write


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('config', __doc__)
    parser.add_argument('name', nargs='?', default='', help='name or path of a config, or part of a name')
    parser.add_argument('--out', type=Path, metavar='DIR', help='write a derived config to this folder')
    return parser.parse_args(argv)


def write_derived_config(name: str, folder: Path) -> Path:
    """Write a config that inherits a shipped one, and return its path.

    Args:
        name: Name of a shipped config.
        folder: Folder of the new config.

    Raises:
        FileExistsError: The file exists.
        FileNotFoundError: There is no such shipped config.
    """
    source = Path(cfg(name))
    target = folder / source.name
    if target.exists():
        raise FileExistsError(f'--out must be a folder without {source.name}, got {folder}. Delete the file, or choose '
                              'another folder.')
    with atomic_write(target) as scratch:
        scratch.write_text(f'"""Derived from {source.stem}."""\n'
                           f"_base_ = [__import__('hrnet_plugin').cfg('{source.stem}')]\n", encoding='utf-8')
    return target


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    name = Path(args.name).name.removesuffix('.py')
    configs = list_configs()
    if args.out is not None:
        print_text(str(write_derived_config(name, args.out)))
    elif Path(args.name).is_file():
        print_text(read_config(args.name).pretty_text)
    elif name in configs:
        print_text(read_config(configs[name]).pretty_text)
    else:
        matches = [known for known in configs if name in known]
        print_text('\n'.join(matches) if matches else cfg(name))  # cfg raises an error with suggestions
