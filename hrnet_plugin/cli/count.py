"""Count parameters and operations of a model.

    hrnet count CONFIG                    detectors at 800 x 1333, other models
                                          at their training size
    hrnet count CONFIG --shape 512 512    at another size
    hrnet count CONFIG --paper            in the units of the paper; detectors
                                          at 800 x 1216, CenterNet at 511 x 511
    hrnet count --paper                   all published rows, as Markdown

Requires no checkpoint. Multiply-adds (MACs) are those of convolutions and
matrix products.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence

from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress
from hrnet_plugin.config_files import find_config
from hrnet_plugin.evaluation.counting import Count, PaperRow, count_model, paper_count, paper_rows
from hrnet_plugin.evaluation.counting.paper import is_papers_detector, paper_shape
from hrnet_plugin.evaluation.counting.size import default_input_size, tested_rois


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('count', __doc__)
    parser.add_argument('config', nargs='?', help='name of a shipped config, or path of any config')
    parser.add_argument('--shape', type=int, nargs=2, metavar=('H', 'W'), help='height and width in pixels')
    parser.add_argument('--paper', action='store_true', help='count in the units of the paper')
    parser.add_argument('--box-rois', type=int, help='RoIs per box head (default: rpn.max_per_img of the config)')
    parser.add_argument('--mask-rois', type=int, help='RoIs per mask head (default: rcnn.max_per_img of the config)')
    args = parser.parse_args(argv)
    if args.config is None and not args.paper:
        parser.error('a config or --paper is required, got neither')
    if args.config is None and args.shape is not None:
        parser.error('--shape requires a config')
    if args.paper and (args.box_rois is not None or args.mask_rois is not None):
        parser.error('--paper sets the numbers of RoIs. Omit --box-rois and --mask-rois.')
    for option, values, least in (('--shape', args.shape, 1), ('--box-rois', [args.box_rois], 0),
                                  ('--mask-rois', [args.mask_rois], 0)):
        if any(value is not None and value < least for value in values or ()):
            parser.error(f'{option} must be at least {least}, got {values}')
    return args


def count_table(counts: dict[str, Count]) -> str:
    """Return the counts as text, one part of the model per line."""
    lines = [f'{"":>10}{"parameters":>16}{"MACs (1e9)":>14}{"norm, ReLU (1e9)":>19}']
    lines += [f'{part:>10}{count.parameters:>16,}{count.macs / 1e9:>14.2f}{count.pointwise / 1e9:>19.2f}'
              for part, count in counts.items()]
    return '\n'.join(lines)


def paper_table(rows: Iterable[PaperRow]) -> str:
    """Return the rows of the paper as Markdown, with counted and published values."""
    lines = ['| framework | width | size | params (M) | paper | difference | GFLOPs | paper | difference | unit |',
             '|---|---|---|---|---|---|---|---|---|---|']
    for row in rows:
        lines.append(
            f'| {row.framework} | {_title(row.width)} | {row.shape[0]} x {row.shape[1]} '
            f'| {row.params:.2f} | {row.paper_params} | {row.params - row.paper_params:+.2f} M | {row.gflops:.2f} '
            f'| {row.paper_gflops} | {100 * (row.gflops / row.paper_gflops - 1):+.2f} % | {row.unit.text} |')
    return '\n'.join(lines)


def _title(width: str) -> str:
    first, dash, rest = width.partition('-')
    return first.upper() + dash + rest


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if args.config is None:
        with progress('counting all published networks'):
            table = paper_table(paper_rows())
        print_text(table)
        return
    config = find_config(args.config)
    if args.paper:
        shape = tuple(args.shape or default_input_size(config, paper_shape(config.model)))
        with progress('counting'):
            params, gflops, unit = paper_count(config, shape)
        rois = f'; {_describe_rois(unit.box_rois, unit.mask_rois)}' if 'roi_head' in config.model else ''
        print_text(f'{params:.2f} M parameters, {gflops:.2f} GFLOPs at {shape[0]} x {shape[1]} ({unit.text}{rois})')
        if config.default_scope == 'mmdet' and not is_papers_detector(config.model):
            print_text('not a model of the paper; counted like its detectors')
        return
    shape = tuple(args.shape or default_input_size(config, (800, 1333)))
    boxes, masks = tested_rois(config)
    boxes = boxes if args.box_rois is None else args.box_rois
    masks = masks if args.mask_rois is None else args.mask_rois
    with progress('counting'):
        counted = count_model(config.model, config.get('default_scope', 'mmengine'), shape, boxes, masks)
    print_text(count_table(counted.parts))
    if counted.left_out:
        print_text(f'parameters counted without operations: {", ".join(counted.left_out)}')
    rois = f'; {_describe_rois(boxes, masks)}' if 'roi_head' in config.model else ''
    print_text(f'{shape[0]} x {shape[1]}{rois}')


def _describe_rois(boxes: int, masks: int) -> str:
    return f'{boxes} RoIs per box head, {masks} RoIs per mask head if the model has one'
