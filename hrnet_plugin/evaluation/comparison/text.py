"""Comparison as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hrnet_plugin.escaping import escape_markdown
from hrnet_plugin.evaluation.comparison.comparison import Comparison, DetectionComparison, KeypointComparison
from hrnet_plugin.evaluation.markdown import markdown_table

_WORDS = {'bbox': 'Boxes', 'segm': 'Masks', 'keypoints': 'Keypoints', 'semantic': 'Label maps'}
_PREDICTIONS = {'keypoints': 'predictions'}  # of other kinds: detections
_MOST_CONFUSIONS = 10
_SHOWN_METRIC = {'semantic': 'mIoU'}  # of other kinds: AP


def as_markdown(comparison: Comparison) -> str:
    """Return a comparison as Markdown."""
    first, second = (escape_markdown(name) for name in comparison.names)
    parts = [
        f'# {first} and {second}',
        _summary(comparison, first, second),
        *filter(None, [_coverage(comparison, first, second)]),
        markdown_table(_head(comparison), _pairs(comparison.metrics.items())),
        *_error_tables(comparison),
        _table('## Classes', _head(comparison), _pairs(sorted(
            comparison.classes.items(), key=lambda item: -_difference(item[1])))),
        *filter(None, [_confusions(comparison)]),
        _table('## Images with the largest differences', _head(comparison), _pairs(comparison.differing)),
    ]
    return '\n\n'.join(parts) + '\n'


def _summary(comparison: Comparison, first: str, second: str) -> str:
    interval, metric = comparison.interval, _SHOWN_METRIC.get(comparison.kind, 'AP')
    verdict = 'no significant difference' if interval.low <= 0 <= interval.high else (
        f'{second if interval.low > 0 else first} is better')
    ahead = f'{second} has the higher {metric} in {100 * interval.better:.0f} % of the draws' + (
        f', and equal {metric} in {100 * interval.equal:.0f} %' if interval.equal else '')
    return (f'{_WORDS[comparison.kind]} in {comparison.images} images. {metric} of {second} minus {metric} of {first}: '
            f'**{_signed(interval.difference)}**, 95 % interval {_signed(interval.low)} to {_signed(interval.high)} '
            f'(paired bootstrap over images, {interval.draws} draws): {verdict}. {ahead}.')


def _coverage(comparison: Comparison, first: str, second: str) -> str:
    """Return how many images have no predictions, or an empty string if all have."""
    things = _PREDICTIONS.get(comparison.kind, 'detections')
    parts = [f'{name} has no {things} in {comparison.images - number} images' for name, number in zip(
        (first, second), comparison.covered) if number < comparison.images]
    if not parts:
        return ''
    both = f'Neither has any in {comparison.uncovered} images. They count in all metrics.'
    # a paragraph that begins with a name could become a list or a quote
    return 'Coverage: ' + '; '.join(parts) + '.' + (f' {both}' if comparison.uncovered else '')


def _error_tables(comparison: Comparison) -> Iterable[str]:
    if isinstance(comparison, DetectionComparison):
        yield _error_table(comparison, '## Error types at IoU 0.5', 'AP50 gain if fixed, ')
    if isinstance(comparison, KeypointComparison):
        yield _error_table(comparison, '## Labeled keypoints by type', 'mean OKS lost, ')
        yield _table('## Good keypoints', _head(comparison), _pairs(sorted(
            comparison.keypoints.items(), key=lambda item: -_difference(item[1]))))


def _error_table(comparison: DetectionComparison | KeypointComparison, title: str, cost: str) -> str:
    first, second = comparison.names
    rows = ([kind, *(str(errors.numbers[kind]) for errors in comparison.errors),
             f'{comparison.errors[1].numbers[kind] - comparison.errors[0].numbers[kind]:+d}',
             *(_signed(errors.costs[kind]) for errors in comparison.errors)] for kind in comparison.errors[0].numbers)
    return _table(title, (*_head(comparison), f'{cost}{first}', f'{cost}{second}'), rows)


def _confusions(comparison: Comparison) -> str:
    """Return the pairs of classes that the models confuse most often, or an empty string without any."""
    one, other = (analysis.confusion.counts for analysis in comparison.analyses)
    classes = comparison.analyses[0].classes
    pairs = [(max(one[truth][found], other[truth][found]), truth, found)
             for truth in range(len(classes)) for found in range(len(classes)) if truth != found]
    most = [pair for pair in sorted(pairs, key=lambda pair: -pair[0])[:_MOST_CONFUSIONS] if pair[0]]
    if not most:
        return ''
    confusion = comparison.analyses[0].confusion
    conditions = '' if confusion.score is None else f' with scores of at least {confusion.score:g}'
    things = 'Pixels' if confusion.score is None else 'Objects'
    rows = ([classes[truth], classes[found], str(one[truth][found]), str(other[truth][found]),
             f'{other[truth][found] - one[truth][found]:+d}'] for _, truth, found in most)
    return _table(f'## Most frequent confusions\n\n{things} of a class that are predicted as another class'
                  f'{conditions}.', ('ground truth', 'predicted', *_head(comparison)[1:]), rows)


def _pairs(items: Iterable[tuple[str, tuple[float | None, float | None]]]) -> Iterable[Sequence[str]]:
    for name, pair in items:
        if pair != (None, None):
            difference = _signed(_difference(pair)) if None not in pair else ''
            values = ['' if value is None else f'{100 * value:.1f}' for value in pair]
            yield [name, *values, difference]


def _signed(value: float) -> str:
    """Return a value in percent with its sign. A value that rounds to 0 has the sign +."""
    return f'{round(100 * value, 1) + 0.:+.1f}'  # -0.0 + 0.0 is 0.0


def _difference(pair: tuple[float | None, float | None]) -> float:
    return (pair[1] or 0) - (pair[0] or 0)


def _head(comparison: Comparison) -> tuple[str, str, str, str]:
    return '', *comparison.names, 'difference'


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return f'{title}\n\n{markdown_table(head, rows)}'
