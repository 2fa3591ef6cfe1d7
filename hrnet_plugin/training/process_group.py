"""Process groups of all launchers, with or without GPUs."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from mmengine.device import get_device

from hrnet_plugin.training.process_rank import ProcessRank, read_rank

_TIMEOUT = 1800.  # seconds; NCCL's default of 600 is shorter than evaluations of one process
_POLL = .05  # seconds


@contextmanager
def process_group(launcher: str, options: Mapping[str, Any]) -> Iterator[None]:
    """Start the process group of a distributed run for the block, unless there is one.

    Without an end of the group, threads of gloo that live when the interpreter exits may abort the process. After an
    error, the group stays open, because NCCL would wait for the other processes.

    The backend is that of the config on GPUs, and gloo without GPUs. Processes that torchrun restarts get a new group.
    mmengine starts the groups of other accelerators, and those of DeepSpeed and ColossalAI.

    Args:
        launcher: 'pytorch', 'slurm' or 'mpi'.
        options: Entry ``env_cfg.dist_cfg`` of the config.

    Raises:
        ConnectionError: If the first process cannot open the port, or the others do not reach it in time.
        TypeError: If ``timeout`` is not a number of seconds.
        ValueError: If the variables of the launcher are missing.
    """
    if dist.is_initialized() or not _supports_device(options):
        yield
        return
    _start(launcher, options)
    try:
        yield
    except SystemExit:  # all processes end together after a preemption, and the exit code must not change
        _end()
        raise
    _end()


def _supports_device(options: Mapping[str, Any]) -> bool:
    on_gpu = torch.cuda.is_available()
    return (on_gpu or get_device() == 'cpu') and options.get('init_backend', 'torch') == 'torch'


def _start(launcher: str, options: Mapping[str, Any]) -> None:
    on_gpu = torch.cuda.is_available()
    given = {key: value for key, value in options.items() if key not in ('init_backend', 'port')}
    backend = given.pop('backend', 'nccl') if on_gpu else 'gloo'
    timeout = _read_timeout(given.pop('timeout', _TIMEOUT))
    given.pop('backend', None)
    rank = read_rank(launcher, os.environ if launcher == 'pytorch' else _with_port(os.environ, options))
    if on_gpu:
        torch.cuda.set_device(rank.local_rank % torch.cuda.device_count())
    _export(rank)
    dist.init_process_group(backend, store=_open_store(rank, timeout), rank=rank.rank, world_size=rank.world_size,
                            timeout=timeout, **given)


def _end() -> None:
    if dist.is_initialized():  # the block may have ended it
        dist.destroy_process_group()


def _with_port(variables: Mapping[str, str], options: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the variables with the port of the config, which has priority. torchrun has opened its own."""
    return {**variables, 'MASTER_PORT': str(options['port'])} if options.get('port') is not None else variables


def _read_timeout(seconds: float) -> timedelta:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f'env_cfg.dist_cfg.timeout must be a number of seconds, got {seconds!r}')
    return timedelta(seconds=seconds)


def _export(rank: ProcessRank) -> None:
    """Set the variables of torchrun, which the hosts and libraries read."""
    # jobs may see one GPU per process only
    device = torch.cuda.current_device() if torch.cuda.is_available() else rank.local_rank
    os.environ.update(RANK=str(rank.rank), WORLD_SIZE=str(rank.world_size), LOCAL_RANK=str(device),
                      MASTER_ADDR=rank.address, MASTER_PORT=str(rank.port))


def _open_store(rank: ProcessRank, timeout: timedelta) -> dist.Store:
    """Open the store through which the processes of a group meet."""
    from_agent = os.environ.get('TORCHELASTIC_USE_AGENT_STORE') == str(True)
    try:
        store = dist.TCPStore(rank.address, rank.port, rank.world_size, rank.rank == 0 and not from_agent, timeout)
        return dist.PrefixStore(_agree_on_prefix(store, rank, timeout), store) if from_agent else store
    except RuntimeError as error:  # of the store, which has several types in versions of torch
        raise ConnectionError(f'all {rank.world_size} processes must reach the first one at {rank.address}, port '
                              f'{rank.port}, but process {rank.rank} does not: {error}. Set MASTER_ADDR and '
                              'MASTER_PORT to its host and a free port') from None


def _agree_on_prefix(store: dist.Store, rank: ProcessRank, timeout: timedelta) -> str:
    """Return a prefix for the keys of this start, the same in all processes.

    The store of torchrun survives restarts, and torch would wait for processes at the addresses of the previous start.
    The number of restarts is no prefix: it differs between nodes if only one of them has noticed the failure.
    Each process asks under a new key, which only the first process of the same start answers.
    """
    if rank.rank == 0:
        return _answer(store, rank.world_size, timeout)
    question = uuid.uuid4().hex
    store.set(f'hrnet_plugin/question/{rank.rank}', question)
    store.wait([f'hrnet_plugin/answer/{question}'], timeout)
    prefix = store.get(f'hrnet_plugin/answer/{question}').decode()
    store.set(f'{prefix}/{rank.rank}', 'ready')
    return prefix


def _answer(store: dist.Store, world_size: int, timeout: timedelta) -> str:
    """Give all processes the prefix of this start, until they are ready. Old questions are answered, too."""
    prefix, end = f'hrnet_plugin/{uuid.uuid4().hex}', time.monotonic() + timeout.total_seconds()
    waiting = set(range(1, world_size))
    while waiting:
        if time.monotonic() > end:
            raise RuntimeError(f'processes {sorted(waiting)} did not start within {timeout}')
        for other in sorted(waiting):
            if store.check([f'hrnet_plugin/question/{other}']):
                question = store.get(f'hrnet_plugin/question/{other}').decode()
                store.set(f'hrnet_plugin/answer/{question}', prefix)
        waiting = {other for other in waiting if not store.check([f'{prefix}/{other}'])}
        time.sleep(_POLL)
    return prefix
