"""Datasets of a config, built without reading their annotations."""

from __future__ import annotations

import contextlib
import inspect
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.dataset import BaseDataset
from mmengine.logging import print_log
from mmengine.registry import DATASETS, DefaultScope

from hrnet_plugin.config_files import build_lazily, innermost_datasets
from hrnet_plugin.data_checks.finding import Finding

# folders that any pipeline reads; label maps are not always used
_IMAGE_PREFIXES = ('img', 'img_path')
_ADVICE = 'Set data_root of the config, or the option --data-root'


@dataclass(frozen=True, kw_only=True)
class DatasetEntry:
    """Dataset of a config, without wrappers such as ``RepeatDataset`` and ``ConcatDataset``.

    Attributes:
        entry: Path in the config, e.g. 'train_dataloader.dataset'.
        split: 'train', 'val' or 'test'.
        dataset: Dataset that has not read its annotations.
        pipeline: Configs of its transforms.
    """

    entry: str
    split: str
    dataset: BaseDataset
    pipeline: Sequence[ConfigDict] = ()

    @property
    def is_evaluated(self) -> bool:
        """True if evaluators may use the annotations as ground truth."""
        return self.split != 'train'


def find_datasets(config: Config, split: str) -> tuple[list[DatasetEntry], list[Finding]]:
    """Build the datasets of a dataloader without reading annotations. Types that cannot do that are left out.

    Args:
        config: Config of any host.
        split: 'train', 'val' or 'test'.

    Returns:
        The datasets, and an error for each one with invalid arguments.
    """
    loader = config.get(f'{split}_dataloader')
    found: list[DatasetEntry] = []
    findings: list[Finding] = []
    if loader is None or not isinstance(loader.get('dataset'), dict):
        return found, findings
    for entry, cfg in innermost_datasets(f'{split}_dataloader.dataset', loader['dataset']):
        if not _is_lazy(cfg, config.default_scope):
            print_log(f'{entry} is not checked: {cfg.get("type")} has no argument lazy_init', logger='current')
            continue
        try:
            dataset = build_lazily(cfg, config.default_scope)
            found.append(DatasetEntry(entry=entry, split=split, dataset=dataset, pipeline=cfg.get('pipeline') or ()))
        except Exception as error:  # constructors of any package
            findings.append(Finding(is_error=True, message=(
                f'{entry} must be a valid {cfg.get("type")}, got {type(error).__name__}: {error}. Check its paths and '
                'arguments')))
    return found, findings


def check_paths(entry: DatasetEntry) -> Iterator[Finding]:
    """Check that annotation file and image folders exist. Datasets in archives and remote storage are not checked."""
    dataset = entry.dataset
    if getattr(dataset, 'backend_args', None) or getattr(dataset, 'download', False):
        return
    file = getattr(dataset, 'ann_file', None)
    if isinstance(file, str) and _is_missing(file):
        yield Finding(is_error=True, message=f'{entry.entry}.ann_file must exist, got {file}. {_ADVICE}')
    prefixes = getattr(dataset, 'data_prefix', None) or {}
    for name, folder in prefixes.items():
        if name in _IMAGE_PREFIXES and isinstance(folder, str) and _is_missing(folder):
            yield Finding(is_error=True, message=f'{entry.entry}.data_prefix.{name} must be an existing folder, got '
                                                 f'{folder}. {_ADVICE}')


def _is_missing(path: str) -> bool:
    return bool(path) and '://' not in path and not Path(path).exists()


def build_dataset(config: Config, split: str) -> BaseDataset:
    """Build the dataset of a dataloader, and read its annotations.

    Args:
        config: Config of any host.
        split: 'train', 'val' or 'test'.

    Raises:
        ValueError: If the dataset has no samples.
    """
    printed = io.StringIO()  # the COCO API prints
    try:
        with DefaultScope.overwrite_default_scope(config.default_scope), contextlib.redirect_stdout(printed):
            dataset = DATASETS.build(config[f'{split}_dataloader'].dataset)
            dataset.full_init()
    except ValueError as error:
        if 'need at least one array' not in str(error):  # message of mmengine for an empty list
            raise
        raise ValueError(f'{split}_dataloader.dataset must have samples, got none. Check ann_file, data_prefix, '
                         'img_suffix and filter_cfg') from None
    return dataset


def _is_lazy(cfg: ConfigDict, scope: str | None) -> bool:
    """Return False if a dataset would read its annotations when it is built. True for unknown types."""
    with DefaultScope.overwrite_default_scope(scope):
        kind = cfg.get('type')
        kind = DATASETS.get(kind) if isinstance(kind, str) else kind
    if kind is None:
        return True
    parameters = inspect.signature(kind).parameters.values()
    return any(parameter.name == 'lazy_init' or parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
