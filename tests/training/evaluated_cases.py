"""Training of several configs by one launch, then tests of checkpoints, all by the console commands.

The metrics of each evaluation are written to a file. Called as ``evaluated_cases.py FILE.json LAUNCHER JOBS.json``. The
jobs are lists of words: ``train`` or ``test``, and arguments of the command.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from mmengine.config import Config, config
from mmengine.dist import all_gather_object, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.registry import HOOKS, METRICS

from hrnet_plugin.cli import evaluate, train
from hrnet_plugin.training.launch import processes

evaluations: list[dict[str, object]] = []


@HOOKS.register_module()
class EvaluationRecord(Hook):
    """Hook that records the metrics, and the norm of the evaluated model in each process."""

    priority = 'VERY_LOW'  # after the hook that exchanges averaged weights

    def before_val_epoch(self, runner):
        squares = [value.double().pow(2).sum() for value in runner.model.state_dict().values()]
        self.norm = sum(squares).sqrt().item()

    before_test_epoch = before_val_epoch

    def after_val_epoch(self, runner, metrics=None):
        evaluations.append(dict(norms=all_gather_object(self.norm), metrics=metrics))

    after_test_epoch = after_val_epoch


@METRICS.register_module()
class PredictionMean(BaseMetric):
    """Metric that depends on all predicted numbers, also of a model that has learned nothing."""

    def process(self, data_batch, data_samples):
        self.results += [_mean(sample) for sample in data_samples]

    def compute_metrics(self, results):
        return dict(mean=sum(results) / len(results), images=len(results))


def _mean(sample):
    if 'seg_logits' in sample:
        return sample['seg_logits']['data'].double().abs().mean().item()
    found = sample['pred_instances']
    entries = ('bboxes', 'scores') if 'scores' in found else ('keypoints', 'keypoint_scores')
    return sum(torch.as_tensor(found[entry]).double().abs().mean().item() for entry in entries)


def main():
    file, launcher, jobs = sys.argv[1:]
    config.FormatCode = lambda text, **_: (text, True)  # formatting the logged configs takes half of the time
    with processes(Config(dict(launcher=launcher))):  # one group for all jobs
        for command, *words in json.loads(Path(jobs).read_text()):
            dict(train=train, test=evaluate)[command].main([*words, '--launcher', launcher])
        if is_main_process():
            Path(file).write_text(json.dumps(evaluations, default=float))


if __name__ == '__main__':
    main()
