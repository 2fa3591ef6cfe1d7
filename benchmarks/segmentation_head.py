"""Time of the plugin's segmentation head, compared with that of mmsegmentation with the same weights.

    python benchmarks/segmentation_head.py [--arch w48] [--size 512 1024] [--batch 1] [--rounds 10] [--out FILE.json]

Times inference and a training step (forward and backward) of the head alone. Its feature maps have the sizes for images
of the given size. Both heads are timed once per round, so that temporary load slows both. Prints the median of the
ratios of all rounds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from mmseg.models.decode_heads import FCNHead as UpstreamFCNHead
from torch import Tensor, nn

from hrnet_plugin.arch import arch_channels
from hrnet_plugin.models.decode_heads import FCNHead

CLASSES = 19


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--arch', default='w48', help='arch of HRNet (default: w48)')
    parser.add_argument('--size', type=int, nargs=2, default=(512, 1024), metavar=('H', 'W'),
                        help='height and width of the images (default: 512 1024)')
    parser.add_argument('--batch', type=int, default=1, help='batch size (default: 1)')
    parser.add_argument('--rounds', type=int, default=10, help='number of measurements per head (default: 10)')
    parser.add_argument('--out', type=Path, metavar='FILE.json', help='write the record to this file')
    return parser.parse_args()


def build_heads(arch: str) -> tuple[nn.Module, nn.Module]:
    """Build the heads of the plugin and of mmsegmentation, with the same weights."""
    widths = list(arch_channels(arch))
    theirs = UpstreamFCNHead(
        in_channels=widths, channels=sum(widths), in_index=(0, 1, 2, 3), input_transform='resize_concat', kernel_size=1,
        num_convs=1, concat_input=False, dropout_ratio=-1, num_classes=CLASSES, norm_cfg=dict(type='BN'))
    ours = FCNHead(arch=arch, num_classes=CLASSES)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def inference(head: nn.Module, feats: list[Tensor]) -> None:
    with torch.no_grad():
        head.eval()(feats)


def training_step(head: nn.Module, feats: list[Tensor]) -> None:
    head.train()(feats).sum().backward()


def measure_seconds(run: Callable[[nn.Module, list[Tensor]], None], head: nn.Module, feats: list[Tensor]) -> float:
    begin = time.perf_counter()
    run(head, feats)
    if feats[0].is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - begin


def compare(run: Callable[[nn.Module, list[Tensor]], None], pair: tuple[nn.Module, nn.Module], feats: list[Tensor],
            rounds: int) -> dict[str, float]:
    """Time two heads in turns.

    Args:
        run: Function of a head and its feature maps.
        pair: Heads of the plugin and of mmsegmentation.
        feats: Feature maps.
        rounds: Number of measurements per head.

    Returns:
        Median times ``ours`` and ``mmseg`` in seconds, and ``ratio``, the median of mmseg / ours over the rounds.
    """
    for head in pair:
        measure_seconds(run, head, feats)  # warm-up
    times = [[measure_seconds(run, head, feats) for head in pair] for _ in range(rounds)]
    ours, theirs = (statistics.median(column) for column in zip(*times))
    return dict(ours=ours, mmseg=theirs, ratio=statistics.median(theirs / ours for ours, theirs in times))


def main() -> None:
    args = parse_args()
    torch.manual_seed(0)
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    height, width = args.size
    feats = [torch.randn(args.batch, c, height // 2**(b + 2), width // 2**(b + 2), device=device, requires_grad=True)
             for b, c in enumerate(arch_channels(args.arch))]
    pair = tuple(head.to(device) for head in build_heads(args.arch))
    with torch.no_grad():
        ours, theirs = (head.eval()(feats) for head in pair)
        error = ((ours - theirs).abs().max() / theirs.abs().max()).item()
    record = dict(arch=args.arch, size=list(args.size), batch=args.batch, device=device,
                  threads=torch.get_num_threads(), torch=torch.__version__, relative_error=error)
    for name, run in (('inference', inference), ('training step', training_step)):
        record[name] = compare(run, pair, feats, args.rounds)
        print(f'{name}: {record[name]["ours"]:.3f} s, mmseg {record[name]["mmseg"]:.3f} s, '
              f'{record[name]["ratio"]:.2f} times as fast')
    print(f'relative error {error:.1e}, {args.arch} at {height} x {width}, batch {args.batch}, {device}')
    if args.out is not None:
        args.out.write_text(json.dumps(record, indent=1) + '\n')


if __name__ == '__main__':
    main()
