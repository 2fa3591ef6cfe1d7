"""Checks of the annotation files of evaluators against the datasets that they evaluate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config, ConfigDict

from hrnet_plugin.data_checks.annotations import AnnotationReport
from hrnet_plugin.data_checks.datasets import DatasetEntry
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.scans import Scans, coco_evaluators
from hrnet_plugin.hosts import Host, type_name


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Annotation file of an evaluator that uses the COCO API.

    Attributes:
        entry: Entry in the config.
        file: Annotation file.
        datasets: Datasets that it evaluates.
    """

    entry: str
    file: Path
    datasets: Sequence[DatasetEntry]


def find_truth(host: Host, config: Config, split: str, datasets: Sequence[DatasetEntry]) -> list[Truth]:
    """Return the annotation files of the evaluators that use the COCO API.

    Args:
        host: Host of the config.
        config: Config of the host.
        split: 'val' or 'test'.
        datasets: Datasets of the split.
    """
    return [Truth(entry=f'{split}_evaluator ({type_name(metric["type"])}).ann_file', file=Path(file),
                  datasets=_evaluated(config.get(f'{split}_evaluator'), metric, datasets))
            for metric in coco_evaluators(host, config, split)
            for file in [metric.get('ann_file')] if isinstance(file, str) and '://' not in file]


def check_truth(truth: Sequence[Truth], split: str, scans: Scans) -> Iterator[Finding]:
    """Check that annotation files of evaluators exist and contain the images of the datasets.

    Args:
        truth: Result of :func:`find_truth`.
        split: 'val' or 'test'.
        scans: Scans of annotation files.
    """
    for one in truth:
        if not one.file.is_file():
            yield Finding(is_error=True, message=f'{one.entry} must be an existing file, got {one.file}')
            continue
        read = [report for entry in one.datasets if (report := scans.of(entry)) is not None]
        other = [report for report in read if not _is_part(report, scans.of_file(one.file, split))]
        if other:
            yield Finding(is_error=True, message=(
                f'{one.entry} must contain the images of {split}_dataloader, which are in {other[0].file}, got '
                f'{one.file}. {_fix(len(read))}'))


def _evaluated(evaluator: ConfigDict | Sequence[ConfigDict], metric: ConfigDict,
               datasets: Sequence[DatasetEntry]) -> list[DatasetEntry]:
    """Return the datasets whose results a metric gets: all of them, except with evaluators of several datasets."""
    if not isinstance(evaluator, dict) or not isinstance(metrics := evaluator.get('metrics'), (list, tuple)):
        return list(datasets)
    number = next(k for k, other in enumerate(metrics) if other is metric)
    if evaluator.get('dataset_prefixes'):  # MultiDatasetsEvaluator of mmdet: in the order of the concatenation
        return [entry for entry in datasets if _place(entry) == number]
    kinds = [type_name(each['type']) for each in evaluator.get('datasets') or ()]  # MultiDatasetEvaluator of mmpose
    return [entry for entry in datasets if not kinds or type(entry.dataset).__name__ == kinds[number]]


def _place(entry: DatasetEntry) -> int:
    """Return the number of a dataset in the outermost concatenation, 0 without one."""
    found = re.search(r'\.datasets\[(\d+)\]', entry.entry)
    return int(found[1]) if found else 0


def _fix(datasets: int) -> str:
    several = ', or use an evaluator of several datasets' if datasets > 1 else ''
    return f'Set both to the same file{several}'


def _is_part(part: AnnotationReport, whole: AnnotationReport) -> bool:
    """Return True if all images of a file have the same IDs and names in another file."""
    names = {number: file[0] for number, file in whole.image_files.items()}
    return all(names.get(number) == file[0] for number, file in part.image_files.items())
