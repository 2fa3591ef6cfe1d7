"""Write a checkpoint in another code's names: mim run hrnet_plugin convert SRC DST --to mmdet.

SRC is a path or any other address that init_cfg of type hrnet_plugin.Pretrained takes. DST ends in .safetensors, or in
.pth for what reads nothing else, such as mmengine. What the target cannot express is kept beside the weights, so that a
conversion back gives the same bits.
"""

from __future__ import annotations

import sys

if __name__ == '__main__':
    del sys.path[0]  # this folder, whose inspect.py would hide the standard library's

import argparse
from collections.abc import Sequence

from hrnet_plugin.checkpoints.addresses import resolve_checkpoint
from hrnet_plugin.checkpoints.convert import LAYOUTS, backbone_only, from_plugin, to_plugin
from hrnet_plugin.checkpoints.families.recognition import recognize
from hrnet_plugin.checkpoints.file import read, write


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('source', help='path or address of a checkpoint')
    parser.add_argument('target', help='file to write, .safetensors or .pth')
    parser.add_argument('--to', required=True, choices=LAYOUTS, help='whose names to use')
    parser.add_argument('--backbone', action='store_true', help='write the backbone alone')
    parser.add_argument('--prefix', help="what the network's names begin with, where there are several networks")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    path, address = resolve_checkpoint([args.source])
    checkpoint = read(path, address)
    found = recognize(checkpoint, args.prefix)
    ours, unknown = to_plugin(checkpoint, found)
    if args.backbone:
        ours = backbone_only(ours)
    elif unknown:
        raise ValueError(f'{address} has {len(unknown)} tensors for which there is no name ({", ".join(unknown[:4])}): '
                         '--backbone writes the backbone alone')
    converted = from_plugin(ours, found.family.host, args.to)
    write(converted, args.target)
    print(f'{args.target}: {len(converted.tensors)} tensors of {found.body.text}, from the family '
          f'"{found.family.name}" to {args.to}')


if __name__ == '__main__':
    try:
        main()
    except (OSError, ValueError) as error:
        raise SystemExit(f'convert: {error}') from None
