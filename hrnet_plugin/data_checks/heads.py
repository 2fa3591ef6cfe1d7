"""Checks of the outputs of heads against the classes and keypoints of a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from torch import nn

from hrnet_plugin.data_checks.datasets import DatasetEntry
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.hosts import Host

_SHOWN = 5  # names in a message


def check_classes(host: Host, entry: DatasetEntry, model: nn.Module) -> Iterator[Finding]:
    """Check that class names are a list without duplicates, and that all heads have as many classes.

    Args:
        host: Host of dataset and model.
        entry: Dataset.
        model: Model of the host.
    """
    names = host.class_names(entry.dataset)
    if names is None:
        return
    key = f'{entry.entry}.metainfo.classes'
    if isinstance(names, str):
        # the hosts would compare names with its substrings
        yield Finding(is_error=True, message=f'{key} must be a tuple of names, or a file with one name per line, got '
                                             f'the string {names!r}. Write ({names!r}, ) with a comma')
        return
    repeated = sorted({name for name in names if list(names).count(name) > 1})
    if repeated:
        yield Finding(is_error=True, message=f'{key} must have different names, got {list_names(repeated)} repeatedly')
    wrong = {name: number for name, number in host.class_heads(model).items() if number != len(names)}
    if wrong:
        heads = ', '.join(f'model.{name}.num_classes={number}' for name, number in wrong.items())
        yield Finding(is_error=True, message=(
            f'model.{next(iter(wrong))}.num_classes must be {len(names)}, the number of classes of {entry.entry} '
            f'({list_names(names)}), got {heads}. Change num_classes of the heads, or set metainfo=dict(classes=(...)) '
            'in the datasets of all dataloaders'))


def check_keypoint_head(host: Host, entry: DatasetEntry, model: nn.Module, *, uses_sigmas: bool, converts: bool,
                        ) -> Iterator[Finding]:
    """Check head, flip pairs, weights and OKS sigmas against the number of keypoints.

    Args:
        host: Host of dataset and model.
        entry: Dataset.
        model: Model of the host.
        uses_sigmas: Whether an evaluator computes OKS for this dataset.
        converts: Whether an evaluator converts predictions or ground truth to other keypoints.
    """
    meta = entry.dataset.metainfo
    number = meta.get('num_keypoints')
    if number is None:
        return
    key = f'{entry.entry}.metainfo'
    predicted = host.converted_keypoints(entry.pipeline) or number
    heads = {} if converts else host.keypoint_heads(model, entry.is_evaluated)
    for name, (outputs, per_keypoint) in heads.items():
        if outputs != predicted * per_keypoint:
            yield Finding(is_error=True, message=(
                f'model.{name} must be {predicted * per_keypoint} for the {predicted} keypoints of {entry.entry}, got '
                f'{outputs}. Change model.{name}, or set metainfo=dict(from_file=...) in the dataset'))
    expected = {'joint_weights': meta.get('dataset_keypoint_weights')}
    if uses_sigmas:
        expected['sigmas'] = meta.get('sigmas')
    for name, values in expected.items():
        if values is not None and len(values) != number:
            yield Finding(is_error=True, message=f'{name} in {key} must have one value for each of the {number} '
                                                 f'keypoints, got {len(values)}')
    yield from _check_flip(key, meta.get('flip_indices'), meta.get('keypoint_id2name') or {})


def _check_flip(key: str, indices: Sequence[int] | None, names: dict[int, str]) -> Iterator[Finding]:
    if indices is None:
        return
    one_way = [names.get(k, str(k)) for k, other in enumerate(indices) if indices[other] != k]
    if one_way:
        # a warning, because published metainfo has such keypoints
        yield Finding(is_error=False, message=f'swap in keypoint_info of {key} should name each other in pairs, got '
                                              f'{list_names(one_way)} in one direction only. Flipped images get wrong '
                                              'keypoints')


def list_names(names: Sequence[str]) -> str:
    """Return at most five names in quotation marks, and the number of the others."""
    text = ', '.join(map(repr, names[:_SHOWN]))
    return text if len(names) <= _SHOWN else f'{text} and {len(names) - _SHOWN} more'
