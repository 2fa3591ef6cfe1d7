"""Text of a verification."""

from __future__ import annotations

from collections.abc import Iterator

from hrnet_plugin.evaluation.comparison.comparison import Interval
from hrnet_plugin.evaluation.leaderboard.metrics import logged_metrics
from hrnet_plugin.export.verification.verify import Verification
from hrnet_plugin.hosts import Metric

_SAMPLES = {'pose': 'persons'}  # of other tasks: images


def verification_text(verification: Verification) -> str:
    """Return a verification as lines of text."""
    return '\n'.join(_lines(verification))


def _lines(found: Verification) -> Iterator[str]:
    samples = _SAMPLES.get(found.task, 'images')
    shown = {key: metric for key, metric in logged_metrics(found.task, list(found.metrics)).items()
             if not metric.is_detail}
    width = max((len(metric.title) for metric in shown.values()), default=0)
    yield f'test data, {found.samples} {samples}:'
    yield f'{"":<{width}} {"PyTorch":>9} {"exported":>9} {"difference":>11}'
    for key, metric in shown.items():
        yield f'{metric.title:<{width}} {_cells(metric, *found.metrics[key])}'
    for name, interval in found.intervals.items():
        yield f'{name}: {_interval(interval)}'
    before, after = found.milliseconds
    yield f'median time per {samples[:-1]}: PyTorch {before:.1f} ms, exported {after:.1f} ms'


def _cells(metric: Metric, before: float | None, after: float | None) -> str:
    values = ['-' if value is None or not metric.is_defined(value) else metric.format(metric.show(value))
              for value in (before, after)]
    if before is None or after is None or '-' in values:
        return f'{values[0]:>9} {values[1]:>9}'
    return f'{values[0]:>9} {values[1]:>9} {metric.show(after) - metric.show(before):>+11.2f}'


def _interval(interval: Interval) -> str:
    difference, low, high = (f'{100 * value + 0.:+.2f}' for value in (
        interval.difference, interval.low, interval.high))
    return (f'difference {difference}, 95 % interval {low} to {high} (paired bootstrap over images, {interval.draws} '
            'draws)')
