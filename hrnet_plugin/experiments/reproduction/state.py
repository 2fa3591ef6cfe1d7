"""Stored tests of rows.

A test writes its record in one transaction, as its last step. A row has therefore been tested if and only if the store
in its folder has a record. The name of the folder is a digest of what determines the result.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from hrnet_plugin.checkpoints.addresses import digest
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.evaluation.leaderboard.runner_record import config_digest
from hrnet_plugin.evaluation.leaderboard.store import ResultStore
from hrnet_plugin.experiments.reproduction.data import fingerprint
from hrnet_plugin.experiments.reproduction.plan import Plan

STORE = 'records.sqlite'
_DIGITS = 12  # of the digest in names of folders


def work_folder(out: Path, plan: Plan, checkpoint: Path) -> Path:
    """Return the folder of a row's test. It changes with the config, the checkpoint and the data.

    Args:
        out: Output folder.
        plan: Plan of the row. Its data exist.
        checkpoint: Path of the checkpoint.
    """
    facts = dict(config=config_digest(plan.config), tta=plan.row.uses_tta, checkpoint=digest(checkpoint),
                 data=fingerprint(plan.paths))
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return out / 'rows' / plan.row.name / key[:_DIGITS]


def stored_record(folder: Path) -> Record | None:
    """Return the record of a finished test, or None.

    Args:
        folder: Result of :func:`work_folder`.

    Raises:
        sqlite3.DatabaseError: The file is not a store.
    """
    store = ResultStore(folder / STORE)
    records = store.read() if store.path.is_file() else []
    return records[-1] if records else None


def collect(out: Path, record: Record) -> int:
    """Append the record of a row to the store of the output folder, unless it is there. Return its number.

    Args:
        out: Output folder, which the calling process has locked.
        record: Record of a finished test.
    """
    store = ResultStore(out / STORE)
    for known in store.read() if store.path.is_file() else []:
        if replace(known, number=record.number) == record:
            return int(known.number or 0)
    return store.append(replace(record, number=None))
