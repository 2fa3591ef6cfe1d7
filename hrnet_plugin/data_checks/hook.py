"""Hook that checks the data against the model before the first step."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log

from hrnet_plugin.checks import check_bool, check_int
from hrnet_plugin.data_checks.channels import channel_error, image_channels, unwrap_model
from hrnet_plugin.data_checks.check import check_datasets
from hrnet_plugin.data_checks.datasets import build_dataset
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.samples import check_samples
from hrnet_plugin.hosts import MMSEG, find_host
from hrnet_plugin.registry import HOOKS

if TYPE_CHECKING:
    from mmengine.runner import Runner


@HOOKS.register_module()
class DataCheckHook(Hook):
    """Hook that stops a run before the first step if its data does not match its model.

    It compares the outputs of heads with the classes and keypoints of all datasets. It also compares class names with
    annotation files, label maps with the number of classes, and the channels of the first batch with the model.
    Suspicious annotations are logged as warnings. Enable it in a config of mmdet, mmpose or mmsegmentation with
    ``custom_hooks=[dict(type='hrnet_plugin.DataCheckHook')]``. ``hrnet train`` and ``hrnet test`` always add it.

    With ``hrnet train`` and ``hrnet test`` the check runs before the datasets read their annotations. With the tools of
    the hosts it runs afterwards.

    Args:
        scan: Whether to read annotation files in COCO format. It takes about as long as loading them for training.
        label_maps: Number of label maps of each dataset to read. 0 disables this check.

    Raises:
        TypeError, ValueError: If an argument is invalid.
    """

    priority = 'VERY_HIGH'

    def __init__(self, scan: bool = True, label_maps: int = 16) -> None:
        check_bool('scan', scan)
        check_int('label_maps', label_maps, 0, 10**6)
        self.scan, self.label_maps = scan, label_maps
        self._checked: set[str] = set()
        self._seen: set[str] = set()

    def before_datasets(self, runner: Runner, splits: Sequence[str]) -> None:
        """Check the datasets of a run. Called by :class:`~hrnet_plugin.training.runner.HRNetRunner`.

        Args:
            runner: Runner with a model.
            splits: Dataloaders that the run uses: 'train', 'val', 'test'.

        Raises:
            ValueError: If data and model do not match. All processes of a distributed run raise it.
        """
        splits = [split for split in splits if split not in self._checked and runner.cfg.get(f'{split}_dataloader')]
        self._checked.update(splits)
        if not splits or find_host(runner.cfg.get('default_scope')) is None:
            return
        shared = [self._find(runner, splits) if is_main_process() else None]
        broadcast_object_list(shared)
        findings = shared[0] or []
        for finding in findings:
            print_log(finding.message, logger='current', level=logging.ERROR if finding.is_error else logging.WARNING)
        errors = [finding.message for finding in findings if finding.is_error]
        if errors:
            raise ValueError(errors[0] if len(errors) == 1 else f'{errors[0]} (and {len(errors) - 1} more in the log)')

    def _find(self, runner: Runner, splits: Sequence[str]) -> list[Finding]:
        model = unwrap_model(runner.model)
        result = check_datasets(runner.cfg, model, splits, self.scan)
        if find_host(runner.cfg.default_scope) is MMSEG and self.label_maps and not result.errors:
            for split in splits:
                dataset = build_dataset(runner.cfg, split)
                result.findings += check_samples(MMSEG, dataset, f'{split}_dataloader.dataset', model, self.label_maps)
        return result.findings

    def before_train(self, runner: Runner) -> None:
        """Check the training and validation datasets."""
        self.before_datasets(runner, ('train', 'val'))

    def before_val(self, runner: Runner) -> None:
        """Check the validation dataset."""
        self.before_datasets(runner, ('val', ))

    def before_test(self, runner: Runner) -> None:
        """Check the test dataset."""
        self.before_datasets(runner, ('test', ))

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Mapping[str, Any] | None = None) -> None:
        """Check the channels of the first batch."""
        self._check_batch(runner, 'train', data_batch)

    def before_val_iter(self, runner: Runner, batch_idx: int, data_batch: Mapping[str, Any] | None = None) -> None:
        """Check the channels of the first batch."""
        self._check_batch(runner, 'val', data_batch)

    def before_test_iter(self, runner: Runner, batch_idx: int, data_batch: Mapping[str, Any] | None = None) -> None:
        """Check the channels of the first batch."""
        self._check_batch(runner, 'test', data_batch)

    def _check_batch(self, runner: Runner, split: str, batch: Mapping[str, Any] | None) -> None:
        if split in self._seen or batch is None:
            return
        self._seen.add(split)
        channels = image_channels(batch)
        wrong = channel_error(channels, runner.model) if channels is not None else ''
        if wrong:
            raise ValueError(f'{split}_dataloader: {wrong}')
