"""Reproduction of rows, one after the other."""

from __future__ import annotations

import time
from pathlib import Path

from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.experiments.reproduction.comparison import Outcome, compare
from hrnet_plugin.experiments.reproduction.plan import BrokenRow, Describe, Plan
from hrnet_plugin.experiments.reproduction.process import Launch, make_command, run_test
from hrnet_plugin.experiments.reproduction.state import collect, stored_record, work_folder
from hrnet_plugin.experiments.reproduction.weights import fetch_weights


def reproduce(plan: Plan | BrokenRow, out: Path, tolerance: float, launch: Launch, describe: Describe) -> Outcome:
    """Test a row unless its record is stored, and compare it with the expected figures.

    Args:
        plan: Plan of the row.
        out: Output folder, which the calling process has locked.
        tolerance: Largest accepted difference of a deciding metric, in the unit of tables.
        launch: Launcher of the processes of the test.
        describe: Function that describes an error in one line.
    """
    if isinstance(plan, BrokenRow):
        return Outcome(row=plan.row, verdict='failed', reason=plan.error)
    if plan.missing_paths:
        return Outcome(row=plan.row, verdict='skipped', reason=f'data are missing: {plan.missing_paths[0]}')
    if plan.weights.state == 'missing':
        return Outcome(row=plan.row, verdict='skipped', reason=f'weights are missing: {plan.weights.text}')
    try:
        record, seconds = _test(plan, out, fetch_weights(plan.row, plan.weights), launch)
        verdict, reason, figures = compare(plan.row, record, tolerance)
        number = collect(out, record)
    except Exception as error:  # one row must not stop the others
        return Outcome(row=plan.row, verdict='failed', reason=describe(error))
    return Outcome(row=plan.row, verdict=verdict, reason=reason, figures=figures, record=record, number=number,
                   seconds=seconds)


def _test(plan: Plan, out: Path, checkpoint: Path, launch: Launch) -> tuple[Record, float | None]:
    """Return the record of a test, and its duration in seconds, or None if it was stored before."""
    folder = work_folder(out, plan, checkpoint)
    stored = stored_record(folder)
    if stored is not None:
        return stored, None
    begin = time.monotonic()
    error = run_test(make_command(plan, checkpoint, folder, launch), folder, launch)
    stored = stored_record(folder)
    if stored is None:  # an error after the record does not matter
        raise RuntimeError(error or f'the test stored no record in {folder}')
    return stored, time.monotonic() - begin
