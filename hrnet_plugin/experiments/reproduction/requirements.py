"""Text of what the tests of rows require, for ``hrnet reproduce --dry-run``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from hrnet_plugin.escaping import escape_controls
from hrnet_plugin.experiments.reproduction.plan import BrokenRow, Plan
from hrnet_plugin.experiments.reproduction.published_rows import PublishedRow


def requirements_text(plans: Sequence[Plan | BrokenRow], left_out: Sequence[PublishedRow]) -> str:
    """Return config, checkpoint, data and hours of each row, and their totals, with control characters escaped.

    Args:
        plans: Rows to reproduce.
        left_out: Selected rows that cannot be reproduced.
    """
    lines = [line for plan in plans for line in _row_lines(plan)]
    return '\n'.join(map(escape_controls, [*lines, '', *_totals(plans), *_obstacles(left_out)]))


def _row_lines(plan: Plan | BrokenRow) -> Iterator[str]:
    row = plan.row
    yield row.name
    options = ' '.join([*(['--tta'] if row.uses_tta else []), *row.options])
    yield f'  config   {row.config}{f", with {options}" if options else ""}'
    if isinstance(plan, BrokenRow):
        yield f'  error    {plan.error}'
        return
    digest = f'sha256 {row.sha256}...' if row.sha256 else 'no digest known'
    yield f'  weights  {row.file} ({digest}), {plan.weights.text}'
    for path in plan.paths:
        yield f'  data     {path}{"" if path.exists() else " is missing"}'
    if plan.hours is not None:
        yield f'  hours    {plan.hours:.2f}, from {row.ms:g} ms per image ({row.machine})'
    if row.note:
        yield f'  note     {row.note}'


def _totals(plans: Sequence[Plan | BrokenRow]) -> Iterator[str]:
    complete = [plan for plan in plans if isinstance(plan, Plan)]
    files = {plan.row.file: plan.weights.state for plan in complete}
    states = Counter(files.values())
    yield (f'{len(plans)} rows, {len(plans) - len(complete)} with an error. {len(files)} checkpoints: '
           f'{states["present"]} present, {states["to download"]} to download, {states["missing"]} missing')
    paths = {path for plan in complete for path in plan.paths}
    missing = sorted({path for plan in complete for path in plan.missing_paths})
    yield f'{len(paths)} data files and folders, {len(missing)} missing{":" if missing else ""}'
    yield from (f'  {path}' for path in missing)
    hours = [plan.hours for plan in complete if plan.hours is not None]
    if hours:
        yield (f'{sum(hours):.2f} hours for the {len(hours)} rows with a published time per image, unknown for the '
               f'other {len(plans) - len(hours)}')


def _obstacles(left_out: Sequence[PublishedRow]) -> Iterator[str]:
    for obstacle, number in Counter(published.obstacle for published in left_out).items():
        yield f'{number} rows cannot be reproduced: {obstacle}'
