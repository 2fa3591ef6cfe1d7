"""Fuzzing of the readers of files that may come from strangers.

    PYTHONPATH=. python scripts/fuzz.py [--inputs 1000] [--seed 0] [--readers NAME ...] [--out FOLDER]
    PYTHONPATH=. python scripts/fuzz.py --replay FOLDER/NAME-SEED.json

Each input must be read, or refused with one line by a documented type of error, within 5 seconds and 300 MB of
additional memory. Everything else is a finding. Its input is saved in the output folder, and the exit status is 1.
The inputs are the same for each run with the same seed. Linux only.
"""

from __future__ import annotations

import argparse
import json
import logging
import multiprocessing
import os
import resource
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from fuzz_targets import TARGETS, Target, prepare, write_data
from mmengine.logging import MMLogger

MOST_SECONDS, MOST_MEMORY, MOST_MESSAGE = 5., 300, 2000
_LIMIT = 8 << 30  # of address space, in addition to that of the libraries, so that a finding cannot stop the machine
_FORK = multiprocessing.get_context('fork')


@dataclass
class Outcome:
    """Outcome of one input.

    Attributes:
        seed: Seed of the input.
        kind: 'accepted', 'refused', or the kind of the finding: 'crash', 'hang', 'memory', 'error', 'message'.
        text: Error message or traceback.
        seconds: Time.
        megabytes: Peak of the additional memory.
    """
    seed: int
    kind: str
    text: str
    seconds: float
    megabytes: float

    @property
    def is_finding(self) -> bool:
        """True if the reader has failed."""
        return self.kind not in ('accepted', 'refused')


def _memory(key: str) -> float:
    line = next(line for line in Path('/proc/self/status').read_text().splitlines() if line.startswith(key))
    return int(line.split()[1]) / 1024


def run_input(target: Target, seed: int, data: bytes, folder: Path, scratch: Path) -> Outcome:
    """Read one input in this process."""
    file = scratch / f'input{target.suffix}'
    file.write_bytes(data)
    Path('/proc/self/clear_refs').write_text('5')  # resets the peak
    before, start = _memory('VmRSS'), time.perf_counter()
    kind, text = 'accepted', ''
    try:
        target.read(file, folder)
    except target.refusals as error:
        kind, text = 'refused', str(error)
        if len(text) > MOST_MESSAGE or not text:
            kind = 'message'
    except BaseException:  # of any type: a finding
        kind, text = 'error', traceback.format_exc()
    outcome = Outcome(seed, kind, text, time.perf_counter() - start, _memory('VmHWM') - before)
    if outcome.megabytes > MOST_MEMORY and not outcome.is_finding:
        outcome.kind = 'memory'
    return outcome


def _work(connection: Connection, folder: Path) -> None:
    """Read the inputs that the parent process names, one at a time."""
    size = int(_memory('VmSize') * (1 << 20))
    resource.setrlimit(resource.RLIMIT_AS, (size + _LIMIT, size + _LIMIT))
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ['HRNET_PLUGIN_CACHE'] = os.environ['TORCH_HOME'] = scratch
        while (task := connection.recv()) is not None:
            name, seed = task
            target = TARGETS[name]
            data = target.make_input(seed, folder)
            connection.send(None)  # the time of the reader starts
            connection.send(run_input(target, seed, data, folder, Path(scratch)))


class Worker:
    """Process that reads inputs, and is replaced after a hang or a crash.

    Args:
        folder: Folder of the valid data.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._start()

    def _start(self) -> None:
        self._connection, other = _FORK.Pipe()
        self._process = _FORK.Process(target=_work, args=(other, self.folder), daemon=True)
        self._process.start()
        other.close()

    def run(self, name: str, seed: int) -> Outcome:
        """Read the input of a seed."""
        self._connection.send((name, seed))
        self._connection.recv()
        kind = 'hang'
        if self._connection.poll(MOST_SECONDS):
            try:
                outcome: Outcome = self._connection.recv()
                return outcome
            except EOFError:
                kind = 'crash'
        self.stop()
        code = self._process.exitcode
        self._start()
        return Outcome(seed, kind, f'exit code {code}', MOST_SECONDS if kind == 'hang' else 0., 0.)

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self._connection.close()


def fuzz(name: str, seeds: Sequence[int], folder: Path) -> Iterator[Outcome]:
    """Yield the outcome of the input of each seed."""
    worker = Worker(folder)
    try:
        for seed in seeds:
            yield worker.run(name, seed)
    finally:
        worker.stop()


def save(outcome: Outcome, name: str, folder: Path, out: Path) -> Path:
    """Save a finding with its input, and return the path for ``--replay``."""
    (out / name).mkdir(parents=True, exist_ok=True)
    path = out / name / f'{name}-{outcome.seed}.json'
    target = TARGETS[name]
    path.with_suffix(f'.input{target.suffix}').write_bytes(target.make_input(outcome.seed, folder))
    path.write_text(json.dumps(dict(vars(outcome), reader=name), indent=1) + '\n')
    return path


def report(name: str, outcomes: Sequence[Outcome], seconds: float) -> None:
    counts = [sum(outcome.kind == kind for outcome in outcomes) for kind in ('accepted', 'refused')]
    findings = sum(outcome.is_finding for outcome in outcomes)
    print(f'{name:12} {len(outcomes):7d} inputs, {counts[0]:7d} accepted, {counts[1]:7d} refused, {findings:4d} '
          f'findings, slowest {max(o.seconds for o in outcomes):.2f} s, peak +{max(o.megabytes for o in outcomes):.0f} '
          f'MB, {len(outcomes) / seconds:.0f} inputs/s', flush=True)


def replay(file: Path, folder: Path) -> int:
    """Read the saved input of a finding in this process, and print its outcome."""
    name = json.loads(file.read_text())['reader']
    target = TARGETS[name]
    data = file.with_suffix(f'.input{target.suffix}').read_bytes()
    with tempfile.TemporaryDirectory() as scratch:
        outcome = run_input(target, 0, data, folder, Path(scratch))
    print(f'{outcome.kind}: {outcome.text} ({outcome.seconds:.2f} s, +{outcome.megabytes:.0f} MB)')
    return int(outcome.is_finding)


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--inputs', type=int, default=1000, help='number of inputs per reader (default: 1000)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the first input (default: 0)')
    parser.add_argument('--readers', nargs='+', choices=TARGETS, default=list(TARGETS), help='readers (default: all)')
    parser.add_argument('--out', type=Path, default=Path('fuzz'), help='folder of the findings (default: fuzz)')
    parser.add_argument('--replay', type=Path, metavar='FILE', help='repeat a finding in this process')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    warnings.simplefilter('ignore')
    MMLogger.get_current_instance().setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder)
        prepare()
        if args.replay is not None:
            return replay(args.replay, folder)
        return _fuzz_all(args, folder)


def _fuzz_all(args: argparse.Namespace, folder: Path) -> int:
    found = 0
    for name in args.readers:
        start, outcomes = time.monotonic(), []
        for outcome in fuzz(name, range(args.seed, args.seed + args.inputs), folder):
            outcomes.append(outcome)
            if outcome.is_finding:
                found += 1
                print(f'  {outcome.kind}: {save(outcome, name, folder, args.out)}')
        report(name, outcomes, time.monotonic() - start)
    print(f'{found} findings')
    return int(found > 0)


if __name__ == '__main__':
    sys.exit(main())
