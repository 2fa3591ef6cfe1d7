"""Annotation files of a config, each scanned once per use."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config, ConfigDict

from hrnet_plugin.config_types import ConfigValue
from hrnet_plugin.data_checks.annotations import AnnotationReport, scan_annotations
from hrnet_plugin.data_checks.datasets import DatasetEntry
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.hosts import Host, type_name


class Scans:
    """Scans of the annotation files in COCO format that a config uses.

    Args:
        host: Host of the config.
        config: Config of the host.
    """

    def __init__(self, host: Host, config: Config) -> None:
        self._host, self._config = host, config
        self._reports: dict[tuple[Path, bool, bool], AnnotationReport] = {}

    @property
    def reports(self) -> list[AnnotationReport]:
        """Scans of all files, one per file."""
        return list({report.file.resolve(): report for report in self._reports.values()}.values())

    @property
    def findings(self) -> list[Finding]:
        """Findings of all scans. Two uses of a file may find different problems."""
        return [finding for report in self._reports.values() for finding in report.findings]

    def of(self, entry: DatasetEntry) -> AnnotationReport | None:
        """Return the scan of a dataset's annotation file, or None if it is missing, unused or in another format."""
        file = Path(str(getattr(entry.dataset, 'ann_file', '')))
        if not self._host.uses_coco_format(entry.dataset) or not file.is_file() or self._is_unlabeled(entry):
            return None
        return self.of_file(file, entry.split)

    def of_file(self, file: Path, split: str) -> AnnotationReport:
        """Return the scan of a file that a dataset or evaluator of a split uses."""
        is_truth = split != 'train' and bool(coco_evaluators(self._host, self._config, split))
        key = file.resolve(), self._uses_masks(split), is_truth
        if key not in self._reports:
            self._reports[key] = scan_annotations(file, masks=key[1], keypoints=self._host.task == 'pose',
                                                  evaluated=is_truth)
        return self._reports[key]

    def _is_unlabeled(self, entry: DatasetEntry) -> bool:
        """Return True if no evaluator uses the annotations, as for a submission."""
        return entry.is_evaluated and all(
            metric.get('format_only') for metric in list_evaluators(self._config, entry.split))

    def _uses_masks(self, split: str) -> bool:
        """Return True if the pipeline loads masks, or an evaluator compares them."""
        if any('segm' in (metric.get('metric') or ()) for metric in list_evaluators(self._config, split)):
            return True
        return _loads_masks(self._config[f'{split}_dataloader'].dataset)


def _loads_masks(cfg: ConfigValue) -> bool:
    """Return True if a part of a config has the entry ``with_mask=True``."""
    if isinstance(cfg, dict):
        return cfg.get('with_mask') is True or any(map(_loads_masks, cfg.values()))
    return isinstance(cfg, (list, tuple)) and any(map(_loads_masks, cfg))


def list_evaluators(config: Config, split: str) -> list[ConfigDict]:
    """Return the configs of the metrics that evaluate a dataset.

    Args:
        config: Config of any host.
        split: 'train', 'val' or 'test'.
    """
    given = config.get(f'{split}_evaluator') or []
    parts = given if isinstance(given, (list, tuple)) else [given]
    return [metric for part in parts for metric in part.get('metrics') or [part] if isinstance(metric, dict)]


def coco_evaluators(host: Host, config: Config, split: str) -> list[ConfigDict]:
    """Return the configs of the metrics that use the COCO API."""
    return [metric for metric in list_evaluators(config, split) if type_name(metric['type']) in host.coco_evaluators]
