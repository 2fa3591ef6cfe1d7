"""Process groups of torchrun, Slurm's and MPI's variables, with restarted processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor

import pytest
from paths import ROOT

from hrnet_plugin.training.process_group import process_group

# the second process is killed at the first start, while the first one computes for SLEEP seconds
SCRIPT = """
    import os, signal, sys, time
    import torch, torch.distributed as dist
    from hrnet_plugin.training.process_group import process_group

    with process_group(sys.argv[1], dict(timeout=60)):
        rank, first = dist.get_rank(), sys.argv[2:] and not os.path.exists(sys.argv[2])
        total = torch.tensor([rank + 1.])
        dist.all_reduce(total)
        if first:
            if rank == 1:
                open(sys.argv[2], 'w').close()
                os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(float(sys.argv[3]))
        dist.barrier()
        line = f'rank {rank} of {dist.get_world_size()}, {dist.get_backend()}, total {total.item():g}\\n'
        os.write(1, line.encode())  # at once: the processes share one pipe
"""
EXPECTED = {'rank 0 of 2, gloo, total 3', 'rank 1 of 2, gloo, total 3'}


@pytest.fixture
def script(tmp_path):
    path = tmp_path / 'script.py'
    path.write_text(textwrap.dedent(SCRIPT))
    return path


def environment(**variables):
    kept = {key: value for key, value in os.environ.items() if not key.startswith(('SLURM', 'OMPI', 'MASTER'))}
    return dict(kept, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='', **variables)


def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


def enter(launcher, options):
    with process_group(launcher, options):
        pytest.fail('the group has started')


def outputs(commands):
    """Run commands at the same time, each with its variables. Return the lines that begin with 'rank'."""
    def execute(command):
        words, variables = command
        return subprocess.run([sys.executable, *map(str, words)], env=environment(**variables), capture_output=True,
                              text=True, timeout=300)

    with ThreadPoolExecutor(len(commands)) as pool:
        results = list(pool.map(execute, commands))
    assert all(result.returncode == 0 for result in results), '\n'.join(result.stderr for result in results)
    return [line for result in results for line in result.stdout.splitlines() if line.startswith('rank')]


@pytest.mark.parametrize(('launcher', 'names', 'more'), [
    ('slurm', ('SLURM_PROCID', 'SLURM_STEP_NUM_TASKS', 'SLURM_LOCALID'), dict(SLURM_JOB_NODELIST='127.0.0.1')),
    ('mpi', ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK'),
     dict(OMPI_COMM_WORLD_LOCAL_SIZE='2'))])
def test_processes_of_slurm_and_mpi_without_gpus(script, launcher, names, more):
    port = str(free_port())
    variables = [dict(zip(names, (str(rank), '2', str(rank))), MASTER_PORT=port, **more) for rank in (0, 1)]
    assert set(outputs([((script, launcher), one) for one in variables])) == EXPECTED


@pytest.mark.slow
@pytest.mark.parametrize('rendezvous', [['--master-port'], ['--rdzv-backend=c10d', '--rdzv-endpoint']])
def test_a_killed_process_is_started_again(script, tmp_path, rendezvous):
    port = free_port()
    words = [rendezvous[0], port] if len(rendezvous) == 1 else [rendezvous[0], f'{rendezvous[1]}=127.0.0.1:{port}']
    command = ['-m', 'torch.distributed.run', *words, '--nproc-per-node', 2, '--max-restarts', 1, script, 'pytorch',
               tmp_path / 'killed', 0]
    assert set(outputs([(command, {})])) == EXPECTED
    assert (tmp_path / 'killed').is_file()


@pytest.mark.slow
def test_a_killed_process_on_another_node(script, tmp_path):
    """The numbers of restarts then differ: the node of the living process counts no failure."""
    command = ['-m', 'torch.distributed.run', '--nnodes', 2, '--nproc-per-node', 1, '--max-restarts', 1,
               '--rdzv-backend=c10d', f'--rdzv-endpoint=127.0.0.1:{free_port()}', '--rdzv-id=job', script, 'pytorch',
               tmp_path / 'killed', 20]
    assert set(outputs([(command, {})] * 2)) == EXPECTED


def test_an_unreachable_first_process_is_named(monkeypatch):
    for name, value in dict(RANK='1', WORLD_SIZE='2', LOCAL_RANK='1', MASTER_ADDR='127.0.0.1',
                            MASTER_PORT=str(free_port())).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    with pytest.raises(ConnectionError, match=r'all 2 processes must reach the first one at 127\.0\.0\.1, port'):
        enter('pytorch', dict(timeout=1))


def test_a_port_in_use_is_named(monkeypatch):
    with socket.socket() as listener:
        listener.bind(('', 0))
        listener.listen()
        for name, value in dict(RANK='0', WORLD_SIZE='1', LOCAL_RANK='0', MASTER_ADDR='127.0.0.1',
                                MASTER_PORT=str(listener.getsockname()[1])).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr('torch.cuda.is_available', lambda: False)
        with pytest.raises(ConnectionError, match='Set MASTER_ADDR and MASTER_PORT to its host and a free port'):
            enter('pytorch', {})


def test_torchrun_has_opened_a_port(monkeypatch):
    """The port of the config is for other launchers."""
    for name, value in dict(RANK='1', WORLD_SIZE='2', LOCAL_RANK='1', MASTER_ADDR='127.0.0.1',
                            MASTER_PORT=str(port := free_port())).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    with pytest.raises(ConnectionError, match=f'port {port}'):
        enter('pytorch', dict(timeout=1, port=free_port()))


def test_timeouts_are_seconds():
    with pytest.raises(TypeError, match=r"env_cfg\.dist_cfg\.timeout must be a number of seconds, got '1h'"):
        enter('pytorch', dict(timeout='1h'))
