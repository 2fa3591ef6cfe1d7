"""Hook that checks the data against the model before the first step."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log

from hrnet_plugin.checks import check_bool, check_int
from hrnet_plugin.data_checks.channels import channel_error, image_channels, unwrap_model
from hrnet_plugin.data_checks.check import check_datasets
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.loaded import Sizes
from hrnet_plugin.data_checks.samples import check_loaded
from hrnet_plugin.escaping import escape_controls
from hrnet_plugin.hosts import find_host, host_of_config
from hrnet_plugin.registry import HOOKS

if TYPE_CHECKING:
    from mmengine.runner import Runner

_MOST = 10**6


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
        images: Number of images of each dataset whose size and orientation are read. 0 disables this check.
        label_maps: Number of label maps of each segmentation dataset to read. 0 disables this check.

    Raises:
        TypeError, ValueError: If an argument is invalid.
    """

    priority = 'VERY_HIGH'

    def __init__(self, scan: bool = True, images: int = 32, label_maps: int = 16) -> None:
        check_bool('scan', scan)
        check_int('images', images, 0, _MOST)
        check_int('label_maps', label_maps, 0, _MOST)
        self.scan, self.images, self.label_maps = scan, images, label_maps
        self._sizes: Sizes = {}
        # splits whose config, loaded dataset and first batch have been checked
        self._checked: set[str] = set()
        self._loaded: set[str] = set()
        self._seen: set[str] = set()

    def before_datasets(self, runner: Runner, splits: Sequence[str]) -> None:
        """Check the datasets of a run. Called by :class:`~hrnet_plugin.training.runner.HRNetRunner`.

        Args:
            runner: Runner with a model.
            splits: Dataloaders that the run uses: 'train', 'val', 'test'.

        Raises:
            ValueError: If data and model do not match. Other processes of a distributed run exit without a message.
        """
        splits = [split for split in splits if split not in self._checked and runner.cfg.get(f'{split}_dataloader')]
        self._checked.update(splits)
        if splits and find_host(runner.cfg.get('default_scope')) is not None:
            _report(lambda: self._check_datasets(runner, splits))

    def before_train(self, runner: Runner) -> None:
        """Check the training and validation datasets."""
        self._before_loop(runner, 'train', 'val')

    def before_val(self, runner: Runner) -> None:
        """Check the validation dataset."""
        self._before_loop(runner, 'val')

    def before_test(self, runner: Runner) -> None:
        """Check the test dataset."""
        self._before_loop(runner, 'test')

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Mapping[str, Any] | None = None) -> None:
        """Check the channels of the first batch."""
        self._check_batch(runner, 'train', data_batch)

    def before_val_iter(self, runner: Runner, batch_idx: int, data_batch: Mapping[str, Any] | None = None) -> None:
        """Check the channels of the first batch."""
        self._check_batch(runner, 'val', data_batch)

    def before_test_iter(self, runner: Runner, batch_idx: int, data_batch: Mapping[str, Any] | None = None) -> None:
        """Check the channels of the first batch."""
        self._check_batch(runner, 'test', data_batch)

    def _before_loop(self, runner: Runner, *splits: str) -> None:
        self.before_datasets(runner, splits)
        splits = tuple(split for split in splits if split not in self._loaded and runner.cfg.get(f'{split}_dataloader'))
        self._loaded.update(splits)
        if splits and find_host(runner.cfg.get('default_scope')) is not None:
            _report(lambda: [finding for split in splits for finding in self._check_loaded(runner, split)])

    def _check_datasets(self, runner: Runner, splits: Sequence[str]) -> list[Finding]:
        result = check_datasets(runner.cfg, unwrap_model(runner.model), splits, self.scan)
        self._sizes = result.image_sizes
        return result.findings

    def _check_loaded(self, runner: Runner, split: str) -> list[Finding]:
        dataset = getattr(runner, f'{split}_dataloader').dataset
        samples = self.label_maps if host_of_config(runner.cfg).task == 'segmentation' else 0
        return check_loaded(runner.cfg, split, dataset, unwrap_model(runner.model), self._sizes, images=self.images,
                            samples=samples)[1]

    def _check_batch(self, runner: Runner, split: str, batch: Mapping[str, Any] | None) -> None:
        if split in self._seen or batch is None:
            return
        self._seen.add(split)
        channels = image_channels(batch)
        wrong = channel_error(channels, runner.model) if channels is not None else ''
        if wrong:
            raise ValueError(f'{split}_dataloader: {wrong}')


def _report(find: Callable[[], list[Finding]]) -> None:
    """Log the findings of the first process. Stop all processes if there is an error."""
    findings: list[Finding] = []
    failure: Exception | None = None
    if is_main_process():
        try:
            findings = find()
        except Exception as error:  # the other processes must not wait
            failure = error
    for finding in findings:  # before other processes exit, because launchers then stop this one
        print_log(escape_controls(finding.message), logger='current',
                  level=logging.ERROR if finding.is_error else logging.WARNING)
    errors = [finding.message for finding in findings if finding.is_error]
    stops = [bool(errors) or failure is not None]
    broadcast_object_list(stops)
    if failure is not None:
        raise failure
    if errors:
        raise ValueError(errors[0] if len(errors) == 1 else f'{errors[0]} (and {len(errors) - 1} more in the log)')
    if stops[0]:
        raise SystemExit(1)  # the first process prints the error
