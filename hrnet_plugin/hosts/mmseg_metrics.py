"""Metrics of mmsegmentation's evaluators."""

from __future__ import annotations

from collections.abc import Iterator

from hrnet_plugin.hosts.metric import Metric

_DEPTH = ('DepthMetric', )


def metrics() -> Iterator[Metric]:
    """Yield the metrics in the order of tables: those of published tables, then by evaluator."""
    for name in ('mIoU', 'mAcc', 'aAcc'):
        yield Metric(name=name, key=name, unit='percent', evaluators=('IoUMetric', ), is_renamed=True,
                     is_shown=name == 'mIoU')
    for name in ('mDice', 'mFscore', 'mPrecision', 'mRecall'):
        yield Metric(name=name, key=name, unit='percent', evaluators=('IoUMetric', ))
    yield Metric(name='category IoU', key='averageScoreCategories', evaluators=('CityscapesMetric', ))
    yield Metric(name='category iIoU', key='averageScoreInstCategories', evaluators=('CityscapesMetric', ))
    for name in ('abs_rel', 'rmse_log', 'log10', 'silog'):
        yield Metric(name=name, key=name, unit='ratio', direction='lower', evaluators=_DEPTH)
    for name in ('rmse', 'sq_rel'):
        yield Metric(name=name, key=name, unit='annotations', direction='lower', evaluators=_DEPTH)
    for name in ('d1', 'd2', 'd3'):
        yield Metric(name=name, key=name, evaluators=_DEPTH)
