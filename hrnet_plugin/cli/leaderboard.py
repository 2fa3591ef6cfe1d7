"""Rank your results among published ones.

    hrnet leaderboard                          best 20 per task, and all of your
                                               results
    hrnet leaderboard --task pose --width W32  results of one task and width
    hrnet leaderboard --out leaderboard        write leaderboard.html, .md, .csv

Your results are those that `hrnet test ... --record` stores. They are ranked
among published ones if they were measured on the same images.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress
from hrnet_plugin.evaluation.comparison.validity import check_comparison
from hrnet_plugin.evaluation.leaderboard.entry import LOCAL
from hrnet_plugin.evaluation.leaderboard.local_results import local_entries
from hrnet_plugin.evaluation.leaderboard.metrics import METRICS
from hrnet_plugin.evaluation.leaderboard.published import published_entries
from hrnet_plugin.evaluation.leaderboard.ranking import Board, rank, select
from hrnet_plugin.evaluation.leaderboard.tables import as_csv, markdown, terminal_table
from hrnet_plugin.evaluation.leaderboard.trends import read_trend
from hrnet_plugin.evaluation.record_hook import STORE
from hrnet_plugin.files import atomic_writes
from hrnet_plugin.json_files import read_object

_FILTERS = {'task': 'detection, pose, segmentation or classification',
            'method': 'framework or head, such as "Faster R-CNN"', 'width': 'width of HRNet, such as W32',
            'schedule': 'schedule, such as 2x', 'data': 'dataset, such as COCO', 'split': 'split, such as val2017',
            'source': 'paper, official, mmdet, mmpose, mmseg, or own for your results'}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('leaderboard', __doc__)
    parser.add_argument('--store', nargs='+', metavar='FILE',
                        help=f'files with your results (default: {STORE}, if it exists)')
    for name, words in _FILTERS.items():
        choices = list(METRICS) if name == 'task' else None
        parser.add_argument(f'--{name}', nargs='+', default=[], choices=choices, metavar=name.upper(), help=words)
    parser.add_argument('--by', metavar='METRIC',
                        help='metric to rank by, such as "mask AP"; for NME, lower values rank first')
    parser.add_argument('--top', type=int,
                        help='number of rows in the terminal, in addition to your results (default: 20)')
    parser.add_argument('--out', type=Path, metavar='FOLDER',
                        help='write leaderboard.html, .md and .csv to this folder')
    parser.add_argument('--title', help='title of the HTML page (default: HRNet leaderboard)')
    parser.add_argument('--compare', nargs='+', type=Path, default=[], metavar='FILE',
                        help='comparison.json of hrnet compare, to show on the page')
    parser.add_argument('--runs', nargs='+', type=Path, default=[], metavar='WORK_DIR',
                        help='work directories of training runs, to show their evaluations on the page')
    parser.add_argument('--pictures', nargs='+', type=Path, default=[], metavar='FOLDER',
                        help='trusted folders whose images the page embeds, in addition to the log folders below '
                             'the folder of a store')
    args = parser.parse_args(argv)
    if args.top is not None and (args.out is not None or args.top < 0):
        parser.error('--top must be at least 0 and must be used without --out')
    if (args.title is not None or args.compare or args.runs or args.pictures) and args.out is None:
        parser.error('--title, --compare, --runs and --pictures require --out')
    for folder in args.pictures:
        if not folder.is_dir():
            parser.error(f'--pictures must be existing folders, got {str(folder)!r}')
    return args


def boards(args: argparse.Namespace) -> list[Board]:
    """Rank the results that match the filters of the command line.

    Raises:
        FileNotFoundError: A given store does not exist, or ``--source own`` is used without a store.
        ValueError: No result matches the filters, or none has the metric.
    """
    stores = args.store if args.store is not None else [STORE] if Path(STORE).is_file() else []
    if LOCAL in map(str.lower, args.source) and not stores:
        raise FileNotFoundError(f'--source {LOCAL} requires your results, got no {STORE}. '
                                'Write it with `hrnet test ... --record`.')
    entries = [*published_entries(), *local_entries(stores, args.pictures, with_details=args.out is not None)]
    chosen = select(entries, {name: getattr(args, name) for name in _FILTERS})
    if not chosen:
        raise ValueError('the filters must match at least one row, got no match')
    return rank(chosen, args.by)


def read_comparison(file: Path) -> dict[str, Any]:
    """Read the comparison.json of ``hrnet compare``.

    Raises:
        ValueError: The file is not a comparison of this version.
    """
    try:
        found = read_object(file)
        check_comparison(found)
    except ValueError as error:  # other content or version
        raise ValueError(f'--compare must be comparison.json of this version of hrnet compare, got {file}: {error}. '
                         'Compare the models again.') from None
    return found


def write(found: Sequence[Board], folder: Path, title: str, comparisons: Sequence[Path],
          runs: Sequence[Path]) -> None:
    """Write leaderboard.md, leaderboard.csv and leaderboard.html together.

    Args:
        found: Ranked results.
        folder: Output folder.
        title: Title of the HTML page.
        comparisons: Files of ``hrnet compare`` to show on the page.
        runs: Work directories of training runs to show on the page.

    Raises:
        FileNotFoundError: A work directory has no training run with evaluations.
        ValueError: A file is not a comparison.
    """
    compared = [read_comparison(file) for file in comparisons]
    trends = [read_trend(work_dir) for work_dir in runs]
    from hrnet_plugin.evaluation.leaderboard.page import render_page  # requires plotly; the terminal does not
    texts = {'md': markdown(found), 'csv': as_csv(found), 'html': render_page(found, title, compared, trends)}
    with atomic_writes(folder) as scratch:  # after all inputs are read and checked
        for suffix, text in texts.items():
            scratch(f'leaderboard.{suffix}').write_text(text, encoding='utf-8')


class _Console(Console):

    def on_broken_pipe(self) -> None:
        """Raise an error for a closed pipe, which the caller handles. rich would exit with code 1."""
        raise BrokenPipeError


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    found = boards(args)
    if args.out is not None:
        with progress('writing the page'):
            write(found, args.out, args.title or 'HRNet leaderboard', args.compare, args.runs)
        print_text(f'leaderboard.html, leaderboard.md and leaderboard.csv are in {args.out}')
        return
    console = _Console()
    for board in found:
        console.print()
        console.print(terminal_table(board, 20 if args.top is None else args.top, console.width))
