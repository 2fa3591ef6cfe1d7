"""Comparison as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hrnet_plugin.evaluation.comparison.comparison import ERROR_TYPES, Comparison
from hrnet_plugin.evaluation.leaderboard.tables import escape_markdown


def as_markdown(comparison: Comparison) -> str:
    """Return a comparison as Markdown."""
    first, second = (escape_markdown(name) for name in comparison.names)
    interval = comparison.interval
    verdict = 'no significant difference' if interval.low <= 0 <= interval.high else (
        f'{second if interval.low > 0 else first} is better')
    ahead = f'{second} has the higher AP in {100 * interval.better:.0f} % of the draws' + (
        f', and equal AP in {100 * interval.equal:.0f} %' if interval.equal else '')
    covered = [f'{name} has no detections in {comparison.images - number} images' for name, number in zip(
        (first, second), comparison.covered) if number < comparison.images]
    parts = [
        f'# {first} and {second}',
        f'{"Masks" if comparison.kind == "segm" else "Boxes"} in {comparison.images} images. AP of {second} minus AP '
        f'of {first}: **{100 * interval.difference:+.1f}**, 95 % interval {100 * interval.low:+.1f} to '
        f'{100 * interval.high:+.1f} (paired bootstrap over images, {interval.draws} draws): {verdict}. {ahead}.',
        *(['; '.join(covered) + '.'] if covered else []),
        _table('', ('', first, second, 'difference'), _pairs(comparison.metrics.items())),
        _table('## Error types at IoU 0.5',
               ('', first, second, 'difference', f'AP50 gain if fixed, {first}', f'AP50 gain if fixed, {second}'),
               ([kind, *(str(errors.numbers[kind]) for errors in comparison.errors),
                 f'{comparison.errors[1].numbers[kind] - comparison.errors[0].numbers[kind]:+d}',
                 *(f'{100 * errors.costs[kind]:+.1f}' for errors in comparison.errors)] for kind in ERROR_TYPES)),
        _table('## Classes', ('', first, second, 'difference'), _pairs(sorted(
            comparison.classes.items(), key=lambda item: -_difference(item[1])))),
        _table('## Images with the largest differences', ('', first, second, 'difference'),
               _pairs(comparison.differing)),
    ]
    return '\n\n'.join(parts) + '\n'


def _pairs(items: Iterable[tuple[str, tuple[float | None, float | None]]]) -> Iterable[Sequence[str]]:
    for name, pair in items:
        if pair != (None, None):
            difference = f'{100 * _difference(pair):+.1f}' if None not in pair else ''
            values = ['' if value is None else f'{100 * value:.1f}' for value in pair]
            yield [escape_markdown(name), *values, difference]


def _difference(pair: tuple[float | None, float | None]) -> float:
    return (pair[1] or 0) - (pair[0] or 0)


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f'| {" | ".join(cells)} |' for cells in (head, *rows)]
    lines.insert(1, '|' + '---|' * len(head))
    return '\n'.join([title, '', *lines] if title else lines)
