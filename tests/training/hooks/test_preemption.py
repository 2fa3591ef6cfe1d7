"""PreemptionHook: runs that a scheduler ends continue where they were, with the losses of uninterrupted runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from paths import ROOT
from preempted_run import Losses, restore_handlers, train

from hrnet_plugin.training.hooks import preemption

_handlers_restored = pytest.fixture(autouse=True)(restore_handlers)


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
    from mmengine.config import Config
    from mmengine.hooks import Hook
    from preempted_run import Numbers
    from hrnet_plugin.training.launch import processes
    from hrnet_plugin.training.runner import HRNetRunner

    class Slow(Hook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            print('iteration', runner.iter, flush=True)
            time.sleep(.5)

    work_dir, launcher = sys.argv[1:]
    with processes(Config(dict(launcher=launcher, env_cfg=dict(dist_cfg=dict(timeout=60))))):
        HRNetRunner(
            LinearModel(), work_dir, log_level='WARNING', launcher=launcher,
            train_cfg=dict(type='IterBasedTrainLoop', max_iters=200),
            train_dataloader=dict(batch_size=2, num_workers=2, dataset=Numbers(),
                                  sampler=dict(type='InfiniteSampler')),
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


def children(number):
    """Return the children of a process."""
    lines = subprocess.run(['ps', '-eo', 'pid=,ppid='], capture_output=True, text=True, check=True).stdout.splitlines()
    return [int(pid) for pid, parent in map(str.split, lines) if int(parent) == number]


@pytest.mark.slow
@pytest.mark.parametrize('receives', ['torchrun', 'all'])
def test_all_processes_end_together(start, tmp_path, receives):
    """torchrun passes SIGTERM on to its processes, which may get it in different iterations, or twice."""
    run = start('pytorch', '-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2',
                '--max-restarts', '3')
    processes = children(run.pid)
    assert len(processes) == 2
    for number in [run.pid, *processes] if receives == 'all' else [run.pid]:
        os.kill(number, signal.SIGTERM)
    out, error = run.communicate(timeout=60)
    assert run.returncode == 1
    assert out.count('iteration 0') <= 1  # of the second process: torchrun does not start them again
    assert out.count('SIGTERM: iter_') == 1, error  # of the first process
    assert 'RuntimeError' not in error  # of processes that wait for others
    saved, = tmp_path.glob('iter_*.pth')
    assert (tmp_path / 'last_checkpoint').read_text() == str(saved)
