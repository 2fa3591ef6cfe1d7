"""List, print and copy configs.

    hrnet config                 names of all shipped configs
    hrnet config PART            names that contain PART
    hrnet config NAME            the config with all that it inherits; NAME may
                                 be the path of any config
    hrnet config NAME --out DIR  write a config to DIR that inherits NAME
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.config_files import cfg, list_configs, read_config


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('config', __doc__)
    parser.add_argument('name', nargs='?', default='', help='name or path of a config, or part of names')
    parser.add_argument('--out', type=Path, metavar='DIR', help='write a derived config to this folder')
    return parser.parse_args(argv)


def write_heir(name: str, folder: Path) -> Path:
    """Write a config into ``folder`` that inherits the named one; return its path.

    Raises:
        FileExistsError: If the file is there already.
        FileNotFoundError: If there is no such config.
    """
    source = Path(cfg(name))
    target = folder / source.name
    if target.exists():
        raise FileExistsError(f'{target} exists and is left as it is')
    folder.mkdir(parents=True, exist_ok=True)
    target.write_text(f'"""Own version of {source.stem}."""\n'
                      f"_base_ = [__import__('hrnet_plugin').cfg('{source.stem}')]\n")
    return target


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    name = Path(args.name).name.removesuffix('.py')
    configs = list_configs()
    if args.out is not None:
        print(write_heir(name, args.out))
    elif Path(args.name).is_file():
        print(read_config(args.name).pretty_text)
    elif name in configs:
        print(read_config(configs[name]).pretty_text)
    else:
        found = [known for known in configs if name in known]
        print('\n'.join(found) if found else cfg(name))
