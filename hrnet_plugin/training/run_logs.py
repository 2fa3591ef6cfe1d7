"""Logs of training runs."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mmengine.logging import print_log

from hrnet_plugin.json_files import DATA_BYTES, parse_object, read_bytes, read_object

_WHAT = 'a log of a run'
_LARGEST = 2**63  # integer
_MOST_ERRORS = 1000  # a killed run leaves one, and a full disk a few
_HALVES = re.compile('[\ud800-\udfff]')  # of surrogate pairs
_TRAINING = ('loss', 'lr', 'iter')  # only in records of training iterations


def read_scalars(work_dir: Path) -> list[dict[str, float]]:
    """Read the logged scalars of the newest run in a work directory, and of the runs that it has resumed.

    Args:
        work_dir: Work directory of mmengine's runner.

    Returns:
        Records, oldest first. Records that a resumed run repeats are left out. So are values that are not
        numbers. Lines that are not records, such as the last one of a killed run, are left out with a warning. So are
        metrics whose names no file in UTF-8 can contain.

    Raises:
        FileNotFoundError: If the folder has no logs.
        ValueError: If a log is no regular file, or larger than :data:`~hrnet_plugin.json_files.DATA_BYTES`.
    """
    files = sorted(work_dir.glob('*/vis_data/scalars.json'))
    if not files:
        raise FileNotFoundError(f'{work_dir} must be the work directory of a training run, '
                                'got one without */vis_data/scalars.json')
    sessions = [_read_session(file) for file in files]
    trained = [session for session in sessions if any(map(is_training, session))]
    records: list[dict[str, float]] = []
    for session, earlier in zip(reversed(trained), [*reversed(trained[:-1]), []]):
        records = _until(session, records) + records
        if not _has_resumed(session, earlier):
            break
    return records or sessions[-1]  # a test


def _read_session(file: Path) -> list[dict[str, float]]:
    """Read the records of a log. Lines that are not records are left out, with a warning.

    Raises:
        ValueError: If many lines are not records.
    """
    records: list[dict[str, float]] = []
    errors: list[str] = []
    for number, line in enumerate(read_bytes(file, _WHAT, max_bytes=DATA_BYTES).split(b'\n'), 1):
        if not line.strip():
            continue
        try:
            records.append(_parse_record(line, f'line {number}'))
        except ValueError as error:
            errors.append(str(error))
        if len(errors) > _MOST_ERRORS:
            raise ValueError(f'{file} must be {_WHAT}, got more than {_MOST_ERRORS} lines of other content: '
                             f'{errors[0]}')
    if errors:
        print_log(f'{file}: {len(errors)} of {len(errors) + len(records)} lines are left out: {errors[0]}',
                  logger='current', level=logging.WARNING)
    return _with_valid_names(records, file)


def read_metrics(file: Path) -> dict[str, float]:
    """Read the metrics that a test has logged. Undefined ones may be NaN. Values that are not numbers are left out.

    Names that no file in UTF-8 can contain are left out with a warning.

    Raises:
        OSError: If the file is not readable.
        ValueError: If it is not a JSON object, or an integer is too large for a float.
    """
    numbers = _numbers(read_object(file, 'the metrics of a test', allow_nan=True), str(file))
    return _with_valid_names([numbers], file)[0]


def _parse_record(line: bytes, source: str) -> dict[str, float]:
    """Return the numbers of a line. A diverged loss is NaN.

    Raises:
        ValueError: If the line is not a record with a step, or an integer is too large for a float.
    """
    found = parse_object(line, source, 'a record', allow_nan=True)
    numbers = _numbers(found, source)
    step = numbers.get('step', -1)
    if not 0 <= step < _LARGEST or step % 1:
        raise ValueError(f'{source} must have a step of a run, got {found.get("step")!r:.60}')
    return numbers


def _numbers(found: Mapping[str, object], source: str) -> dict[str, float]:
    numbers = {key: value for key, value in found.items()
               if isinstance(value, (int, float)) and not isinstance(value, bool)}
    large = [key for key, value in numbers.items() if isinstance(value, int) and abs(value) >= _LARGEST]
    if large:
        raise ValueError(f'{source} must have integers of 64 bits, got a larger one for {large[0]!r:.60}')
    return numbers


def _with_valid_names(records: list[dict[str, float]], file: Path) -> list[dict[str, float]]:
    """Return the records without names that have halves of surrogate pairs, which UTF-8 excludes. Log a warning."""
    wrong = {key for key in set().union(*records) if _HALVES.search(key)}
    if not wrong:
        return records
    print_log(f'{file}: metrics must have names in UTF-8, got {len(wrong)} others, e.g. {min(wrong)!r:.60}, which are '
              'left out. Rename them.', logger='current', level=logging.WARNING)
    return [{key: value for key, value in record.items() if key not in wrong} for record in records]


def is_training(record: Mapping[str, float]) -> bool:
    """Return True if a record is one of training iterations, and False for an evaluation."""
    return 'step' in record and any(key in record for key in _TRAINING)


def _has_resumed(session: Sequence[Mapping[str, float]], earlier: Sequence[Mapping[str, float]]) -> bool:
    """Return True if a session does not begin at the start, where a run logs after at most one log interval.

    Args:
        session: Records of a session with training iterations.
        earlier: Records of the session before it, whose log interval is used if ``session`` has one log.
    """
    steps = _steps(session)
    logged = steps if len(steps) > 1 else [0, *_steps(earlier)]
    return steps[0] > max((after - before for before, after in itertools.pairwise(logged)), default=steps[0])


def _until(session: Sequence[dict[str, float]], later: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """Return the records before the first training iteration of a later session."""
    first = next(iter(_steps(later)), float('inf'))
    end = (k for k, record in enumerate(session) if is_training(record) and record['step'] >= first)
    return list(session[:next(end, len(session))])


def _steps(records: Sequence[Mapping[str, float]]) -> list[float]:
    """Return the logged training iterations."""
    return [record['step'] for record in records if is_training(record)]
