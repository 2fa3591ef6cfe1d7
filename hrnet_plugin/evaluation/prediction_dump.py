"""Metric that writes the predictions of a test to a file."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.registry import METRICS as MMENGINE_METRICS

from hrnet_plugin.files import atomic_write
from hrnet_plugin.registry import METRICS

if TYPE_CHECKING:
    from mmengine.evaluator import DumpResults

_PROTOCOL = 2  # as mmengine


@METRICS.register_module()
class PredictionDump(BaseMetric):
    """Metric that writes all predictions atomically, in the format of a dump of mmengine or a host.

    Their dumps write in place, and a test that is killed meanwhile has destroyed the file of an earlier one.

    Args:
        out_file_path: File to write, ``.pkl`` or ``.pickle``.
        dump: Type of the dump whose format is written, such as ``DumpResults``.
    """

    default_prefix = ''

    def __init__(self, out_file_path: str, dump: str) -> None:
        super().__init__()
        self._dump: DumpResults = MMENGINE_METRICS.build(dict(type=dump, out_file_path=out_file_path))
        self.results = self._dump.results

    def process(self, data_batch: Mapping[str, Any], data_samples: Sequence[dict[str, Any]]) -> None:
        """Collect the predictions of a batch."""
        self._dump.process(data_batch, data_samples)

    def compute_metrics(self, results: list[dict[str, Any]]) -> dict[str, float]:
        """Write the predictions, and return no metrics."""
        with atomic_write(self._dump.out_file_path) as scratch, scratch.open('wb') as file:
            pickle.dump(results, file, _PROTOCOL)
        print_log(f'Predictions are saved to {self._dump.out_file_path}', logger='current')
        return {}
