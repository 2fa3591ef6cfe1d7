"""Put HRNet into a config that a host ships.

    hrnet derive HOST::CONFIG                    print a short config that
                                                 inherits the config of the host
    hrnet derive HOST::CONFIG --out FOLDER       write it to a folder
    hrnet derive HOST::CONFIG --arch w18         with another width

HOST is mmdet, mmpose, mmseg or mmpretrain. CONFIG is the name or the path of a
config that the host ships. In a config with an HRNet of the host, only types
change. In other configs of mmdet, HRNet replaces the backbone, and a neck of
HRNet replaces a feature pyramid. The model is built on the meta device. If
that fails, nothing is written.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from hrnet_plugin.arch import ARCHS
from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress
from hrnet_plugin.derivation import Derived, derive
from hrnet_plugin.derivation.detector import DEFAULT_ARCH
from hrnet_plugin.files import atomic_write


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('derive', __doc__)
    parser.add_argument('source', metavar='HOST::CONFIG',
                        help='config of a host, e.g. mmdet::retinanet_r50_fpn_1x_coco')
    parser.add_argument('--out', type=Path, metavar='FOLDER', help='write the config to this folder')
    parser.add_argument('--arch', choices=list(ARCHS), type=lambda name: name.replace('-', '_'), metavar='NAME',
                        help=f'network that replaces another backbone: {", ".join(ARCHS)} (default: {DEFAULT_ARCH})')
    return parser.parse_args(argv)


def summary(derived: Derived) -> list[str]:
    """Return the changes of the base and their form for the command line, one per line."""
    options = derived.options
    lines = [f'base: {derived.base}', *derived.changes.notes]
    return lines if options is None else [*lines, f'the same on a command line: --cfg-options {options}']


def write_config(derived: Derived, folder: Path) -> Path:
    """Write a derived config, and return its path.

    Args:
        derived: Derived config.
        folder: Folder of the file.

    Raises:
        FileExistsError: The file exists.
    """
    target = folder / derived.name
    if target.exists():
        raise FileExistsError(f'--out must be a folder without {derived.name}, got {folder}. Delete the file, or '
                              'choose another folder.')
    with atomic_write(target) as scratch:
        scratch.write_text(derived.text, encoding='utf-8')
    return target


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    with progress(f'building {args.source}'):
        derived = derive(args.source, args.arch)
    if args.out is None:
        # comments, so that the whole output is a config
        print_text('\n'.join([derived.text, *(f'# {line}' for line in summary(derived))]))
        return
    print_text('\n'.join([str(write_config(derived, args.out)), *summary(derived)]))
