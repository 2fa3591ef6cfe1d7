"""Memory of a process that predicts, switches engines, loads, evaluates, compares and ranks for a long time.

    PYTHONPATH=. python benchmarks/soak.py [--minutes 60] [--seed 0] [--interval 20] [--out FILE.json]

A detector, a pose estimator and a segmentation model predict images and batches of several sizes. In between, engines
are switched, checkpoints loaded, models evaluated and compared, and leaderboard pages written, in random order. Copies
of one model keep their engines, because discarded engines free their memory.

Memory is measured every 20 operations, when all other models are eager. Free memory of malloc is returned to the system
first. It varies by hundreds of MB with the engines in use, and would hide leaks. The peak between measurements contains
it.

Prints one line per measurement and a table at the end. The exit status is 1 if memory, objects, file descriptors or
threads grow by the criteria in ``benchmarks/flatness.py``. Linux with glibc only.
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

from flatness import LIMITS, MIN_VALUES, fit_slope, has_constant_level
from process_memory import ProcessMemory, measure_memory, resident_memory
from soak_models import Soak

from hrnet_plugin.execution.engine_cache import FOLDER_VARIABLE, cache_folder
from hrnet_plugin.experiments.benchmarking import describe


@dataclass(frozen=True)
class Sample(ProcessMemory):
    """State of the process after some operations.

    Attributes:
        peak: Largest resident memory in MB after any operation since the last measurement.
        cached: Number of exported models on disk.
        operations: Number of operations.
    """
    peak: float
    cached: int
    operations: int


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--minutes', type=float, default=60,
                        help=f'duration without warm-up, extended to {MIN_VALUES} measurements (default: 60)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the sequence of operations (default: 0)')
    parser.add_argument('--interval', type=int, default=20, help='operations between measurements (default: 20)')
    parser.add_argument('--out', type=Path, metavar='FILE.json', help='write all figures to this file')
    return parser.parse_args(argv)


def soak(operations: Soak, minutes: float, interval: int) -> tuple[list[Sample], Counter[str]]:
    """Run random operations. Return the samples and the number of operations of each name."""
    operations.warm_up()
    gc.collect()
    gc.freeze()  # imported modules need not be visited by each collection
    samples, counts = list[Sample](), Counter[str]()
    start = time.monotonic()
    elapsed = 0.
    while elapsed < minutes or len(samples) < MIN_VALUES:
        peak = 0.
        for _ in range(interval):
            counts[operations.step()] += 1
            peak = max(peak, resident_memory())
        with operations.all_eager():
            cached = sum(1 for _ in cache_folder().glob('*'))
            samples.append(Sample(**asdict(measure_memory()), peak=peak, cached=cached, operations=counts.total()))
        elapsed = (time.monotonic() - start) / 60
        print(f'{elapsed:5.1f} min, {describe_sample(samples[-1])}', flush=True)
    return samples, counts


def describe_sample(sample: Sample) -> str:
    return (f'{sample.operations:6d} operations: {sample.resident:.1f} MB resident, {sample.allocated:.2f} MB '
            f'allocated, peak {sample.peak:.0f} MB, {sample.objects} objects, {sample.descriptors} file descriptors, '
            f'{sample.threads} threads, {sample.cached} exported models')


def report(samples: Sequence[Sample], counts: Counter[str], interval: int) -> bool:
    """Print the table. Return True if memory, file descriptors and threads are flat."""
    print(f'\n{counts.total()} operations: {", ".join(f"{count} {name}" for name, count in counts.most_common())}')
    for share in (0.1, 0.25, 0.5, 0.75, 1):
        print(f'{share:4.0%}: {describe_sample(samples[round(share * (len(samples) - 1))])}')
    flat = {}
    for name in (*LIMITS, 'peak'):
        fit = fit_slope([getattr(sample, name) for sample in samples])
        limit = LIMITS.get(name)
        flat[name] = fit.is_stationary if limit is None else fit.is_below(limit * interval)
        per_operation = 1000 / interval
        print(f'{name}: {per_operation * fit.slope:+.3f} per 1,000 operations, 95 % confidence interval '
              f'+- {per_operation * fit.margin:.3f}, limit {"none" if limit is None else 1000 * limit}; '
              f'growth after the warm-up {fit.growth:+.2%}')
    for name in ('descriptors', 'threads'):
        flat[name] = has_constant_level([getattr(sample, name) for sample in samples])
    print(', '.join(f'{name}: {"flat" if value else "NOT FLAT"}' for name, value in flat.items()))
    return all(flat.values())


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER_VARIABLE] = str(Path(folder, 'cache'))
        samples, counts = soak(Soak(Path(folder), args.seed), args.minutes, args.interval)
    is_flat = report(samples, counts, args.interval)
    if args.out is not None:
        setting = dict(describe('cpu'), minutes=args.minutes, seed=args.seed, interval=args.interval)
        fields = list(asdict(samples[0]))
        args.out.write_text(json.dumps(dict(setting=setting, operations=counts, flat=is_flat, fields=fields,
                                            samples=[astuple(sample) for sample in samples])) + '\n')
    return 0 if is_flat else 1


if __name__ == '__main__':
    raise SystemExit(main())
