"""Convert a checkpoint to the state-dict keys of another library.

    hrnet convert SOURCE TARGET --to mmdet

SOURCE is a path, or any address that init_cfg of type hrnet_plugin.Pretrained
accepts. TARGET ends in .safetensors, or in .pth for mmengine. Metadata without
a counterpart in the other library is saved with the weights, so that the
conversion back gives identical tensors.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from hrnet_plugin.checkpoints.addresses import resolve_checkpoint
from hrnet_plugin.checkpoints.convert import LAYOUTS, backbone_only, from_plugin, to_plugin
from hrnet_plugin.checkpoints.families.recognition import recognize
from hrnet_plugin.checkpoints.file import read, write
from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('convert', __doc__)
    parser.add_argument('source', help='path or address of a checkpoint')
    parser.add_argument('target', help='file to write, .safetensors or .pth')
    parser.add_argument('--to', required=True, choices=LAYOUTS,
                        help='library or repository whose state-dict keys to write')
    parser.add_argument('--backbone', action='store_true', help='write only the backbone')
    parser.add_argument('--prefix', help='prefix of the keys, if the checkpoint has several networks')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    with progress(f'reading {args.source}'):
        path, address = resolve_checkpoint([args.source])
        checkpoint = read(path, address)
        found = recognize(checkpoint, args.prefix)
        ours, unknown = to_plugin(checkpoint, found)
    if args.backbone:
        ours = backbone_only(ours)
    elif unknown:
        raise ValueError(f'{address} must have known keys only, got {len(unknown)} unknown ones '
                         f'({", ".join(unknown[:4])}). Add --backbone to write the backbone alone.')
    converted = from_plugin(ours, found.family.host, args.to)
    write(converted, args.target)
    print_text(f'{args.target}: {len(converted.tensors)} tensors of {found.network.text}{found.network.selection}, '
               f'from the family "{found.family.name}" to {args.to}')
