"""Reproduce published figures by testing released checkpoints.

    hrnet reproduce --dry-run          list weights, data and hours of all rows
    hrnet reproduce 'faster-rcnn_*'    test the rows of these configs
    hrnet reproduce --rows FILE.csv    test your checkpoints, with your figures

ROWS are names or glob patterns of rows, configs or checkpoint files. Each row
is tested by `hrnet test` in processes of its own. The same command resumes an
interrupted reproduction and repeats no finished test. Writes reproduce.md,
reproduce.csv and records.sqlite. The exit code is 1 unless all tested rows
agree.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from hrnet_plugin.cli.errors import one_line
from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress
from hrnet_plugin.cli.termination import interrupted_by_sigterm
from hrnet_plugin.escaping import escape_controls
from hrnet_plugin.evaluation.leaderboard.metrics import METRICS
from hrnet_plugin.evaluation.leaderboard.published import published_entries
from hrnet_plugin.evaluation.leaderboard.ranking import select
from hrnet_plugin.experiments.reproduction import (
    BrokenRow,
    Launch,
    Outcome,
    Plan,
    PublishedRow,
    Row,
    outcome_line,
    plan_rows,
    published_rows,
    read_rows,
    reproduce,
    requirements_text,
    select_published,
    select_rows,
    summary,
    write_tables,
)
from hrnet_plugin.experiments.reproduction.process import LAUNCHERS
from hrnet_plugin.files import file_lock
from hrnet_plugin.suggest import did_you_mean

_FILTERS = {'task': 'detection, pose or segmentation', 'width': 'width of HRNet, such as W32',
            'source': 'official, mmdet, mmpose or mmseg'}
_LOCK_TIMEOUT_SECONDS = 10.


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('reproduce', __doc__)
    parser.add_argument('patterns', nargs='*', metavar='ROWS',
                        help='names or glob patterns of rows, configs or checkpoint files (default: all)')
    parser.add_argument('--rows', type=Path, metavar='FILE.csv', help='file with your rows instead of published ones')
    for name, words in _FILTERS.items():
        choices = list(METRICS) if name == 'task' else None
        parser.add_argument(f'--{name}', nargs='+', default=[], choices=choices, metavar=name.upper(),
                            help=f'published rows to select: {words}')
    parser.add_argument('--dry-run', action='store_true', help='list what the tests require, and test nothing')
    parser.add_argument('--weights', type=Path, metavar='FOLDER',
                        help='folder with downloaded checkpoints; nothing is downloaded')
    parser.add_argument('--data-root', nargs='+', default=[], metavar='FOLDER',
                        help='data folder that replaces the data_root of the configs; DATASET=FOLDER for each of '
                             'several datasets')
    parser.add_argument('--tolerance', type=float, default=0.1,
                        help='largest accepted difference of a main metric, in its unit (default: 0.1)')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/reproduce'), metavar='FOLDER',
                        help='output folder (default: work_dirs/reproduce)')
    parser.add_argument('--launcher', choices=LAUNCHERS, default='none',
                        help='launcher of distributed tests, started once per row (default: none)')
    parser.add_argument('--nproc', type=int, default=1, metavar='N',
                        help='number of processes per test; more than 1 requires --launcher (default: 1)')
    args = parser.parse_args(argv)
    if args.rows is not None and any(getattr(args, name) for name in _FILTERS):
        parser.error('--task, --width and --source select published rows and must be used without --rows')
    if not (math.isfinite(args.tolerance) and args.tolerance >= 0):
        parser.error(f'--tolerance must be at least 0, got {args.tolerance:g}')
    if args.nproc < 1 or (args.nproc > 1 and args.launcher == 'none'):
        parser.error(f'--nproc must be at least 1, and 1 without --launcher, got {args.nproc}')
    if args.weights is not None and not args.weights.is_dir():
        parser.error(f'--weights must be an existing folder, got {str(args.weights)!r}')
    return args


def choose_rows(args: argparse.Namespace) -> tuple[list[Row], list[PublishedRow]]:
    """Return the rows that the command line selects, and the selected ones that cannot be reproduced.

    Raises:
        FileNotFoundError: The file of ``--rows`` does not exist.
        ValueError: The file of ``--rows`` is invalid, or a pattern or filter matches no row.
    """
    if args.rows is not None:
        return select_rows(read_rows(args.rows), args.patterns), []
    released = published_rows(published_entries())
    chosen = select([published.entry for published in released], {name: getattr(args, name) for name in _FILTERS})
    if not chosen:
        raise ValueError('the filters must match at least one row, got no match')
    kept = {id(entry) for entry in chosen}
    return select_published([published for published in released if id(published.entry) in kept], args.patterns)


def data_roots(words: Sequence[str], rows: Sequence[Row]) -> dict[str, str]:
    """Return dataset -> data folder. The dataset '' stands for all others.

    Args:
        words: Values of ``--data-root``.
        rows: Selected rows.

    Raises:
        ValueError: A dataset occurs in no row. Or one folder is given for rows of several datasets.
    """
    datasets = list(dict.fromkeys(row.data for row in rows))
    roots: dict[str, str] = {}
    for word in words:
        name, separator, folder = word.partition('=')
        if not separator or Path(word).is_dir():
            name, folder = '', word
        elif name not in datasets:
            raise ValueError(f'--data-root must be FOLDER or DATASET=FOLDER with one of {", ".join(datasets)}, got '
                             f'{word!r}.{did_you_mean(name, datasets)}')
        if name in roots:
            raise ValueError(f'--data-root must have one folder per dataset, got {word!r} as another one. '
                             'Put ROWS before --data-root.')
        roots[name] = folder
    if '' in roots and len(set(datasets) - roots.keys()) > 1:
        raise ValueError(f'--data-root must be DATASET=FOLDER for rows of {", ".join(datasets)}, got {roots[""]!r}')
    return roots


def run_rows(plans: Sequence[Plan | BrokenRow], args: argparse.Namespace) -> list[Outcome]:
    """Test the rows, print a line for each, and update the tables after each.

    Raises:
        RuntimeError: Another process uses the output folder.
    """
    outcomes: list[Outcome] = []
    message = f'--out must be a folder of one reproduction, got {args.out}, in which another one, or a test of a ' \
              'killed one, is running'
    with file_lock(args.out / '.lock', _LOCK_TIMEOUT_SECONDS, message) as lock:
        launch = Launch(launcher=args.launcher, processes=args.nproc, lock=lock)
        for number, plan in enumerate(plans, 1):
            with progress(f'[{number}/{len(plans)}] {plan.row.name}'):
                outcomes.append(reproduce(plan, args.out, args.tolerance, launch, one_line))
            write_tables(outcomes, args.tolerance, args.out)
            print_text(outcome_line(outcomes[-1], number, len(plans)))
    return outcomes


def is_reproduced(outcomes: Sequence[Outcome]) -> bool:
    """Return True if at least one row was tested, and all rows that were not skipped agree."""
    verdicts = {outcome.verdict for outcome in outcomes} - {'skipped'}
    return verdicts == {'agrees'}


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    rows, left_out = choose_rows(args)
    roots: Mapping[str, str] = data_roots(args.data_root, rows)
    with progress('reading configs'):
        plans = plan_rows(rows, roots, args.weights, one_line)
    if args.dry_run:
        print_text(requirements_text(plans, left_out))
        return 0
    with interrupted_by_sigterm():
        outcomes = run_rows(plans, args)
    words = escape_controls(summary(outcomes))
    print_text(f'{words}. Tables: {args.out / "reproduce.md"}, {args.out / "reproduce.csv"}')
    return 0 if is_reproduced(outcomes) else 1
