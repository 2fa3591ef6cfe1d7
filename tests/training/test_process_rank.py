"""Rank and address of processes from the variables of torchrun, Slurm and MPI."""

from __future__ import annotations

import pytest

from hrnet_plugin.training import process_rank
from hrnet_plugin.training.process_rank import read_rank

TORCHRUN = dict(RANK='3', WORLD_SIZE='4', LOCAL_RANK='1', LOCAL_WORLD_SIZE='2', MASTER_ADDR='a', MASTER_PORT='1234')
SLURM = dict(SLURM_PROCID='3', SLURM_NTASKS='8', SLURM_STEP_NUM_TASKS='4', SLURM_LOCALID='1', SLURM_JOB_ID='77',
             SLURM_STEP_ID='0', SLURM_JOB_NODELIST='gpu3,gpu4')
OPEN_MPI = dict(OMPI_COMM_WORLD_RANK='3', OMPI_COMM_WORLD_SIZE='4', OMPI_COMM_WORLD_LOCAL_RANK='3',
                OMPI_COMM_WORLD_LOCAL_SIZE='4')
MPICH = dict(PMI_RANK='3', PMI_SIZE='4', MPI_LOCALRANKID='1', MPI_LOCALNRANKS='2', MASTER_ADDR='a')


@pytest.fixture(autouse=True)
def known_hosts(monkeypatch):
    """Give the names of nodes an address, except 'unknown'."""
    def look_up(host, port):
        if host == 'unknown':
            raise OSError
    monkeypatch.setattr(process_rank.socket, 'getaddrinfo', look_up)


@pytest.mark.parametrize(('launcher', 'variables', 'local_rank', 'address', 'port'), [
    ('pytorch', TORCHRUN, 1, 'a', 1234), ('slurm', SLURM, 1, 'gpu3', None), ('mpi', OPEN_MPI, 3, '127.0.0.1', 29500),
    ('slurm', dict(SLURM, MASTER_ADDR='b', MASTER_PORT='5'), 1, 'b', 5), ('mpi', MPICH, 1, 'a', 29500),
    ('slurm', dict(SLURM, SLURM_STEP_NODELIST='gpu4'), 1, 'gpu4', None)])
def test_variables_of_launchers(launcher, variables, local_rank, address, port):
    found = read_rank(launcher, variables)
    assert (found.rank, found.world_size, found.local_rank, found.address) == (3, 4, local_rank, address)
    assert found.port == port or (port is None and 20000 <= found.port < 30000)


def test_jobs_and_steps_of_slurm_have_their_own_ports():
    ports = {read_rank('slurm', dict(SLURM, SLURM_JOB_ID=str(job), SLURM_STEP_ID=str(step))).port
             for job in range(100, 120) for step in range(10)}
    assert len(ports) == 200


@pytest.mark.parametrize(('launcher', 'missing', 'words'), [
    ('pytorch', 'RANK', 'torchrun --nproc-per-node 2'), ('slurm', 'SLURM_PROCID', 'srun --ntasks 2'),
    ('mpi', 'OMPI_COMM_WORLD_RANK or PMI_RANK', 'mpirun -n 2')])
def test_processes_that_the_launcher_did_not_start(launcher, missing, words):
    with pytest.raises(ValueError, match=f'--launcher {launcher} requires the variables.*{missing}.*{words}'):
        read_rank(launcher, {})


def test_a_batch_script_of_slurm_without_srun():
    """It has the variables of the first task, and the number of tasks that srun would start."""
    batch = {key: value for key, value in SLURM.items() if not key.startswith('SLURM_STEP')}
    with pytest.raises(ValueError, match=r'got no SLURM_STEP_NUM_TASKS\. Start the processes with it: srun'):
        read_rank('slurm', dict(batch, SLURM_PROCID='0'))


def test_mpi_on_several_nodes_requires_an_address():
    with pytest.raises(ValueError, match='MASTER_ADDR must be the host of the first process for --launcher mpi'):
        read_rank('mpi', dict(OPEN_MPI, OMPI_COMM_WORLD_LOCAL_SIZE='2'))


def test_wrong_values_are_named():
    with pytest.raises(ValueError, match="WORLD_SIZE must be an integer, got 'two'"):
        read_rank('pytorch', dict(TORCHRUN, WORLD_SIZE='two'))


def test_short_node_lists_of_slurm(monkeypatch, tmp_path):
    nodes = dict(SLURM, SLURM_JOB_NODELIST='gpu[03-05]')
    monkeypatch.setenv('PATH', str(tmp_path))
    with pytest.raises(ValueError, match=r"scontrol does not know the nodes 'gpu\[03-05\]'"):
        read_rank('slurm', nodes)
    monkeypatch.setattr(process_rank.subprocess, 'run', lambda command, **_: process_rank.subprocess.CompletedProcess(
        command, 0, 'gpu03\ngpu04\ngpu05\n'))
    assert read_rank('slurm', nodes).address == 'gpu03'


def test_nodes_without_a_host_name(monkeypatch):
    monkeypatch.setattr(process_rank.subprocess, 'run', lambda command, **_: process_rank.subprocess.CompletedProcess(
        command, 0, 'NodeName=unknown Arch=x86_64\n   NodeAddr=10.0.0.7 NodeHostName=rack7 Port=6818\n'))
    assert read_rank('slurm', dict(SLURM, SLURM_JOB_NODELIST='unknown')).address == '10.0.0.7'
