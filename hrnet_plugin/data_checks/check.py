"""Check of the datasets of a config against its model, before the first step."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config, ConfigDict
from torch import nn

from hrnet_plugin.data_checks.annotations import AnnotationReport, scan_annotations
from hrnet_plugin.data_checks.category_names import check_names, check_same_order, check_trained
from hrnet_plugin.data_checks.datasets import DatasetEntry, check_paths, find_datasets
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.heads import check_classes, check_keypoints
from hrnet_plugin.hosts import MMPOSE, Host, host_of_config, type_name


@dataclass
class CheckResult:
    """Findings of a check, and what was checked.

    Attributes:
        datasets: Checked datasets.
        reports: Scans of annotation files.
        findings: Problems in the order in which they were found.
    """

    datasets: list[DatasetEntry] = field(default_factory=list)
    reports: list[AnnotationReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def errors(self) -> list[str]:
        """Messages of the errors."""
        return [finding.message for finding in self.findings if finding.is_error]


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
    host = host_of_config(config)
    result = CheckResult()
    for split in splits:
        datasets, findings = find_datasets(config, split)
        result.datasets += datasets
        result.findings += findings
        evaluators = list_evaluators(config, split)
        for entry in datasets:
            result.findings += check_paths(entry)
            result.findings += check_classes(host, entry, model)
            result.findings += check_keypoints(host, entry, model, entry.is_evaluated and _uses_coco_api(evaluators))
        if scan:
            result.findings += _check_truth(split, datasets, evaluators)
    if scan:
        _scan_files(host, config, result)
    result.findings = list(dict.fromkeys(result.findings))
    return result


def list_evaluators(config: Config, split: str) -> list[ConfigDict]:
    """Return the configs of the metrics that evaluate a dataset.

    Args:
        config: Config of any host.
        split: 'train', 'val' or 'test'.
    """
    given = config.get(f'{split}_evaluator') or []
    parts = given if isinstance(given, (list, tuple)) else [given]
    return [metric for part in parts for metric in part.get('metrics') or [part] if isinstance(metric, dict)]


def _uses_coco_api(evaluators: Iterable[ConfigDict]) -> bool:
    return any(type_name(metric['type']).startswith('Coco') for metric in evaluators)


def _scan_files(host: Host, config: Config, result: CheckResult) -> None:
    reports: dict[tuple[Path, bool], AnnotationReport] = {}
    of_names: dict[tuple[str, ...], list[tuple[DatasetEntry, AnnotationReport]]] = {}
    for entry in result.datasets:
        file = Path(str(getattr(entry.dataset, 'ann_file', '')))
        evaluators = list_evaluators(config, entry.split)
        is_unlabeled = entry.is_evaluated and all(metric.get('format_only') for metric in evaluators)
        # missing files: see check_paths
        if not host.uses_coco_format(entry.dataset) or not file.is_file() or is_unlabeled:
            continue
        evaluated = entry.is_evaluated and _uses_coco_api(evaluators)
        key = file.resolve(), evaluated
        if key not in reports:
            reports[key] = scan_annotations(file, masks=_uses_masks(config, entry.split), keypoints=host is MMPOSE,
                                            evaluated=evaluated)
            result.reports.append(reports[key])
            result.findings += reports[key].findings
        names = host.class_names(entry.dataset)
        if names is not None and not isinstance(names, str) and reports[key].names:
            result.findings += check_names(entry.entry, names, reports[key])
            of_names.setdefault(tuple(names), []).append((entry, reports[key]))
        result.findings += _check_keypoint_number(entry, reports[key])
    for names, pairs in of_names.items():
        result.findings += check_same_order(names, [report for _, report in pairs])
        result.findings += check_trained(names, [report for entry, report in pairs if not entry.is_evaluated],
                                         [report for entry, report in pairs if entry.is_evaluated])


def _uses_masks(config: Config, split: str) -> bool:
    """Return True if the pipeline loads masks, or an evaluator compares them."""
    if any('segm' in (metric.get('metric') or ()) for metric in list_evaluators(config, split)):
        return True
    return "'with_mask': True" in str(config[f'{split}_dataloader'].dataset)


def _check_keypoint_number(entry: DatasetEntry, report: AnnotationReport) -> Iterator[Finding]:
    expected = entry.dataset.metainfo.get('num_keypoints')
    if None not in (expected, report.keypoints) and expected != report.keypoints:
        yield Finding(is_error=True, message=(
            f'{entry.entry}.metainfo must describe the {report.keypoints} keypoints of {report.file}, got {expected}. '
            'Set metainfo=dict(from_file=...) to a file with dataset_info'))


def _check_truth(split: str, datasets: Sequence[DatasetEntry], evaluators: Iterable[ConfigDict]) -> Iterator[Finding]:
    """Check that the annotation files of evaluators contain the images of the datasets."""
    files = {_resolve(entry.dataset.ann_file) for entry in datasets if getattr(entry.dataset, 'ann_file', '')}
    for metric in evaluators:
        truth = metric.get('ann_file')
        if not isinstance(truth, str) or '://' in truth or _resolve(truth) in files or not files:
            continue
        key = f'{split}_evaluator ({type_name(metric["type"])}).ann_file'
        if not Path(truth).is_file():
            yield Finding(is_error=True, message=f'{key} must be an existing file, got {truth}')
            continue
        lacking = [file for file in files if file.is_file() and not _image_ids(file) <= _image_ids(Path(truth))]
        if len(lacking) == len(files):
            yield Finding(is_error=True, message=f'{key} must contain the images of {split}_dataloader, which are in '
                                                 f'{lacking[0]}, got {truth}. Set both to the same file')


def _resolve(file: str) -> Path:
    return Path(str(file)).resolve()


def _image_ids(file: Path) -> set[int | str]:
    try:
        images = json.loads(file.read_text(encoding='utf-8'))['images']
        return {image['id'] for image in images}
    except (KeyError, TypeError, ValueError, RecursionError):  # not COCO; the scan reports it
        return set()
