"""Rank of this process and address of the first one, from the variables of launchers."""

from __future__ import annotations

import re
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import filterfalse

# names of rank, number of processes and rank on the node; of the number on the node, or ''
_Names = tuple[str, str, str, str]
_VARIABLES: Mapping[str, tuple[_Names, ...]] = {
    'pytorch': (('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'LOCAL_WORLD_SIZE'), ),
    # not SLURM_NTASKS, which a batch script without srun has, too: the other processes would never come
    'slurm': (('SLURM_PROCID', 'SLURM_STEP_NUM_TASKS', 'SLURM_LOCALID', ''), ),
    'mpi': (('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK',
             'OMPI_COMM_WORLD_LOCAL_SIZE'),  # Open MPI
            ('PMI_RANK', 'PMI_SIZE', 'MPI_LOCALRANKID', 'MPI_LOCALNRANKS')),  # MPICH and Intel MPI
}
_STARTS = {'pytorch': 'torchrun --nproc-per-node 2 -m hrnet_plugin train CONFIG --launcher pytorch',
           'slurm': 'srun --ntasks 2 hrnet train CONFIG --launcher slurm',
           'mpi': 'mpirun -n 2 hrnet train CONFIG --launcher mpi'}
_PORT = 29500  # default of torch
_PORTS = range(20000, 30000)  # below the ports that Linux gives to outgoing connections


@dataclass(frozen=True, kw_only=True)
class ProcessRank:
    """Rank of this process.

    Attributes:
        rank: Number of the process, from 0.
        world_size: Number of processes.
        local_rank: Number of the process on its node, from 0.
        address: Host of the first process.
        port: Port on that host.
    """

    rank: int
    world_size: int
    local_rank: int
    address: str
    port: int


def read_rank(launcher: str, variables: Mapping[str, str]) -> ProcessRank:
    """Read the rank of this process from the variables that a launcher sets.

    ``MASTER_ADDR`` and ``MASTER_PORT`` determine the address of the first process. Without them, Slurm runs use the
    first node and a port of their own. If its name has no address, it is the one in the configuration of Slurm. MPI
    runs on one node use this node.

    Args:
        launcher: 'pytorch', 'slurm' or 'mpi'.
        variables: Environment variables.

    Raises:
        ValueError: If the variables of the launcher are missing, or if the address is unknown.
    """
    names = next((names for names in _VARIABLES[launcher] if all(map(variables.get, names[:3]))), None)
    if names is None:
        missing = ' or '.join(next(filterfalse(variables.get, names[:3])) for names in _VARIABLES[launcher])
        raise ValueError(f'--launcher {launcher} requires the variables of the launcher, got no {missing}. Start the '
                         f'processes with it: {_STARTS[launcher]}')
    rank, world_size, local_rank = (_integer(name, variables[name]) for name in names[:3])
    local_size = variables.get(names[3], '')
    address = variables.get('MASTER_ADDR') or _address(launcher, variables, is_one_node=local_size == str(world_size))
    port = variables.get('MASTER_PORT')
    return ProcessRank(rank=rank, world_size=world_size, local_rank=local_rank, address=address,
                       port=_integer('MASTER_PORT', port) if port else _port(variables))


def _address(launcher: str, variables: Mapping[str, str], is_one_node: bool) -> str:
    nodes = variables.get('SLURM_STEP_NODELIST') or variables.get('SLURM_JOB_NODELIST')
    if launcher == 'slurm' and nodes:
        return _first_node(nodes)
    if launcher == 'mpi' and is_one_node:
        return '127.0.0.1'
    raise ValueError(f'MASTER_ADDR must be the host of the first process for --launcher {launcher}, got none. Set it '
                     'in the environment of all processes')


def _first_node(nodes: str) -> str:
    """Return the host of the first name in Slurm's short form of node names, e.g. 'gpu[03-05]'."""
    name = _scontrol('hostnames', nodes, r'\S+') if '[' in nodes else nodes.split(',')[0]
    try:
        socket.getaddrinfo(name, None)
    except OSError:  # names of nodes need not be names of hosts
        return _scontrol('node', name, r'(?<=\bNodeAddr=)\S+')
    return name


def _scontrol(kind: str, nodes: str, pattern: str) -> str:
    """Return what a pattern matches first in the information of Slurm about nodes."""
    try:
        text = subprocess.run(['scontrol', 'show', kind, nodes], capture_output=True, text=True, check=True).stdout
        return re.findall(pattern, text)[0]
    except (OSError, subprocess.CalledProcessError, IndexError) as error:
        raise ValueError(f'MASTER_ADDR must be the host of the first process, got none, and scontrol does not know the '
                         f'nodes {nodes!r}: {error}. Set it in the environment of all processes') from None


def _port(variables: Mapping[str, str]) -> int:
    """Return a port that differs between the jobs and job steps of Slurm."""
    job = variables.get('SLURM_JOB_ID', '')
    if not job.isdecimal():
        return _PORT
    step = variables.get('SLURM_STEP_ID', '')
    return _PORTS[(17 * int(job) + (int(step) if step.isdecimal() else 0)) % len(_PORTS)]


def _integer(name: str, value: str) -> int:
    try:
        return int(value)
    except ValueError:
        raise ValueError(f'{name} must be an integer, got {value!r}') from None
