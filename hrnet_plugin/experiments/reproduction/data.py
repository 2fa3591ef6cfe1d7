"""Files and folders that the test of a config reads."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from mmengine.config import Config, ConfigDict

from hrnet_plugin.checkpoints.addresses import digest


def data_paths(config: Config) -> tuple[Path, ...]:
    """Return the annotation files and image folders of the test dataset and its evaluators, sorted.

    Args:
        config: Config of any host.

    Raises:
        ValueError: The config tests no dataset.
    """
    if config.get('test_dataloader') is None:
        raise ValueError(f'config must have the entry test_dataloader, got {config.filename} without')
    evaluator = config.get('test_evaluator') or {}
    evaluators = evaluator if isinstance(evaluator, Sequence) else [evaluator]
    paths = {*_dataset_paths(config.test_dataloader.dataset), *(path for each in evaluators for path in _files(each))}
    return tuple(sorted(map(Path, paths)))


def fingerprint(paths: Sequence[Path]) -> dict[str, str]:
    """Return path -> digest that changes with the content of a file, or with the files in a folder.

    Args:
        paths: Existing files and folders.
    """
    return {str(path): _digest_of_folder(path) if path.is_dir() else digest(path) for path in paths}


def _digest_of_folder(folder: Path) -> str:
    """Return a digest of the names, sizes and modification times of all files in a folder, also in subfolders."""
    entries = sorted((os.path.relpath(os.path.join(place, name), folder), os.path.join(place, name))
                     for place, _, names in os.walk(folder, followlinks=True) for name in names)
    state = hashlib.sha256()
    for name, path in entries:
        facts = os.stat(path, follow_symlinks=os.path.exists(path))
        state.update(f'{name}\0{facts.st_size}\0{facts.st_mtime_ns}\0'.encode(errors='surrogateescape'))
    return state.hexdigest()


def _dataset_paths(dataset: ConfigDict) -> Iterator[str]:
    """Yield the paths of a dataset config and of those it wraps."""
    for wrapped in ('dataset', 'datasets'):
        inner = dataset.get(wrapped)
        for each in [inner] if isinstance(inner, Mapping) else inner or []:
            yield from _dataset_paths(each)
    root = dataset.get('data_root') or ''
    for relative in (dataset.get('ann_file'), *(dataset.get('data_prefix') or {}).values()):
        if isinstance(relative, str) and relative:
            yield os.path.join(root, relative)
    yield from (path for path in _files(dataset) if path != dataset.get('ann_file'))  # that is relative to data_root


def _files(entry: Mapping[str, object]) -> Iterator[str]:
    """Yield entries such as ``ann_file`` and ``bbox_file``, also of nested evaluators."""
    for key, value in entry.items():
        if key.endswith('_file') and isinstance(value, str) and value:
            yield value
        elif key == 'metrics' and isinstance(value, Sequence) and not isinstance(value, str):
            yield from (path for each in value if isinstance(each, Mapping) for path in _files(each))
