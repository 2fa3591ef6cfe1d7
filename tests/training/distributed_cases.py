"""Training of several configs by one launch, each with the same images per optimizer step for any number of processes.

The mean losses of the processes are written to a file.

Called as ``distributed_cases.py FILE.json LAUNCHER CONFIG.py ...``.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dist import all_reduce, get_dist_info, is_main_process
from mmengine.hooks import Hook

from hrnet_plugin.training.launch import make_runner, processes


class Losses(Hook):
    """Hook that records the mean loss of all processes per optimizer step."""

    priority = 'LOWEST'

    def __init__(self, batches):
        self.batches, self.pending, self.values = batches, [], []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        loss = outputs['loss'].detach().double().clone()
        all_reduce(loss, 'mean')
        self.pending.append(loss.item())
        if len(self.pending) == self.batches:
            self.values.append(sum(self.pending) / self.batches)
            self.pending = []


def norm_of_weights(model):
    """Return the norm of the parameters, the mean over the processes. It shows if they differ."""
    total = sum(parameter.detach().double().pow(2).sum() for parameter in model.parameters())
    everywhere = total.clone()
    all_reduce(everywhere, 'mean')
    assert torch.equal(everywhere, total), 'the processes have different weights'
    return total.sqrt().item()


def train(path, launcher):
    config = Config.fromfile(path, format_python_code=False)  # formatting takes a second per case
    config.launcher = launcher
    config.train_dataloader.batch_size //= get_dist_info()[1]
    runner = make_runner(config)
    losses = Losses(config.optim_wrapper.get('accumulative_counts', 1))
    runner.register_hook(losses)
    runner.train()
    ema = next((hook.ema_model for hook in runner.hooks if type(hook).__name__ == 'EMAHook'), runner.model)
    return dict(losses=losses.values, weights=norm_of_weights(runner.model), ema=norm_of_weights(ema))


def main(file, launcher, *paths):
    with processes(Config(dict(launcher=launcher))):  # one group for all configs
        found = {path: train(path, launcher) for path in paths}
        if is_main_process():
            Path(file).write_text(json.dumps(found))


if __name__ == '__main__':
    main(*sys.argv[1:])
