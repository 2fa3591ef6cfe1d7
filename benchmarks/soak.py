"""Memory of a process that predicts, switches engines, loads, evaluates, compares and ranks for a long time.

    PYTHONPATH=. python benchmarks/soak.py [--minutes 60] [--seed 0] [--out FILE.json]

A detector, a pose estimator and a segmentation model predict images and batches of several sizes. In between, engines
are switched, checkpoints loaded, models evaluated and compared, and leaderboard pages written, in random order. After
each operation, the resident memory, open file descriptors, threads and cached objects are measured.

Prints one line per minute and a table at the end. The exit status is 1 if memory, file descriptors or threads are not
flat, as defined in ``benchmarks/flatness.py``. Linux only.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

from flatness import fit_slope, has_constant_level
from soak_models import Soak

from hrnet_plugin.execution.engine_cache import FOLDER_VARIABLE, cache_folder
from hrnet_plugin.experiments.benchmarking import describe
from hrnet_plugin.models.layers.optimizable import OPTIMIZED

_MB = 1e6


@dataclass(frozen=True)
class Sample:
    """State of the process after an operation.

    Attributes:
        memory: Resident memory in MB.
        descriptors: Number of open file descriptors.
        threads: Number of threads.
        objects: Number of Python objects that the garbage collector tracks.
        engines: Number of modules with an inference engine.
        cached: Number of exported models on disk.
    """
    memory: float
    descriptors: int
    threads: int
    objects: int
    engines: int
    cached: int


def take_sample() -> Sample:
    gc.collect()
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return Sample(pages * os.sysconf('SC_PAGE_SIZE') / _MB, len(os.listdir('/proc/self/fd')),
                  len(os.listdir('/proc/self/task')), len(gc.get_objects()), len(OPTIMIZED),
                  sum(1 for _ in cache_folder().glob('*')))


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--minutes', type=float, default=60, help='duration (default: 60)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the sequence of operations (default: 0)')
    parser.add_argument('--out', type=Path, metavar='FILE.json', help='write all figures to this file')
    return parser.parse_args(argv)


def soak(folder: Path, minutes: float, seed: int) -> tuple[list[Sample], Counter[str]]:
    """Run random operations. Return the samples and the number of operations of each name."""
    operations = Soak(folder, seed)
    gc.collect()
    gc.freeze()  # imported modules need not be visited by each collection
    samples, counts = [take_sample()], Counter[str]()
    start = time.monotonic()
    reported = 0
    while (elapsed := time.monotonic() - start) < 60 * minutes:
        counts[operations.step()] += 1
        samples.append(take_sample())
        if elapsed // 60 >= reported:
            reported = int(elapsed // 60) + 1
            print(f'{elapsed / 60:5.1f} min, {len(samples) - 1:6d} operations: {describe_sample(samples[-1])}',
                  flush=True)
    return samples, counts


def describe_sample(sample: Sample) -> str:
    return (f'{sample.memory:.0f} MB, {sample.descriptors} file descriptors, {sample.threads} threads, '
            f'{sample.objects} objects, {sample.engines} engines, {sample.cached} exported models')


def report(samples: Sequence[Sample], counts: Counter[str]) -> bool:
    """Print the table. Return True if memory, file descriptors and threads are flat."""
    number = len(samples) - 1
    print(f'\n{number} operations: {", ".join(f"{count} {name}" for name, count in counts.most_common())}')
    for share in (0.1, 0.5, 1):
        print(f'{share:4.0%} of the operations: {describe_sample(samples[int(share * number)])}')
    slope = fit_slope([sample.memory for sample in samples])
    print(f'slope after the warm-up: {1000 * slope.per_operation:+.2f} MB per 1,000 operations, 95 % confidence '
          f'interval +- {1000 * slope.margin:.2f}; growth {slope.growth:+.1%}')
    handles = {name: has_constant_level([getattr(sample, name) for sample in samples])
               for name in ('descriptors', 'threads')}
    flat = dict(memory=slope.is_flat, **handles)
    print(', '.join(f'{name}: {"flat" if value else "NOT FLAT"}' for name, value in flat.items()))
    return all(flat.values())


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER_VARIABLE] = str(Path(folder, 'cache'))
        samples, counts = soak(Path(folder), args.minutes, args.seed)
    is_flat = report(samples, counts)
    if args.out is not None:
        setting = dict(describe('cpu'), minutes=args.minutes, seed=args.seed)
        fields = list(asdict(samples[0]))
        args.out.write_text(json.dumps(dict(setting=setting, operations=counts, flat=is_flat, fields=fields,
                                            samples=[astuple(sample) for sample in samples])) + '\n')
    return 0 if is_flat else 1


if __name__ == '__main__':
    raise SystemExit(main())
