"""Rates of single convolutions in the torch engine on this machine.

    PYTHONPATH=. python benchmarks/conv_rates.py [--seconds 1]

Prints the rate of each layer of HRNet on an image of 800 x 1344, in 1e9 multiply-adds (MACs) per second.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from torch import nn

from hrnet_plugin.experiments.benchmarking import conv_rate

# input channels, output channels, kernel size, stride, height and width of the input
LAYERS = [
    *((width * 2**b, width * 2**b, 3, 1, 200 // 2**b, 336 // 2**b) for width in (18, 32, 48) for b in range(4)),
    (64, 64, 3, 1, 200, 336), (64, 64, 1, 1, 200, 336), (64, 256, 1, 1, 200, 336), (256, 64, 1, 1, 200, 336),
    (3, 64, 3, 2, 800, 1344), (64, 64, 3, 2, 400, 672), (256, 256, 3, 1, 200, 336),
]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--seconds', type=float, default=1, help='minimum duration per layer in seconds (default: 1)')
    args = parser.parse_args(argv)
    for layer in LAYERS:
        in_channels, out_channels, kernel_size, stride, height, width = layer
        conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2)
        rate = conv_rate(conv, (height, width), seconds=args.seconds, relu=True)
        print(f'{in_channels} to {out_channels}, {kernel_size} x {kernel_size} by {stride}, on {height} x {width}: '
              f'{rate / 1e9:.0f}', flush=True)


if __name__ == '__main__':
    main()
