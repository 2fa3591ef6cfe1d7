"""AtomicCheckpointHook: a run that is killed at any time has a complete checkpoint."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from paths import ROOT

from hrnet_plugin.checkpoints import allow_mmengine_checkpoints
from hrnet_plugin.training.hooks.atomic_checkpoint import AtomicBackend
from hrnet_plugin.training.work_dir import newest_checkpoint

allow_mmengine_checkpoints()  # whichever tests have run before

RUN = """
    import json, os, sys, torch
    from pathlib import Path
    from mmengine.evaluator import BaseMetric, Evaluator
    from mmengine.fileio.backends.local_backend import LocalBackend
    from mmengine.model import BaseModel
    from mmengine.runner import Runner
    import hrnet_plugin.training.hooks.atomic_checkpoint

    class Data(torch.utils.data.Dataset):
        def __len__(self):
            return 2
        def __getitem__(self, index):
            return dict(inputs=torch.ones(2))

    class Model(BaseModel):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 1)
        def forward(self, inputs, mode='tensor'):
            out = self.layer(torch.stack(inputs)).sum()
            return dict(loss=out) if mode == 'loss' else [out]

    class Score(BaseMetric):
        steps = 0
        def process(self, data_batch, data_samples):
            self.results.append(0)
        def compute_metrics(self, results):
            self.steps += 1
            return dict(score=float(self.steps))  # each checkpoint is a new best one

    def kill_at(moment):
        # while the third checkpoint replaces the second one
        write, rename, remove, put = Path.write_bytes, Path.replace, os.remove, LocalBackend.put

        def killed_write(path, data):
            if moment == 'write' and '_3.pth' in path.name:
                write(path, data[:len(data) // 2])
                os._exit(9)
            return write(path, data)

        def killed_put(self, data, path):
            if type(self) is LocalBackend and '_3.pth' in str(path):
                killed_write(Path(path), data)
            put(self, data, path)

        def killed_rename(path, target):
            if moment == 'rename' and '_3.pth' in str(target):
                os._exit(9)
            return rename(path, target)

        def killed_remove(path):
            if moment == 'remove' and '_2.pth' in str(path):
                os._exit(9)
            remove(path)

        Path.write_bytes, Path.replace, os.remove = killed_write, killed_rename, killed_remove
        LocalBackend.put = killed_put

    def train(hook, moment, by_epoch, work_dir):
        kill_at(moment)
        loop = (dict(by_epoch=True, max_epochs=4) if by_epoch
                else dict(type='IterBasedTrainLoop', max_iters=4, val_interval=1))
        sampler = dict(type='DefaultSampler' if by_epoch else 'InfiniteSampler')
        Runner(
            Model(), work_dir, train_cfg=loop, val_cfg=dict(), val_evaluator=Evaluator(Score()),
            train_dataloader=dict(batch_size=2, dataset=Data(), sampler=sampler),
            val_dataloader=dict(batch_size=2, dataset=Data(), sampler=dict(type='DefaultSampler')),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-3)), log_level='ERROR', default_scope='mmengine',
            default_hooks=dict(checkpoint=dict(
                type=hook, interval=1, by_epoch=by_epoch, max_keep_ckpts=1, rule='greater',
                save_best='score' if moment == 'never' else None))).train()

    codes = []
    for case in json.loads(sys.argv[1]):
        if (child := os.fork()) == 0:
            train(*case)
            os._exit(0)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print('CODES', json.dumps(codes))
"""
OURS = 'hrnet_plugin.AtomicCheckpointHook'
CASES = [(OURS, 'write', True), (OURS, 'rename', True), (OURS, 'remove', True), ('CheckpointHook', 'write', True),
         *((hook, 'never', by_epoch) for hook in (OURS, 'CheckpointHook') for by_epoch in (True, False))]


@pytest.fixture(scope='module')
def work_dirs(tmp_path_factory):
    """Run all cases in one process, because imports take longer than training. Return their work directories."""
    if not hasattr(os, 'fork'):
        pytest.skip('needs fork')
    folder = tmp_path_factory.mktemp('runs')
    cases = [(*case, str(folder / '-'.join(map(str, case)))) for case in CASES]
    done = subprocess.run([sys.executable, '-W', 'ignore', '-c', textwrap.dedent(RUN), json.dumps(cases)], text=True,
                          capture_output=True, check=True, env=dict(os.environ, PYTHONPATH=str(ROOT)))
    codes = json.loads(done.stdout.rsplit('CODES', 1)[1])
    assert codes == [0 if case[1] == 'never' else 9 for case in CASES], done.stderr
    return {case: Path(path) for case, *_, path in ((case[:3], *case) for case in cases)}


def names(folder):
    return sorted(path.name for path in folder.glob('*.pth'))


@pytest.mark.parametrize(('moment', 'kept', 'newest'), [
    ('write', ['epoch_2.pth'], 2), ('rename', ['epoch_2.pth'], 2), ('remove', ['epoch_2.pth', 'epoch_3.pth'], 3)])
def test_a_killed_run_has_a_complete_checkpoint(moment, kept, newest, work_dirs):
    folder = work_dirs[OURS, moment, True]
    assert names(folder) == kept
    assert torch.load(newest_checkpoint(folder, []), weights_only=True)['meta']['epoch'] == newest
    assert Path((folder / 'last_checkpoint').read_text()).is_file()


def test_with_the_upstream_hook_it_has_no_complete_checkpoint(work_dirs):
    folder = work_dirs['CheckpointHook', 'write', True]
    assert names(folder) == ['epoch_3.pth']
    assert newest_checkpoint(folder, []) is None


@pytest.mark.parametrize('by_epoch', [True, False])
def test_a_finished_run_keeps_the_same_files_as_mmengine(by_epoch, work_dirs):
    ours, theirs = (work_dirs[hook, 'never', by_epoch] for hook in (OURS, 'CheckpointHook'))
    assert names(ours) == names(theirs)
    assert len(names(ours)) == 2  # last and best checkpoint
    assert not list(ours.glob('.*'))


def test_a_file_that_was_written_again_is_not_removed(tmp_path):
    backend = AtomicBackend()
    for name in ('old.pth', 'again.pth'):
        (tmp_path / name).write_bytes(b'1')
        backend.remove(tmp_path / name)
    backend.put(b'2', tmp_path / 'again.pth')
    backend.remove_outdated()
    assert [path.name for path in tmp_path.iterdir()] == ['again.pth']
    assert (tmp_path / 'again.pth').read_bytes() == b'2'
