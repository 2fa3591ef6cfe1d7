"""Training in two tasks of a real Slurm cluster, with a killed task, signals and requeues."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from contextlib import ExitStack

import pytest
from paths import ROOT
from slurm_cluster import missing_requirement, poll, slurm_cluster

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(missing_requirement()), reason=missing_requirement())]

# a task waits for the test in an iteration, or kills itself, once
EVENTS = """
    import os, signal, time
    from pathlib import Path
    from mmengine.hooks import Hook
    from mmengine.registry import HOOKS

    @HOOKS.register_module()
    class Events(Hook):
        priority = 'VERY_HIGH'

        def __init__(self, folder, kill, waits):
            self.folder, self.kill, self.waits = Path(folder), kill, waits

        def is_first(self, name):
            try:
                (self.folder / name).touch(exist_ok=False)
            except FileExistsError:
                return False
            return True

        def before_train_iter(self, runner, batch_idx, data_batch=None):
            if runner.iter == self.kill and runner.rank == runner.world_size - 1 and self.is_first('killed'):
                os.kill(os.getpid(), signal.SIGKILL)
            if runner.iter in self.waits and runner.rank == 0 and self.is_first(f'reached_{runner.iter}'):
                while not (self.folder / f'continue_{runner.iter}').exists():
                    time.sleep(.1)
"""
ENDED = ('COMPLETED', 'FAILED', 'CANCELLED', 'TIMEOUT', 'NODE_FAIL')


@pytest.fixture(scope='module')
def cluster():
    with ExitStack() as stack:
        try:
            running = stack.enter_context(slurm_cluster())
        except (OSError, RuntimeError, subprocess.SubprocessError) as error:  # e.g. daemons that a sandbox forbids
            pytest.skip(f'Slurm does not start on this machine: {error}')
        yield running


@pytest.fixture(scope='module')
def script(tmp_path_factory):
    """Write the batch script of the documents, and a command hrnet of this working tree."""
    folder = tmp_path_factory.mktemp('slurm')
    page = (ROOT / 'docs' / 'how-to' / 'cluster.md').read_text(encoding='utf-8')
    shown, = re.findall(r'^```shell\n(#!/bin/bash\n#SBATCH.*?)^```', page, re.M | re.S)
    (folder / 'train.sbatch').write_text(shown)
    (folder / 'hrnet').write_text(f'#!/bin/sh\nexec {sys.executable} -W ignore -m hrnet_plugin "$@"\n')
    (folder / 'hrnet').chmod(0o755)
    (folder / 'events.py').write_text(textwrap.dedent(EVENTS))
    return folder / 'train.sbatch'


class Run:
    """Job that trains a config in a work directory of its own."""

    def __init__(self, cluster, script, config, folder, *, nodes=2, kill=-1, waits=(), commands=None):
        folder.mkdir()
        config = config.copy()
        config.custom_imports = dict(imports=['events'])
        config.custom_hooks = [dict(type='mmengine.Events', folder=str(folder), kill=kill, waits=list(waits))]
        config.dump(folder / 'config.py')
        self.cluster, self.folder = cluster, folder
        commands = commands or script.parent
        path = f'{commands}:{cluster.environment["PATH"]}'
        self.number = cluster.submit(
            f'--nodes={nodes}', '--ntasks-per-node=1', f'--output={folder}/output.log', script, folder / 'config.py',
            '--work-dir', folder / 'work', PATH=path, PYTHONPATH=f'{ROOT}:{commands}', OMP_NUM_THREADS='1',
            CUDA_VISIBLE_DEVICES='')

    def interrupt(self, iteration, *command):
        """Run a command of Slurm in an iteration, and wait until the job is started again."""
        restarts = self.cluster.job(self.number).restarts
        poll((self.folder / f'reached_{iteration}').exists, bool, 120, self.output)
        self.cluster.run(*command, str(self.number))
        (self.folder / f'continue_{iteration}').touch()
        self.cluster.wait(self.number, lambda job: job.restarts > restarts and job.state == 'RUNNING', 90)

    def finish(self):
        """Wait for the end of the job, and return it."""
        job = self.cluster.wait(self.number, lambda job: job.state in ENDED)
        assert job.state == 'COMPLETED', self.output()
        return job

    def output(self):
        return (self.folder / 'output.log').read_text(errors='replace')

    def records(self, key):
        """Return step and value of the records with a key, in the order in which they were written."""
        logs = sorted((self.folder / 'work').glob('*/vis_data/scalars.json'))
        found = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
        return [(record['step'], record[key]) for record in found if key in record]


@pytest.fixture
def config(sample_config):
    """Return a pose config for 3 epochs of 3 iterations, or of 2 with two tasks."""
    config = sample_config('mmpose')
    for split in ('train', 'val', 'test'):
        config[f'{split}_dataloader'].update(num_workers=0, persistent_workers=False, batch_size=4)
    config.train_cfg.update(max_epochs=3, val_interval=1)
    config.default_hooks.checkpoint.interval = 1
    config.default_hooks.logger.interval = 1
    config.default_hooks.random_state = dict(type='hrnet_plugin.RandomStateHook')
    config.randomness = dict(seed=0)
    return config


def test_a_killed_task_and_requeues(cluster, script, config, tmp_path):
    """The interrupted run trains each batch once and has the same evaluations, as the documents promise."""
    whole = Run(cluster, script, config, tmp_path / 'whole')
    parts = Run(cluster, script, config, tmp_path / 'parts', kill=2, waits=[3, 4])
    assert whole.finish().restarts == 0
    parts.interrupt(3, 'scancel', '--signal=USR1')
    parts.interrupt(4, 'scontrol', 'requeue')
    assert parts.finish().restarts == 3
    output = parts.output()
    assert (parts.folder / 'killed').is_file()
    assert '2 processes with backend gloo: 0 on ' in output
    assert re.findall(r'(\w+): (iter_\d)\.pth is written', output) == [('SIGUSR1', 'iter_4'), ('SIGTERM', 'iter_5')]
    assert re.findall(r'resuming from .*/(\w+)\.pth', output) == ['epoch_1', 'iter_4', 'iter_5']
    assert (parts.folder / 'work' / 'epoch_3.pth').is_file()
    assert not list((parts.folder / 'work').glob('iter_*.pth'))
    for key in ('coco/AP', 'loss'):
        assert [step for step, _ in parts.records(key)] == [step for step, _ in whole.records(key)]
    assert [step for step, _ in parts.records('coco/AP')] == [1, 2, 3]


def test_one_task_has_the_same_losses(cluster, script, config, tmp_path):
    whole = Run(cluster, script, config, tmp_path / 'whole', nodes=1)
    parts = Run(cluster, script, config, tmp_path / 'parts', nodes=1, waits=[4])
    parts.interrupt(4, 'scancel', '--signal=USR1')
    assert (whole.finish().restarts, parts.finish().restarts) == (0, 1)
    assert len(whole.records('loss')) == 9
    assert parts.records('loss') == whole.records('loss')
    assert parts.records('coco/AP') == whole.records('coco/AP')


def test_a_batch_script_without_srun_is_refused(cluster, script, config, tmp_path):
    """It has SLURM_PROCID and SLURM_NTASKS, and its process would wait for others that nobody starts."""
    other = tmp_path / 'without_srun.sbatch'
    other.write_text(script.read_text().replace('srun --kill-on-bad-exit=1 ', ''))
    job = Run(cluster, other, config, tmp_path / 'run', commands=script.parent)
    assert cluster.wait(job.number, lambda job: job.state in ENDED).exit_code == 2
    assert 'got no SLURM_STEP_NUM_TASKS. Start the processes with it: srun --ntasks 2 hrnet train' in job.output()
