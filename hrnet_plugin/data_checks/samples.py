"""Checks of samples that a dataset's pipeline has loaded."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset
from torch import Tensor, nn

from hrnet_plugin.data_checks.channels import channel_error, image_channels
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.hosts import Host

_SHOWN = 3  # samples in a message


@dataclass
class _Samples:
    """Sample names by problem."""
    failed: dict[str, list[str]] = field(default_factory=dict)
    channels: dict[int, list[str]] = field(default_factory=dict)
    labels: dict[int, list[str]] = field(default_factory=dict)


def check_samples(host: Host, dataset: BaseDataset, entry: str, model: nn.Module, most: int) -> list[Finding]:
    """Load evenly spaced samples with the pipeline of a dataset, and check channels and label maps.

    Args:
        host: Host of dataset and model.
        dataset: Dataset with at least one sample.
        entry: Path of the dataset in the config.
        model: Model of the host.
        most: Maximum number of samples.
    """
    classes = len(host.class_names(dataset) or ())
    found = _Samples()
    for k in np.unique(np.linspace(0, len(dataset) - 1, min(most, len(dataset))).astype(int)).tolist():
        _check_sample(dataset, k, classes, ignored_labels(model), found)
    return list(_findings(entry, found, classes, model))


def _check_sample(dataset: BaseDataset, index: int, classes: int, ignored: Collection[int], found: _Samples) -> None:
    name = str(dataset.get_data_info(index).get('img_path') or f'sample {index}')
    try:
        sample = dataset[index]
    except Exception as error:  # transforms of any package
        found.failed.setdefault(f'{type(error).__name__}: {error}', []).append(name)
        return
    channels = image_channels(sample)
    if channels is not None:
        found.channels.setdefault(channels, []).append(name)
    for label in wrong_labels(sample, classes, ignored):
        found.labels.setdefault(label, []).append(name)


def wrong_labels(sample: Mapping[str, Any], classes: int, ignored: Collection[int]) -> list[int]:
    """Return the values of a label map that are neither a class nor ignored.

    Args:
        sample: Sample of a segmentation dataset. Samples without label map have no wrong labels.
        classes: Number of classes.
        ignored: Values that the loss ignores.
    """
    labels = getattr(getattr(sample.get('data_samples'), 'gt_sem_seg', None), 'data', None)
    if not isinstance(labels, Tensor):
        return []
    return [value for value in labels.unique().tolist() if not 0 <= value < classes and value not in ignored]


def ignored_labels(model: nn.Module) -> set[int]:
    """Return the values of label maps that the heads of a model ignore."""
    values = (getattr(module, 'ignore_index', None) for module in model.modules())
    return {value for value in values if isinstance(value, int)}


def _findings(entry: str, found: _Samples, classes: int, model: nn.Module) -> Iterator[Finding]:
    for error, names in found.failed.items():
        yield Finding(is_error=True, message=f'{entry} must load all samples, but {_list(names)} failed with {error}')
    if len(found.channels) > 1:
        kinds = '; '.join(f'{number}: {_list(names)}' for number, names in sorted(found.channels.items()))
        yield Finding(is_error=True, message=f'images of {entry} must have the same number of channels, got {kinds}. '
                                             "Set color_type='color' or 'grayscale' in LoadImageFromFile")
    for channels in found.channels:
        if wrong := channel_error(channels, model):
            yield Finding(is_error=True, message=f'{entry}: {wrong}')
    if found.labels:
        values = _list([f'{value} in {names[0]}' for value, names in sorted(found.labels.items())])
        ignored = ', '.join(map(str, sorted(ignored_labels(model))))
        yield Finding(is_error=True, message=(
            f'label maps of {entry} must have values below {classes}, the number of classes, or an ignored value '
            f'({ignored}), got {values}. Change metainfo.classes and num_classes, reduce_zero_label, or '
            'ignore_index of the heads'))


def _list(names: list[str]) -> str:
    text = ', '.join(names[:_SHOWN])
    return text if len(names) <= _SHOWN else f'{text} and {len(names) - _SHOWN} more'
