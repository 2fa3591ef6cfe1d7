"""PreemptionHook: runs that a scheduler ends continue where they were, with the losses of uninterrupted runs."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
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
from hrnet_plugin.training.work_dir import newest_checkpoint

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


class Noise(Numbers):
    """Dataset with random numbers."""

    def __getitem__(self, index):
        return dict(inputs=torch.rand(2) + np.random.rand() + random.random() + super().__getitem__(index)['inputs'])


class NoisyModel(Model):
    """Model that draws random numbers."""

    def forward(self, inputs, mode='loss'):
        return super().forward([one * torch.rand(2) for one in inputs], mode)


class Score(BaseMetric):

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(score=0.)


class Losses(Hook):
    """Hook that records losses and evaluations, and sends a signal after an iteration or in an evaluation."""

    def __init__(self, number=None, after=None, in_evaluation=None):
        self.values, self.number, self.after, self.in_evaluation = {}, number, after, in_evaluation
        self.evaluated = []

    def after_val_epoch(self, runner, metrics=None):
        self.evaluated.append(runner.iter)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.values[runner.iter] = outputs['loss'].item(), batch_idx
        if runner.iter == self.after:
            os.kill(os.getpid(), self.number)

    def before_val_iter(self, runner, batch_idx, data_batch=None):
        if runner.epoch == self.in_evaluation:
            os.kill(os.getpid(), self.number)


def train(work_dir, resume=None, loop=None, length=8, count=1, workers=0, sampler='DefaultSampler', noise=False,
          hooks=(), recorder=None, regular=None, **signals):
    """Train for 3 epochs of 4 batches. Return the losses, the exit code, and the numbers that were loaded."""
    torch.manual_seed(0)
    recorder = recorder or Losses(**signals)
    Numbers.loaded.clear()
    loader = dict(batch_size=2, num_workers=workers, persistent_workers=workers > 0)
    model, dataset = (NoisyModel(), Noise(length)) if noise else (Model(), Numbers(length))
    runner = HRNetRunner(
        model, str(work_dir), log_level='ERROR', experiment_name=f'{work_dir.parent.name}-{time.time()}',
        train_cfg=loop or dict(type='hrnet_plugin.ResumableEpochLoop', max_epochs=3),
        train_dataloader=dict(loader, dataset=dataset, sampler=dict(type=sampler, shuffle=True)),
        val_dataloader=dict(batch_size=2, dataset=Validation(), sampler=dict(type='DefaultSampler', shuffle=False)),
        val_cfg=dict(), val_evaluator=Evaluator(Score()), randomness=dict(seed=0),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1e-3, momentum=.9), accumulative_counts=count),
        param_scheduler=[dict(type='LinearLR', start_factor=.1, begin=0, end=8, by_epoch=False)],
        default_hooks=dict(checkpoint=dict(type='hrnet_plugin.AtomicCheckpointHook', **(regular or dict(interval=1))),
                           **(dict(random_state=dict(type='hrnet_plugin.RandomStateHook')) if noise else {})),
        custom_hooks=[recorder, *hooks, dict(type='hrnet_plugin.PreemptionHook')],
        load_from=resume and str(resume), resume=resume is not None)
    code = 0
    try:
        runner.train()
    except SystemExit as error:
        code = error.code
    return recorder.values, code, [*Numbers.loaded]


@pytest.fixture(autouse=True)
def _handlers_restored():
    """A run that a signal ends keeps its handlers until its process exits."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGUSR1)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


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


def test_accumulated_gradients_are_not_lost_after_an_evaluation(tmp_path):
    whole, _, _ = train(tmp_path / 'whole', count=3)
    first, code, _ = train(tmp_path / 'parts', number=signal.SIGTERM, in_evaluation=1, count=3)
    assert (max(first), code) == (5, 128 + signal.SIGTERM)  # the evaluation is within a step
    second, _, _ = train(tmp_path / 'parts', resume=tmp_path / 'parts' / 'iter_6.pth', count=3)
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


def test_random_numbers_continue_within_an_epoch(tmp_path):
    whole, _, _ = train(tmp_path / 'whole', noise=True)
    for after in (5, 7):  # within the epoch, and in its last iteration
        folder = tmp_path / f'parts_{after}'
        first, _, _ = train(folder, noise=True, number=signal.SIGTERM, after=after)
        second, _, _ = train(folder, noise=True, resume=folder / f'iter_{after + 1}.pth')
        assert {**first, **second} == whole


@pytest.mark.parametrize(('after', 'saved'), [(4, 5), (2, 3), (9, 10)])
def test_evaluations_of_runs_by_iterations_are_not_lost(tmp_path, after, saved):
    """A resumed run begins with the next iteration, so the run ends after an evaluation that is due."""
    loop = dict(loop=dict(type='IterBasedTrainLoop', max_iters=10, val_interval=5), sampler='InfiniteSampler')
    first = Losses(signal.SIGTERM, after)
    _, code, _ = train(tmp_path, recorder=first, **loop)
    assert code == (0 if after == 9 else 128 + signal.SIGTERM)
    second = Losses()
    train(tmp_path, recorder=second, resume=tmp_path / f'iter_{saved}.pth', **loop)
    assert first.evaluated + second.evaluated == [5, 10]
    assert sorted([*first.values, *second.values]) == list(range(10))


def test_a_run_that_is_complete_ends_as_usual(tmp_path):
    _, code, _ = train(tmp_path / 'last', number=signal.SIGTERM, in_evaluation=3)
    assert code == 0
    stop = dict(type='EarlyStoppingHook', monitor='score', rule='greater', patience=1)  # the score does not change
    values, code, _ = train(tmp_path / 'early', hooks=[stop], number=signal.SIGTERM, in_evaluation=2)
    assert (max(values), code) == (7, 0)


def test_averaged_weights_are_saved(tmp_path):
    """The hook of averages exchanges the weights in evaluations and in checkpoints."""
    average = dict(type='EMAHook', momentum=.5)
    for name, signals in (('iteration', dict(after=5)), ('evaluation', dict(in_evaluation=2))):
        whole, _, _ = train(tmp_path / f'whole_{name}', hooks=[average])
        first, _, _ = train(tmp_path / name, hooks=[average], number=signal.SIGTERM, **signals)
        second, _, _ = train(tmp_path / name, hooks=[average], resume=tmp_path / name / f'iter_{max(first) + 1}.pth')
        assert {**first, **second} == whole
        saved = [torch.load(tmp_path / folder / 'epoch_3.pth')['state_dict'] for folder in (f'whole_{name}', name)]
        assert all(torch.equal(saved[0][key], saved[1][key]) for key in saved[0])


def checkpoints(work_dir):
    return sorted(path.name for path in work_dir.glob('*.pth'))


class Files(Hook):
    """Hook that lists the checkpoints at the end of epochs, and can raise an error there."""

    def __init__(self, folder, priority, error=False):
        self.folder, self.priority, self.error, self.found = folder, priority, error, []

    def after_train_epoch(self, runner):
        self.found.append(checkpoints(self.folder))
        if self.error:
            raise RuntimeError('killed')


def test_outdated_checkpoints_are_removed_after_the_next_regular_one(tmp_path):
    train(tmp_path, number=signal.SIGTERM, after=4)
    train(tmp_path, number=signal.SIGTERM, after=5, resume=tmp_path / 'iter_5.pth')
    (tmp_path / 'iter_7.pth').write_bytes(b'of a user')
    before, after = Files(tmp_path, 'NORMAL'), Files(tmp_path, 'VERY_LOW')
    train(tmp_path, resume=tmp_path / 'iter_6.pth', hooks=[before, after])
    assert before.found[0] == ['epoch_1.pth', 'iter_5.pth', 'iter_6.pth', 'iter_7.pth']
    assert after.found[0] == ['epoch_1.pth', 'epoch_2.pth', 'iter_5.pth', 'iter_6.pth', 'iter_7.pth']
    assert after.found[1] == checkpoints(tmp_path) == ['epoch_1.pth', 'epoch_2.pth', 'epoch_3.pth', 'iter_7.pth']


def test_a_kill_before_the_removal_leaves_both_checkpoints(tmp_path):
    train(tmp_path, number=signal.SIGTERM, after=5)
    with pytest.raises(RuntimeError, match='killed'):
        train(tmp_path, resume=tmp_path / 'iter_6.pth', hooks=[Files(tmp_path, 'VERY_LOW', error=True)])
    assert checkpoints(tmp_path) == ['epoch_1.pth', 'epoch_2.pth', 'iter_6.pth']
    assert newest_checkpoint(tmp_path, []) == str(tmp_path / 'epoch_2.pth')
    train(tmp_path, resume=tmp_path / 'epoch_2.pth')
    assert checkpoints(tmp_path) == ['epoch_1.pth', 'epoch_2.pth', 'epoch_3.pth']


@pytest.mark.parametrize(('after', 'regular', 'expected'), [
    (4, {}, ['iter_10.pth', 'iter_5.pth']),  # of the checkpoint hook, though the run was ended at this iteration, too
    (6, {}, ['iter_10.pth', 'iter_5.pth']),
    (6, dict(save_optimizer=False), ['iter_10.pth', 'iter_5.pth', 'iter_7.pth'])])
def test_checkpoints_that_are_needed_remain(tmp_path, after, regular, expected):
    loop = dict(loop=dict(type='IterBasedTrainLoop', max_iters=10, val_interval=100), sampler='InfiniteSampler',
                regular=dict(interval=5, by_epoch=False, **regular))
    train(tmp_path, number=signal.SIGTERM, after=after, **loop)
    train(tmp_path, resume=newest_checkpoint(tmp_path, []), **loop)
    assert checkpoints(tmp_path) == expected


def test_threads_cannot_handle_signals(tmp_path):
    with ThreadPoolExecutor(1) as pool:
        values, code, _ = pool.submit(train, tmp_path).result()
    assert (len(values), code) == (12, 0)


def test_handlers_are_restored(tmp_path, monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    train(tmp_path / 'one')
    assert signal.getsignal(signal.SIGTERM) is before
    # handlers that Python has not installed, e.g. those of faulthandler, are None
    original = signal.signal
    monkeypatch.setattr(signal, 'signal', lambda number, handler: original(number, handler) and None)
    assert train(tmp_path / 'two')[1] == 0


def test_signals_after_the_checkpoint_do_not_change_the_exit_code(tmp_path):
    """Launchers send SIGTERM to the other processes when one has ended."""
    _, code, _ = train(tmp_path, number=signal.SIGUSR1, after=2)
    os.kill(os.getpid(), signal.SIGTERM)
    assert code == 128 + signal.SIGUSR1


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


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_to_all_processes_of_a_run(start, tmp_path, number):
    """Slurm sends signals to dataloader workers, too."""
    run = start('none')
    os.killpg(run.pid, number)
    _, error = run.communicate(timeout=60)
    assert run.returncode == 128 + number, error
    assert (tmp_path / 'last_checkpoint').is_file()


@pytest.mark.slow
def test_all_processes_end_together(start, tmp_path):
    """torchrun passes SIGTERM on to its processes, which may get it in different iterations."""
    run = start('pytorch', '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2',
                '--max-restarts', '3')
    os.kill(run.pid, signal.SIGTERM)
    out, error = run.communicate(timeout=60)
    assert run.returncode == 1
    assert out.count('iteration 0') <= 1  # of the second process: torchrun does not start them again
    assert out.count('SIGTERM: iter_') == 1, error  # of the first process
    assert 'RuntimeError' not in error  # of processes that wait for others
    saved, = tmp_path.glob('iter_*.pth')
    assert (tmp_path / 'last_checkpoint').read_text() == str(saved)
