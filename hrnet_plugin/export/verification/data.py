"""Test data and evaluators of a config."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import EVALUATOR, MODELS, DefaultScope
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from torch.utils.data import DataLoader

from hrnet_plugin.config_files import find_test_dataset
from hrnet_plugin.data_checks.check import check_datasets
from hrnet_plugin.data_checks.datasets import build_dataset
from hrnet_plugin.export.verification.quiet import quiet
from hrnet_plugin.hosts import host_of_config
from hrnet_plugin.image_headers import UnreadableImageError, read_header
from hrnet_plugin.prediction.pipeline import TestPipeline
from hrnet_plugin.prediction.sources import InputImage

# no worker processes, since they would slow down the measured models
_LOADER = dict(batch_size=1, num_workers=0, persistent_workers=False)
_WORKER_ENTRIES = ('prefetch_factor', 'timeout', 'worker_init_fn')


class VerificationData:
    """Test data of a config, checked before the export.

    Images are evaluated one by one, so that no image is padded to the size of another one.

    Args:
        config: Config of a host.

    Raises:
        OSError, ValueError: If the config does not test one dataset by annotations, or data is missing.
    """

    def __init__(self, config: Config) -> None:
        self.config, self.host = config, host_of_config(config)
        for entry in ('test_dataloader', 'test_evaluator'):
            if config.get(entry) is None:
                raise ValueError(f'config must have the entry {entry} for --verify, got none')
        dataset = find_test_dataset(config)
        self._scope = config.get('default_scope')
        with DefaultScope.overwrite_default_scope(self._scope):
            with torch.device('meta'):
                model = MODELS.build(config.model)
            errors = check_datasets(config, model, ('test', )).errors
            if errors:
                raise ValueError(errors[0])
            self._pipeline = TestPipeline(config, dataset)
        self._dataset: Any = build_dataset(config, 'test')
        self._check_images()
        self.make_evaluator()

    def __len__(self) -> int:
        """Return the number of samples: images, or persons for top-down models."""
        return len(self._dataset)

    def batches(self) -> Iterator[dict[str, Any]]:
        """Yield batches of one sample from the dataloader of the config.

        Raises:
            ValueError: If an image is damaged.
        """
        loader = {key: value for key, value in self.config.test_dataloader.items() if key not in _WORKER_ENTRIES}
        with DefaultScope.overwrite_default_scope(self._scope):
            found: DataLoader[Any] = Runner.build_dataloader({**loader, **_LOADER, 'dataset': self._dataset}, seed=0)
            try:
                yield from found
            except Exception:  # loaders of any package
                self._check_complete()
                raise

    def load(self, sample: BaseDataElement) -> InputImage:
        """Return the image of a sample, read by the loader of the test pipeline.

        Raises:
            OSError, ValueError: If the image cannot be read, or the pipeline drops its path.
        """
        name = sample.metainfo.get('img_path')
        if name is None:
            raise ValueError("the pipeline of test_dataloader must keep 'img_path' in its meta_keys, got samples "
                             'without')
        boxes, scores = self.host.person_boxes(sample) or (None, None)
        with DefaultScope.overwrite_default_scope(self._scope):
            pixels = self._pipeline.load(InputImage(name=name))['img']
        return InputImage(name=name, pixels=pixels, boxes=boxes, box_scores=scores)

    def make_evaluator(self) -> Evaluator:
        """Build the evaluator of the config."""
        entry = self.config.test_evaluator
        with DefaultScope.overwrite_default_scope(self._scope), quiet():
            is_evaluator = isinstance(entry, dict) and 'metrics' in entry
            evaluator: Evaluator = EVALUATOR.build(entry) if is_evaluator else Evaluator(entry)
            evaluator.dataset_meta = self._dataset.metainfo
        if any(getattr(metric, 'format_only', False) for metric in evaluator.metrics):
            raise ValueError('test_evaluator must evaluate for --verify, got format_only=True. Choose test data with '
                             'annotations')
        return evaluator

    def _check_images(self) -> None:
        for path in self._paths():
            if not path.is_file():
                raise FileNotFoundError(f'test_dataloader.dataset must have all images as files, got none at {path}. '
                                        'Set --data-root')

    def _check_complete(self) -> None:
        for path in self._paths():
            try:
                read_header(path)
            except UnreadableImageError as error:
                raise ValueError(f'{path} must be a complete image, got {error}') from None

    def _paths(self) -> Iterator[Path]:
        infos = (self._dataset.get_data_info(index) for index in range(len(self._dataset)))
        return (Path(info['img_path']) for info in infos if info.get('img_path') is not None)
