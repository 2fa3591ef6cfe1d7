"""Checks of samples that the pipeline of a dataset has loaded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from torch import Tensor, nn

from hrnet_plugin.data_checks.channels import channel_error, image_channels
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.images import ImageReport
from hrnet_plugin.data_checks.loaded import Sizes, check_any_object, sample_items, scan_items
from hrnet_plugin.data_checks.scans import list_evaluators
from hrnet_plugin.evaluation.leaderboard.evaluated_datasets import inner_datasets
from hrnet_plugin.hosts import Host, host_of_config
from hrnet_plugin.training.hooks.random_state import random_state, restore

_SHOWN = 3  # samples in a message
_IGNORED = 255  # default of the losses and metrics of mmseg


@dataclass(frozen=True, kw_only=True)
class LabelRules:
    """Valid values of label maps.

    Attributes:
        classes: Number of classes. None if label maps are not checked.
        ignored: Values that loss or metrics ignore.
        has_image_size: Whether label maps have the size of the image, as in training.
    """

    classes: int | None
    ignored: Collection[int] = (_IGNORED, )
    has_image_size: bool = True

    def error(self, sample: Mapping[str, Any]) -> str:
        """Return what is wrong with the label map of a sample, or an empty string."""
        labels = getattr(getattr(sample.get('data_samples'), 'gt_sem_seg', None), 'data', None)
        if self.classes is None or not isinstance(labels, Tensor):
            return ''
        if labels.dim() != 3 or labels.shape[0] != 1:
            return f'must have one channel, got the shape {tuple(labels.shape)}. Convert colors to class labels'
        size = tuple(sample['inputs'].shape[-2:])
        if self.has_image_size and tuple(labels.shape[-2:]) != size:
            return f'must have the size of the image, {size}, got {tuple(labels.shape[-2:])}'
        wrong = [value for value in labels.unique().tolist()
                 if not 0 <= value < self.classes and value not in self.ignored]
        return '' if not wrong else (
            f'must have values below {self.classes}, the number of classes, or an ignored value '
            f'({", ".join(map(str, sorted(self.ignored)))}), got {", ".join(map(str, wrong[:_SHOWN]))}. Change '
            'metainfo.classes and num_classes, reduce_zero_label, or ignore_index of heads and metrics')


@dataclass
class _Samples:
    """Sample names by problem."""
    failed: dict[str, list[str]] = field(default_factory=dict)
    channels: dict[int, list[str]] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)


def label_rules(host: Host, config: Config, split: str, dataset: BaseDataset, model: nn.Module) -> LabelRules:
    """Return the valid values of label maps in training (loss) or evaluation (metrics).

    Args:
        host: Host of dataset and model.
        config: Config of the host.
        split: 'train', 'val' or 'test'.
        dataset: Dataset of the split.
        model: Model of the host.
    """
    names = host.class_names(next(inner_datasets(dataset)))
    classes = None if names is None else len(names)
    if split == 'train':
        values = (getattr(module, 'ignore_index', None) for module in model.modules())
        return LabelRules(classes=classes, ignored={value for value in values if isinstance(value, int)})
    ignored = {metric.get('ignore_index', _IGNORED) for metric in list_evaluators(config, split)}
    return LabelRules(classes=classes, ignored=ignored, has_image_size=False)


def check_loaded(config: Config, split: str, dataset: BaseDataset, model: nn.Module, sizes: Sizes, *, images: int,
                 samples: int) -> tuple[ImageReport | None, list[Finding]]:
    """Check image files, objects and samples of a dataset that has read its annotations.

    Args:
        config: Config of a host.
        split: 'train', 'val' or 'test'.
        dataset: Dataset of the split.
        model: Model of the config.
        sizes: Annotated sizes, for datasets without sizes in their data infos.
        images: Number of images whose headers are read. 0 for none.
        samples: Number of samples that the pipeline loads. 0 for none.

    Returns:
        Scan of the images, None without local image files, and the findings.
    """
    entry = f'{split}_dataloader.dataset'
    items = sample_items(dataset, images)
    report = scan_items(items, sum(map(len, inner_datasets(dataset))), sizes)
    findings = [] if report is None else list(report.findings)
    if split == 'train':
        findings += check_any_object(entry, items)
    if samples and not any(finding.is_error for finding in findings):  # a missing image would fail again
        rules = label_rules(host_of_config(config), config, split, dataset, model)
        findings += check_samples(dataset, entry, model, rules, samples)
    return report, findings


def check_samples(dataset: BaseDataset, entry: str, model: nn.Module, rules: LabelRules, most: int) -> list[Finding]:
    """Load evenly spaced samples with the pipeline of a dataset, and check channels and label maps.

    The state of all random number generators is restored.

    Args:
        dataset: Dataset with at least one sample.
        entry: Path of the dataset in the config.
        model: Model of the host.
        rules: Valid values of label maps.
        most: Maximum number of samples.
    """
    found, state = _Samples(), random_state()
    try:
        for k in np.unique(np.linspace(0, len(dataset) - 1, min(most, len(dataset))).astype(int)).tolist():
            _check_sample(dataset, k, rules, found)
    finally:
        restore(state, same_process=True)
    return list(_findings(entry, found, model))


def _check_sample(dataset: BaseDataset, index: int, rules: LabelRules, found: _Samples) -> None:
    name = f'sample {index}'
    try:
        sample = dataset[index]
    except Exception as error:  # transforms of any package
        found.failed.setdefault(f'{type(error).__name__}: {error}', []).append(name)
        return
    name = str(getattr(sample.get('data_samples'), 'img_path', name))
    channels = image_channels(sample)
    if channels is not None:
        found.channels.setdefault(channels, []).append(name)
    if wrong := rules.error(sample):
        found.labels.setdefault(wrong, []).append(name)


def _findings(entry: str, found: _Samples, model: nn.Module) -> Iterator[Finding]:
    for error, names in found.failed.items():
        yield Finding(is_error=True, message=f'{entry} must load all samples, but {_list(names)} failed with {error}')
    if len(found.channels) > 1:
        kinds = '; '.join(f'{number}: {_list(names)}' for number, names in sorted(found.channels.items()))
        yield Finding(is_error=True, message=f'images of {entry} must have the same number of channels, got {kinds}. '
                                             "Set color_type='color' or 'grayscale' in LoadImageFromFile")
    for channels in found.channels:
        if wrong := channel_error(channels, model):
            yield Finding(is_error=True, message=f'{entry}: {wrong}')
    for wrong, names in list(found.labels.items())[:_SHOWN]:
        yield Finding(is_error=True, message=f'label maps of {entry} {wrong} (images: {_list(names)})')


def _list(names: Sequence[str]) -> str:
    text = ', '.join(names[:_SHOWN])
    return text if len(names) <= _SHOWN else f'{text} and {len(names) - _SHOWN} more'
