"""PreemptionHook: runs that a scheduler ends continue where they were, with the losses of uninterrupted runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest
import torch
from linear_model import LinearModel
from mmengine.evaluator import BaseMetric, Evaluator
from mmengine.hooks import Hook
from paths import ROOT
from torch.utils.data import Dataset

from hrnet_plugin.checkpoints import allow_mmengine_checkpoints
from hrnet_plugin.training.hooks import preemption
from hrnet_plugin.training.runner import HRNetRunner

allow_mmengine_checkpoints()


class Numbers(Dataset):
    """Dataset that lists the loaded numbers."""

    loaded = []

    def __init__(self, length=8):
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        self.loaded.append(index)
        return dict(inputs=torch.ones(2) * index)


class Validation(Numbers):
    loaded = []


class Model(LinearModel):

    def forward(self, inputs, mode='loss'):
        return super().forward(inputs, mode) if mode == 'loss' else [0]


class Score(BaseMetric):

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(score=0.)


class Losses(Hook):
    """Hook that records losses, and sends a signal after an iteration or in an evaluation."""

    def __init__(self, number=None, after=None, in_evaluation=None):
        self.values, self.number, self.after, self.in_evaluation = {}, number, after, in_evaluation

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.values[runner.iter] = outputs['loss'].item(), batch_idx
        if runner.iter == self.after:
            os.kill(os.getpid(), self.number)

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        if runner.epoch == self.in_evaluation:
            os.kill(os.getpid(), self.number)


def train(work_dir, resume=None, loop=None, length=8, count=1, workers=0, sampler='DefaultSampler', **signals):
    """Train for 3 epochs of 4 batches. Return the losses, the exit code, and the numbers that were loaded."""
    torch.manual_seed(0)
    recorder = Losses(**signals)
    Numbers.loaded.clear()
    loader = dict(batch_size=2, num_workers=workers, persistent_workers=workers > 0)
    runner = HRNetRunner(
        Model(), str(work_dir), log_level='ERROR', experiment_name=f'{work_dir.parent.name}-{time.time()}',
        train_cfg=loop or dict(type='hrnet_plugin.ResumableEpochLoop', max_epochs=3),
        train_dataloader=dict(loader, dataset=Numbers(length), sampler=dict(type=sampler, shuffle=True)),
        val_dataloader=dict(batch_size=2, dataset=Validation(), sampler=dict(type='DefaultSampler', shuffle=False)),
        val_cfg=dict(), val_evaluator=Evaluator(Score()), randomness=dict(seed=0),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-3, momentum=.9), accumulative_counts=count),
        param_scheduler=[dict(type='LinearLR', start_factor=.1, begin=0, end=8, by_epoch=False)],
        default_hooks=dict(checkpoint=dict(type='hrnet_plugin.AtomicCheckpointHook', interval=1)),
        custom_hooks=[recorder, dict(type='hrnet_plugin.PreemptionHook')],
        load_from=resume and str(resume), resume=resume is not None)
    code = 0
    try:
        runner.train()
    except SystemExit as error:
        code = error.code
    return recorder.values, code, [*Numbers.loaded]


@pytest.mark.parametrize(('number', 'after', 'expected'), [(signal.SIGTERM, 5, 6), (signal.SIGTERM, 7, 8),
                                                           (signal.SIGUSR1, 0, 1)])
def test_a_run_continues_within_an_epoch(tmp_path, number, after, expected):
    whole, code, _ = train(tmp_path / 'whole')
    assert code == 0
    first, code, _ = train(tmp_path / 'parts', number=number, after=after)
    assert code == 128 + number
    assert (tmp_path / 'parts' / 'last_checkpoint').read_text().endswith(f'iter_{expected}.pth')
    second, code, loaded = train(tmp_path / 'parts', resume=tmp_path / 'parts' / f'iter_{expected}.pth')
    assert code == 0
    assert (tmp_path / 'parts' / 'epoch_3.pth').is_file()
    assert {**first, **second} == whole
    assert not first.keys() & second.keys()  # no batch is repeated
    assert len(loaded) == 2 * len(second)  # nor loaded


def test_persistent_workers_leave_out_batches_once(tmp_path):
    whole, _, _ = train(tmp_path / 'whole')
    train(tmp_path / 'parts', number=signal.SIGTERM, after=5)
    second, code, _ = train(tmp_path / 'parts', resume=tmp_path / 'parts' / 'iter_6.pth', workers=2)
    assert code == 0
    assert second == {step: whole[step] for step in range(6, 12)}


def test_accumulated_gradients_are_not_lost(tmp_path):
    whole, _, _ = train(tmp_path / 'whole', count=2)
    first, _, _ = train(tmp_path / 'parts', number=signal.SIGTERM, after=4, count=2)
    assert max(first) == 5  # the second batch of the step
    second, _, _ = train(tmp_path / 'parts', resume=tmp_path / 'parts' / 'iter_6.pth', count=2)
    assert {**first, **second} == whole


def test_an_evaluation_is_completed_first(tmp_path):
    whole, _, _ = train(tmp_path / 'whole')
    first, code, _ = train(tmp_path / 'parts', number=signal.SIGTERM, in_evaluation=2)
    assert code == 128 + signal.SIGTERM
    assert max(first) == 7
    second, _, _ = train(tmp_path / 'parts', resume=tmp_path / 'parts' / 'iter_8.pth')
    assert {**first, **second} == whole


@pytest.mark.parametrize(('loop', 'length'), [(dict(by_epoch=True, max_epochs=3), 8), (None, 10)])
def test_other_loops_and_datasets_repeat_the_epoch(tmp_path, loop, length, monkeypatch):
    logged = []
    monkeypatch.setattr(preemption, 'print_log', lambda message, **_: logged.append(message))
    train(tmp_path, number=signal.SIGTERM, after=5, loop=loop)
    second, code, _ = train(tmp_path, resume=tmp_path / 'iter_6.pth', loop=loop, length=length)
    assert code == 0
    assert len(second) == 2 * length // 2
    assert any('the epoch is repeated, though 2 of its 4 batches were trained before' in line for line in logged)


def test_runs_by_iterations_continue(tmp_path):
    loop = dict(loop=dict(type='IterBasedTrainLoop', max_iters=10, val_interval=100), sampler='InfiniteSampler')
    whole, _, _ = train(tmp_path / 'whole', **loop)
    first, code, _ = train(tmp_path / 'parts', number=signal.SIGUSR1, after=5, **loop)
    assert code == 128 + signal.SIGUSR1
    second, _, _ = train(tmp_path / 'parts', resume=tmp_path / 'parts' / 'iter_6.pth', **loop)
    assert {**first, **second} == whole


def test_handlers_are_restored(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    train(tmp_path / 'one')
    train(tmp_path / 'two', number=signal.SIGTERM, after=2)
    assert signal.getsignal(signal.SIGTERM) is before


RUN = """
    import sys, time, torch
    from pathlib import Path
    from linear_model import LinearModel
    from mmengine.hooks import Hook
    from test_preemption import Numbers
    from hrnet_plugin.training.process_group import start_process_group
    from hrnet_plugin.training.runner import HRNetRunner

    class Slow(Hook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            print('iteration', runner.iter, flush=True)
            time.sleep(.5)

    work_dir, launcher = sys.argv[1:]
    if launcher != 'none':
        start_process_group(launcher, dict(timeout=60))
    HRNetRunner(
        LinearModel(), work_dir, log_level='WARNING', launcher=launcher,
        train_cfg=dict(type='IterBasedTrainLoop', max_iters=200),
        train_dataloader=dict(batch_size=2, num_workers=2, dataset=Numbers(), sampler=dict(type='InfiniteSampler')),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-3)),
        custom_hooks=[Slow(), dict(type='hrnet_plugin.PreemptionHook')]).train()
"""


@pytest.fixture
def start(tmp_path):
    """Start the run of a launcher in a session of its own, and wait for its first iteration."""
    running = []

    def run(launcher, *words):
        (tmp_path / 'run.py').write_text(textwrap.dedent(RUN))
        folders = f'{ROOT}:{ROOT}/tests:{ROOT}/tests/training/hooks'
        running.append(subprocess.Popen(
            [sys.executable, '-W', 'ignore', *words, str(tmp_path / 'run.py'), str(tmp_path), launcher], text=True,
            env=dict(os.environ, PYTHONPATH=folders, CUDA_VISIBLE_DEVICES='', OMP_NUM_THREADS='1'),
            start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE))
        assert any(line.startswith('iteration') for line in running[-1].stdout)
        return running[-1]
    yield run
    for process in running:
        process.kill()


def test_a_signal_to_all_processes_of_a_run(start, tmp_path):
    """Slurm sends SIGTERM to dataloader workers, too."""
    run = start('none')
    os.killpg(run.pid, signal.SIGTERM)
    _, error = run.communicate(timeout=60)
    assert run.returncode == 128 + signal.SIGTERM, error
    assert (tmp_path / 'last_checkpoint').is_file()


@pytest.mark.slow
def test_all_processes_end_together(start, tmp_path):
    """torchrun passes SIGTERM on to its processes, which may get it in different iterations."""
    run = start('pytorch', '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2')
    os.kill(run.pid, signal.SIGTERM)
    out, error = run.communicate(timeout=60)
    assert out.count('SIGTERM: iter_') == 1, error  # of the first process
    assert 'RuntimeError' not in error  # of processes that wait for others
    saved, = tmp_path.glob('iter_*.pth')
    assert (tmp_path / 'last_checkpoint').read_text() == str(saved)
