"""Slurm cluster with two nodes on this machine, in a temporary folder, beside any other cluster."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import IO

PROGRAMS = ('munged', 'slurmctld', 'slurmd', 'sbatch', 'srun', 'scontrol')
_PATH = f'{os.environ.get("PATH", os.defpath)}:/usr/local/sbin:/usr/sbin'  # daemons are not on the path of all users
_CONF = """\
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ReturnToService=2
KillWait={kill_wait}
MinJobAge=3600
PropagateResourceLimits=NONE
NodeName=node1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2
NodeName=node2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2
PartitionName=test Nodes=node1,node2 Default=YES MaxTime=INFINITE State=UP
"""


def missing_requirement() -> str:
    """Return the reason why no cluster can be started here, or an empty string."""
    if not hasattr(os, 'geteuid') or os.geteuid() != 0:
        return 'a Slurm cluster requires root'
    missing = [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]
    return f'{", ".join(missing)} missing: apt-get install slurm-wlm munge' if missing else ''


@dataclass(frozen=True)
class Job:
    """State of a job.

    Attributes:
        state: Slurm's word for it, e.g. 'RUNNING'.
        restarts: Number of requeues.
        exit_code: Exit code of the batch script.
        nodes: Slurm's short form of the node names.
    """

    state: str
    restarts: int
    exit_code: int
    nodes: str


@dataclass(frozen=True)
class Cluster:
    """Running cluster.

    Attributes:
        folder: Folder with its files and logs.
        environment: Environment variables for Slurm's commands.
    """

    folder: Path
    environment: dict[str, str]

    def run(self, *words: str | Path, **variables: str) -> str:
        """Run a command of Slurm, and return its output."""
        done = subprocess.run([str(word) for word in words], env={**self.environment, **variables}, cwd=self.folder,
                              capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise RuntimeError(f'{" ".join(map(str, words))}: {done.stderr}')
        return done.stdout

    def submit(self, *words: str | Path, **variables: str) -> int:
        """Submit a batch script by ``sbatch`` with options and arguments, and return the number of the job."""
        return int(self.run('sbatch', '--parsable', *words, **variables))

    def job(self, number: int) -> Job:
        """Return the state of a job."""
        words = dict(word.split('=', 1) for word in self.run('scontrol', 'show', 'job', str(number)).split()
                     if '=' in word)
        return Job(words['JobState'], int(words['Restarts']), int(words['ExitCode'].split(':')[0]),
                   words['NodeList'])

    def wait(self, number: int, condition: Callable[[Job], bool], seconds: float = 240) -> Job:
        """Wait for a state of a job, and return it."""
        return poll(lambda: self.job(number), condition, seconds, self.logs)

    def logs(self) -> str:
        """Return the last lines of all daemons."""
        return '\n'.join(f'{log.name}:\n{log.read_text(errors="replace")[-1500:]}' for log in self.folder.glob('*.log'))


def poll(read, condition, seconds: float, describe: Callable[[], str] = str):
    """Read a value until a condition holds, and return it."""
    end = time.monotonic() + seconds
    while not condition(value := read()):
        if time.monotonic() > end:
            raise TimeoutError(f'{value} after {seconds} seconds. {describe()}')
        time.sleep(.2)
    return value


@contextmanager
def slurm_cluster(kill_wait: int = 30) -> Iterator[Cluster]:
    """Start a cluster, and stop and remove it at the end.

    Args:
        kill_wait: Seconds between SIGTERM and SIGKILL.
    """
    folder = Path(mkdtemp(prefix='slurm-', dir='/tmp'))  # socket names are at most 107 characters long
    kept = {key: value for key, value in os.environ.items() if not key.startswith(('SLURM', 'SBATCH', 'SRUN'))}
    cluster = Cluster(folder, dict(kept, PATH=_PATH, SLURM_CONF=str(folder / 'slurm.conf')))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        stack.callback(_kill_rest, folder)
        _write_files(folder, kill_wait)
        for name, command in _daemons(folder):
            stack.enter_context(_daemon(cluster, name, command))
        poll(lambda: _idle_nodes(cluster), lambda number: number == 2, 60, cluster.logs)
        stack.callback(_cancel_jobs, cluster)
        yield cluster


def _write_files(folder: Path, kill_wait: int) -> None:
    folder.chmod(0o755)  # munged refuses a private folder
    key = folder / 'munge.key'
    key.touch(0o600)
    key.write_bytes(secrets.token_bytes(1024))
    (folder / 'state').mkdir()
    (folder / 'slurm.conf').write_text(_CONF.format(folder=folder, ports=_free_ports(3), kill_wait=kill_wait))
    (folder / 'cgroup.conf').write_text('CgroupPlugin=cgroup/v1\n')


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(('127.0.0.1', 0))
        return [each.getsockname()[1] for each in sockets]


def _daemons(folder: Path) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield names and commands, each when the one before runs. All of them stay in the foreground."""
    files = dict(socket='munge.socket', key_file='munge.key', log_file='munged.log', pid_file='munged.pid',
                 seed_file='munged.seed')
    yield 'munged', ['munged', '--foreground', *(f'--{key.replace("_", "-")}={folder / name}'
                                                 for key, name in files.items())]
    poll((folder / 'munge.socket').exists, bool, 20, (folder / 'munged.out.log').read_text)
    yield 'slurmctld', ['slurmctld', '-D', '-i']
    for name in ('node1', 'node2'):
        yield name, ['slurmd', '-D', '-N', name]


@contextmanager
def _daemon(cluster: Cluster, name: str, command: Sequence[str]) -> Iterator[None]:
    out: IO[bytes]
    with (cluster.folder / f'{name}.out.log').open('wb') as out:
        process = subprocess.Popen(command, env=cluster.environment, cwd=cluster.folder, stdout=out, stderr=out,
                                   start_new_session=True)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _idle_nodes(cluster: Cluster) -> int:
    done = subprocess.run(['sinfo', '-h', '-N', '-o', '%T'], env=cluster.environment, capture_output=True, text=True)
    return done.stdout.split().count('idle')


def _cancel_jobs(cluster: Cluster) -> None:
    with suppress(RuntimeError, TimeoutError, subprocess.TimeoutExpired):
        cluster.run('scancel', '--signal=KILL', '--user=root', '--full')
        cluster.run('scancel', '--user=root')
        poll(lambda: cluster.run('squeue', '-h'), lambda text: not text, 20)


def _kill_rest(folder: Path) -> None:
    """Kill the processes that remain, such as those of jobs. Slurm sets the variable in all of them."""
    mark = f'SLURM_CONF={folder}/slurm.conf'.encode()
    for path in Path('/proc').glob('[0-9]*/environ'):
        with suppress(OSError):
            if mark in path.read_bytes().split(b'\0') and int(path.parent.name) != os.getpid():
                os.kill(int(path.parent.name), signal.SIGKILL)
