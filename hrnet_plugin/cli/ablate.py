"""Run an ablation study.

    hrnet ablate                     names of the shipped studies
    hrnet ablate STUDY               a shipped study, or the path of a file

Trains each variant with several seeds. Writes table.md, table.csv (mean and
confidence interval per metric, parameters, operations, time per iteration) and
figure.png. The same command resumes an interrupted study and skips finished
runs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress
from hrnet_plugin.cli.termination import interrupted_by_sigterm
from hrnet_plugin.evaluation.counting import ModelCount, count_model
from hrnet_plugin.experiments.ablation import (
    Result,
    RunScheduler,
    Study,
    all_runs,
    as_csv,
    as_markdown,
    list_studies,
    locked,
    read_study,
    rows,
)
from hrnet_plugin.experiments.ablation.figure import draw
from hrnet_plugin.files import atomic_writes


def _minutes(text: str) -> float:
    value = float(text)
    if not value >= 0:
        raise argparse.ArgumentTypeError(f'must be at least 0, got {value:g}')
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f'must be at least 1, got {value}')
    return value


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('ablate', __doc__)
    parser.add_argument('study', nargs='?', help='name of a shipped study, or path of a study file')
    parser.add_argument('--work-dir', type=Path, help='output folder (default: work_dirs/ablate/STUDY)')
    parser.add_argument('--data-root', help='data folder that replaces the data_root of the configs')
    parser.add_argument('--seeds', type=_positive, help='number of seeds (default: that of the study)')
    parser.add_argument('--jobs', type=_positive, default=1, help='number of parallel runs (default: 1)')
    parser.add_argument('--budget', type=_minutes, metavar='MINUTES',
                        help='start no run after this time; 0 writes the report only')
    return parser.parse_args(argv)


def counts(study: Study) -> dict[str, ModelCount]:
    """Count parameters and operations of each variant's model: name -> count."""
    configs = {variant.name: variant.trained_config() for variant in study.variants}
    return {name: count_model(config.model, config.get('default_scope', 'mmengine'), study.shape)
            for name, config in configs.items()}


def write_report(study: Study, results: Sequence[Result], counted: Mapping[str, ModelCount], folder: Path) -> str:
    """Write table, figure and all results to a folder, and return the table as Markdown."""
    table = rows(study, results, counted)
    text = as_markdown(study, table)
    record = dict(study=study.name, results=[asdict(result) for result in results])
    with atomic_writes(folder) as scratch:
        scratch('table.md').write_text(text, encoding='utf-8')
        scratch('table.csv').write_text(as_csv(study, table), encoding='utf-8')
        scratch('results.json').write_text(json.dumps(record, indent=1) + '\n', encoding='utf-8')
        draw(study, table, scratch('figure.png'))
    return text


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    if args.study is None:
        print_text('\n'.join(list_studies()))
        return
    study = read_study(args.study)
    root = (args.work_dir or Path('work_dirs') / 'ablate' / study.name).resolve()
    runs = all_runs(study, root, args.data_root, args.seeds or study.seeds)
    with progress('counting operations'):
        counted = counts(study)  # before training, to detect incompatible variants early
    with interrupted_by_sigterm(), locked(root) as lock:
        waiting = [run for run in runs if run.result() is None]
        finished = len(runs) - len(waiting)
        print_text(f'{study.name}: {len(runs)} runs, {finished} finished, in {root}')
        scheduler = RunScheduler(waiting, args.jobs, None if args.budget is None else 60 * args.budget, lock,
                                 print_text)
        scheduler.run_all()
        results = [result for run in runs if (result := run.result()) is not None]
        if results:
            print_text(write_report(study, results, counted, root))
    if len(results) < len(runs):
        reason = f'{len(scheduler.failed)} failed' if scheduler.failed else 'the time budget is used up'
        print_text(f'{len(results)} of {len(runs)} runs finished ({reason}). The same command resumes the study.')
    if scheduler.failed:
        raise SystemExit(1)
