"""Checks of the annotation files of evaluators against the datasets that they evaluate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from mmengine.config import Config

from hrnet_plugin.data_checks.annotations import AnnotationReport
from hrnet_plugin.data_checks.datasets import DatasetEntry
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.scans import Scans, coco_evaluators
from hrnet_plugin.hosts import Host, type_name


def find_truth(host: Host, config: Config, split: str) -> list[tuple[str, Path]]:
    """Return config entry and annotation file of each evaluator that uses the COCO API.

    Args:
        host: Host of the config.
        config: Config of the host.
        split: 'val' or 'test'.
    """
    files = [(f'{split}_evaluator ({type_name(metric["type"])}).ann_file', metric.get('ann_file'))
             for metric in coco_evaluators(host, config, split)]
    return [(entry, Path(file)) for entry, file in files if isinstance(file, str) and '://' not in file]


def check_truth(truth: Sequence[tuple[str, Path]], split: str, datasets: Sequence[DatasetEntry], scans: Scans,
                ) -> Iterator[Finding]:
    """Check that annotation files of evaluators exist and contain the images of the datasets.

    Args:
        truth: Result of :func:`find_truth`.
        split: 'val' or 'test'.
        datasets: Datasets of the split.
        scans: Scans of annotation files.
    """
    read = [report for entry in datasets if (report := scans.of(entry)) is not None]
    for key, file in truth:
        if not file.is_file():
            yield Finding(is_error=True, message=f'{key} must be an existing file, got {file}')
        elif read and not any(_is_part(report, scans.of_file(file, split)) for report in read):
            yield Finding(is_error=True, message=f'{key} must contain the images of {split}_dataloader, which are in '
                                                 f'{read[0].file}, got {file}. Set both to the same file')


def _is_part(part: AnnotationReport, whole: AnnotationReport) -> bool:
    """Return True if all images of a file have the same IDs and names in another file."""
    names = {number: file[0] for number, file in whole.image_files.items()}
    return all(names.get(number) == file[0] for number, file in part.image_files.items())
