"""Describe a checkpoint.

    hrnet inspect FILE

FILE is a path, or any address that init_cfg of type hrnet_plugin.Pretrained
accepts.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

from hrnet_plugin.checkpoints.addresses import digest, resolve_checkpoint
from hrnet_plugin.checkpoints.convert import to_plugin
from hrnet_plugin.checkpoints.families.recognition import recognize
from hrnet_plugin.checkpoints.file import read
from hrnet_plugin.checkpoints.published import find_by_digest
from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress
from hrnet_plugin.escaping import escape_controls


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('inspect', __doc__)
    parser.add_argument('file', help='path or address of a checkpoint')
    parser.add_argument('--prefix', help='prefix of the keys, if the checkpoint has several networks')
    return parser.parse_args(argv)


def facts(address: str, prefix: str | None = None) -> dict[str, str]:
    """Describe a checkpoint: network, publisher's family, tensors, metadata and digest.

    Args:
        address: Path or address of the checkpoint.
        prefix: Prefix of the network's keys. Required if the checkpoint has several networks.

    Returns:
        Label -> text.

    Raises:
        OSError, ValueError: The checkpoint cannot be read, or has no HRNet.
    """
    path, _ = resolve_checkpoint([address])
    checkpoint = read(path, address)
    found = recognize(checkpoint, prefix)
    ours, unknown = to_plugin(checkpoint, found)
    body = found.network
    dtypes = Counter(str(tensor.dtype).removeprefix('torch.') for tensor in checkpoint.tensors.values())
    parts = Counter(name.split('.')[0] for name in ours.tensors)
    lines = {
        'family': found.family.name,
        'task': found.family.task,
        'network': (f'{body.text}, {len(body.out_indices)} of {body.stages[-1].num_branches} outputs{body.selection}, '
                    f'{body.in_channels} channels in'),
        'tensors': f'{len(checkpoint.tensors)} ({", ".join(f"{count} {name}" for name, count in dtypes.items())})',
        'parts': ', '.join(f'{name} {count}' for name, count in parts.items()),
    }
    for module, metadata in ours.metadata.items():
        for name, text in metadata.items():
            if name != 'version':
                lines[f'{module}: {name}'] = str(text)
    if unknown:
        lines['unknown keys'] = f'{len(unknown)} ({", ".join(unknown[:4])} ...)'
    lines['sha256'] = digest(path)
    row = find_by_digest(lines['sha256'])
    if row is not None:
        lines['published as'] = row.text
        if row.config:
            lines['config'] = row.config
    return lines


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    with progress(f'reading {args.file}'):
        lines = facts(args.file, args.prefix)
    width = max(map(len, lines))
    print_text('\n'.join(escape_controls(f'{name:<{width}}  {text}') for name, text in lines.items()))
