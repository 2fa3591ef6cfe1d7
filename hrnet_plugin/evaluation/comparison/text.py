"""A comparison for people: Markdown, which is read in a terminal, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hrnet_plugin.evaluation.comparison.comparison import KINDS, Comparison
from hrnet_plugin.evaluation.leaderboard.tables import plain


def as_markdown(comparison: Comparison) -> str:
    """All of it."""
    first, second = (plain(name) for name in comparison.names)
    interval = comparison.interval
    sure = 'no difference can be told' if interval.low <= 0 <= interval.high else (
        f'{second if interval.low > 0 else first} is better')
    ahead = f'{second} is ahead in {100 * interval.better:.0f} % of the draws' + (
        f', and equal in {100 * interval.equal:.0f} %' if interval.equal else '')
    covered = [f'{name} has no detection in {comparison.images - number} images' for name, number in zip(
        (first, second), comparison.covered) if number < comparison.images]
    parts = [
        f'# {first} and {second}',
        f'{"Masks" if comparison.kind == "segm" else "Boxes"} in {comparison.images} images. AP of {second} less that '
        f'of {first}: **{100 * interval.difference:+.1f}**, 95 % interval {100 * interval.low:+.1f} to '
        f'{100 * interval.high:+.1f} (paired bootstrap over images, {interval.draws} draws): {sure}. {ahead}.',
        *(['; '.join(covered) + '.'] if covered else []),
        _table('', ('', first, second, 'difference'), _pairs(comparison.metrics.items())),
        _table('## Errors at an overlap of 0.5',
               ('', first, second, 'difference', f'AP50 without, {first}', f'AP50 without, {second}'),
               ([kind, *(str(errors.numbers[kind]) for errors in comparison.errors),
                 f'{comparison.errors[1].numbers[kind] - comparison.errors[0].numbers[kind]:+d}',
                 *(f'{100 * errors.costs[kind]:+.1f}' for errors in comparison.errors)] for kind in KINDS)),
        _table('## Classes', ('', first, second, 'difference'), _pairs(sorted(
            comparison.classes.items(), key=lambda item: -_difference(item[1])))),
        _table('## Images that differ most', ('', first, second, 'difference'), _pairs(comparison.differing)),
    ]
    return '\n\n'.join(parts) + '\n'


def _pairs(items: Iterable[tuple[str, tuple[float | None, float | None]]]) -> Iterable[Sequence[str]]:
    for name, pair in items:
        if pair != (None, None):
            difference = f'{100 * _difference(pair):+.1f}' if None not in pair else ''
            yield [plain(name), *('' if value is None else f'{100 * value:.1f}' for value in pair), difference]


def _difference(pair: tuple[float | None, float | None]) -> float:
    return (pair[1] or 0) - (pair[0] or 0)


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [f'| {" | ".join(cells)} |' for cells in (head, *rows)]
    lines.insert(1, '|' + '---|' * len(head))
    return '\n'.join([title, '', *lines] if title else lines)
