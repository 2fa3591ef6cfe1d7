"""Check the data of a config against its model, without training.

    hrnet check CONFIG [options]

Prints images, annotations and objects per class and size of each dataset, then
the problems. Annotation files in COCO format are read whole,
images and label maps by sample. The exit code is 1 if training or evaluation
would fail or be wrong. CONFIG is the name of a shipped config or the path of
any config of mmdet, mmpose or mmsegmentation.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch import nn

from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress
from hrnet_plugin.cli.run_options import add_config_options, override_entries
from hrnet_plugin.config_files import find_config
from hrnet_plugin.data_checks.annotations import AnnotationReport
from hrnet_plugin.data_checks.check import CheckResult, check_datasets
from hrnet_plugin.data_checks.datasets import build_dataset
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.heads import list_names
from hrnet_plugin.data_checks.images import ImageReport
from hrnet_plugin.data_checks.samples import check_loaded
from hrnet_plugin.escaping import escape_controls

_SPLITS = ('train', 'val', 'test')
_SHOWN_CLASSES = 100


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('check', __doc__)
    add_config_options(parser)
    parser.add_argument('--splits', nargs='+', choices=_SPLITS, default=['train', 'val'],
                        help='dataloaders to check (default: train val)')
    parser.add_argument('--samples', type=int, default=200,
                        help='number of images per dataset to load, 0 for none (default: 200)')
    args = parser.parse_args(argv)
    if args.samples < 0:
        parser.error(f'--samples must be at least 0, got {args.samples}')
    return args


def describe_file(report: AnnotationReport, split_names: Sequence[str]) -> Iterator[str]:
    """Yield the summary of an annotation file, one line per class with objects.

    Args:
        report: Scan of the file.
        split_names: Paths in the config of the datasets that read it.
    """
    crowds = f', {report.crowds} crowds' if report.crowds else ''
    points = f', {report.keypoints} keypoints' if report.keypoints else ''
    yield f'{report.file} ({", ".join(split_names)})'
    yield (f'  {report.images} images, {report.images_without} of them without annotations; {report.annotations} '
           f'annotations{crowds}{points}')
    present = {name: sizes for name, sizes in report.boxes.items() if any(sizes)}
    empty = [name for name, sizes in report.boxes.items() if not any(sizes)]
    if empty:
        yield f'  {len(empty)} of {len(report.boxes)} categories without objects: {list_names(empty)}'
    width = max(map(len, present), default=0)
    if present:
        yield f'  {"class":<{width}} {"small":>8} {"medium":>8} {"large":>8}'
    for name, sizes in sorted(present.items(), key=lambda item: -sum(item[1]))[:_SHOWN_CLASSES]:
        yield f'  {name:<{width}} ' + ' '.join(f'{size:>8}' for size in sizes)
    if len(present) > _SHOWN_CLASSES:
        yield f'  and {len(present) - _SHOWN_CLASSES} more classes'


def describe_images(entry: str, report: ImageReport) -> str:
    """Return the summary of an image sample."""
    smallest, largest = ('{1} x {0}'.format(*size) for size in report.sizes)
    sizes = smallest if smallest == largest else f'{smallest} to {largest}'
    return f'{entry}: {report.sampled} images of {report.total} samples read, {sizes} pixels'


def build_model(config: Config) -> nn.Module:
    """Build the model of a config with random weights. Checks of strides, levels and channels run in the process."""
    with DefaultScope.overwrite_default_scope(config.default_scope):
        return MODELS.build(config.model)


def check_images(config: Config, model: nn.Module, split: str, samples: int, result: CheckResult) -> None:
    """Check a sample of images, print its summary, and add the findings to the result."""
    entry = f'{split}_dataloader.dataset'
    try:
        dataset = build_dataset(config, split)
    except Exception as error:  # constructors of any package
        result.findings.append(Finding(is_error=True, message=f'{entry} must read its annotations, got {error!r}'))
        return
    report, findings = check_loaded(config, split, dataset, model, result.image_sizes, images=samples, samples=samples)
    if report is not None:
        print_text(describe_images(entry, report))
    result.findings += findings


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    config = find_config(args.config)
    override_entries(config, args)
    model = build_model(config)
    with progress('reading annotations'):
        result = check_datasets(config, model, args.splits)
    for report in result.reports:
        names = [entry.entry for entry in result.datasets
                 if Path(str(getattr(entry.dataset, 'ann_file', ''))).resolve() == report.file.resolve()]
        print_text('\n'.join(map(escape_controls, describe_file(report, names))))
    if args.samples and not result.errors:  # with errors, the datasets may not load
        for split in args.splits:
            if config.get(f'{split}_dataloader') is not None:
                check_images(config, model, split, args.samples, result)
    errors, warnings = ([finding.message for finding in result.findings if finding.is_error is kind]
                        for kind in (True, False))
    lines = [f'note: {note}' for note in result.notes]
    lines += [f'error: {message}' for message in errors] + [f'warning: {message}' for message in warnings]
    print_text('\n'.join([*map(escape_controls, lines), f'{len(errors)} errors, {len(warnings)} warnings']))
    return 1 if errors else 0
