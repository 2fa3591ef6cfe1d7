"""Logs of training runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def read_scalars(work_dir: Path) -> list[dict[str, Any]]:
    """Read the logged scalars of the newest run in a work directory, and of the runs that it has resumed.

    Args:
        work_dir: Work directory of mmengine's runner.

    Returns:
        Records, oldest first.

    Raises:
        FileNotFoundError: If the folder has no logs.
    """
    files = sorted(work_dir.glob('*/vis_data/scalars.json'))
    if not files:
        raise FileNotFoundError(f'{work_dir} must be the work directory of a training run, '
                                'got one without */vis_data/scalars.json')
    records: list[dict[str, Any]] = []
    for file in reversed(files):
        records = [json.loads(line) for line in file.read_text().splitlines() if line.strip()] + records
        if records and records[0].get('epoch', 1) == 1:
            break
    return records
