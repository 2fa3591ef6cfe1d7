"""Logs of training runs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_TRAINING = ('loss', 'lr', 'iter')  # only in records of training iterations


def read_scalars(work_dir: Path) -> list[dict[str, Any]]:
    """Read the logged scalars of the newest run in a work directory, and of the runs that it has resumed.

    Args:
        work_dir: Work directory of mmengine's runner.

    Returns:
        Records, oldest first. Records that a resumed run repeats are left out.

    Raises:
        FileNotFoundError: If the folder has no logs.
    """
    files = sorted(work_dir.glob('*/vis_data/scalars.json'))
    if not files:
        raise FileNotFoundError(f'{work_dir} must be the work directory of a training run, '
                                'got one without */vis_data/scalars.json')
    sessions = [[json.loads(line) for line in file.read_text().splitlines() if line.strip()] for file in files]
    trained = [session for session in sessions if any(map(is_training, session))]
    records: list[dict[str, Any]] = []
    for session, earlier in zip(reversed(trained), [*reversed(trained[:-1]), []]):
        records = _until(session, records) + records
        if not _has_resumed(session, earlier):
            break
    return records or sessions[-1]  # a test


def is_training(record: Mapping[str, Any]) -> bool:
    """Return True if a record is one of training iterations, and False for an evaluation."""
    return 'step' in record and any(key in record for key in _TRAINING)


def _has_resumed(session: Sequence[Mapping[str, Any]], earlier: Sequence[Mapping[str, Any]]) -> bool:
    """Return True if a session does not begin at the start, where a run logs after at most one log interval.

    Args:
        session: Records of a session with training iterations.
        earlier: Records of the session before it, whose log interval is used if ``session`` has one log.
    """
    steps = _steps(session)
    logged = steps if len(steps) > 1 else [0, *_steps(earlier)]
    return steps[0] > max((after - before for before, after in itertools.pairwise(logged)), default=steps[0])


def _until(session: Sequence[dict[str, Any]], later: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the records before the first training iteration of a later session."""
    first = next(iter(_steps(later)), float('inf'))
    end = (k for k, record in enumerate(session) if is_training(record) and record['step'] >= first)
    return list(session[:next(end, len(session))])


def _steps(records: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the logged training iterations."""
    return [record['step'] for record in records if is_training(record)]
