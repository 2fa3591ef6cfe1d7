"""Check of the datasets of a config against its model, before they read their annotations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config
from torch import nn

from hrnet_plugin.data_checks.annotations import AnnotationReport
from hrnet_plugin.data_checks.category_names import check_class_objects, check_names, check_same_order, unused_objects
from hrnet_plugin.data_checks.datasets import DatasetEntry, check_paths, find_datasets
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.heads import check_classes, check_keypoint_head
from hrnet_plugin.data_checks.scans import Scans, coco_evaluators, list_evaluators
from hrnet_plugin.data_checks.truth import check_truth, find_truth
from hrnet_plugin.hosts import Host, host_of_config


@dataclass
class CheckResult:
    """Findings of a check, and what was checked.

    Attributes:
        datasets: Checked datasets.
        reports: Scans of annotation files, one per file.
        findings: Problems in the order in which they were found.
        notes: Facts that may be intended, e.g. unused objects.
    """

    datasets: list[DatasetEntry] = field(default_factory=list)
    reports: list[AnnotationReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def errors(self) -> list[str]:
        """Messages of the errors."""
        return [finding.message for finding in self.findings if finding.is_error]

    @property
    def image_sizes(self) -> dict[Path, dict[str, tuple[int | None, int | None]]]:
        """Annotation file -> name of an image -> annotated height and width in pixels."""
        return {report.file.resolve(): {name: (height, width) for name, height, width in report.image_files.values()}
                for report in self.reports}


def check_datasets(config: Config, model: nn.Module, splits: Sequence[str], scan: bool = True) -> CheckResult:
    """Check heads, class names and annotation files of a config without loading images.

    Args:
        config: Config of any host.
        model: Model of the config.
        splits: Dataloaders to check: 'train', 'val', 'test'.
        scan: Whether to read annotation files. Without it, only heads and class names are checked.

    Raises:
        ValueError: If the config belongs to no host.
    """
    host, result = host_of_config(config), CheckResult()
    for split in splits:
        datasets, findings = find_datasets(config, split)
        result.datasets += datasets
        result.findings += findings
        for entry in datasets:
            result.findings += _check_entry(host, config, entry, model)
    if scan:
        scans = Scans(host, config)
        for split in splits:
            result.findings += _check_split(host, config, split, result.datasets, scans)
        _check_names(host, result, scans)
        result.reports = scans.reports
        result.findings += scans.findings
    result.findings = list(dict.fromkeys(result.findings))
    return result


def _check_entry(host: Host, config: Config, entry: DatasetEntry, model: nn.Module) -> Iterator[Finding]:
    yield from check_paths(entry)
    yield from check_classes(host, entry, model)
    yield from check_keypoint_head(host, entry, model, uses_sigmas=bool(coco_evaluators(host, config, entry.split)),
                                   converts=any(metric.get('pred_converter') or metric.get('gt_converter')
                                                for metric in list_evaluators(config, entry.split)))


def _check_split(host: Host, config: Config, split: str, datasets: Sequence[DatasetEntry], scans: Scans,
                 ) -> Iterator[Finding]:
    mine = [entry for entry in datasets if entry.split == split]
    if split != 'train':
        yield from check_truth(find_truth(host, config, split, mine), split, scans)
    for entry in mine:
        report = scans.of(entry)
        expected = entry.dataset.metainfo.get('num_keypoints')
        if report is not None and None not in (expected, report.keypoints) and expected != report.keypoints:
            yield Finding(is_error=True, message=(
                f'{entry.entry}.metainfo must describe the {report.keypoints} keypoints of {report.file}, got '
                f'{expected}. Set metainfo=dict(from_file=...) to a file with dataset_info'))


def _check_names(host: Host, result: CheckResult, scans: Scans) -> None:
    """Compare class names with annotation files, and the files of datasets with the same classes."""
    of_names: dict[tuple[str, ...], list[tuple[DatasetEntry, AnnotationReport | None]]] = {}
    for entry in result.datasets:
        names = host.class_names(entry.dataset)
        if names is None or isinstance(names, str):
            continue
        report = scans.of(entry)
        of_names.setdefault(tuple(names), []).append((entry, report))
        if report is not None and report.names:
            result.findings += check_names(entry, names, report)
            result.notes += unused_objects(entry.entry, names, report)
    for names, pairs in of_names.items():
        reports = [report for _, report in pairs if report is not None]
        result.findings += check_same_order(names, reports)
        result.findings += check_class_objects(names, pairs)
