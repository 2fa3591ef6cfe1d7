"""Metrics of mmpose's evaluators."""

from __future__ import annotations

from collections.abc import Iterator

from hrnet_plugin.hosts.metric import Metric

_THRESHOLDS = {'': '', '50': ' .5', '75': ' .75', 'm': ' (M)', 'l': ' (L)'}
_MPII = 'PCK@0.1'  # only MpiiPCKAccuracy logs it
_MPII_PARTS = ('Head', 'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Knee', 'Ankle')
_JHMDB_PARTS = ('Head', 'Sho', 'Elb', 'Wri', 'Hip', 'Knee', 'Ank')
_POSETRACK_PARTS = ('Head', 'Shou', 'Elb', 'Wri', 'Hip', 'Knee', 'Ankl')
_MPJPE = ('MPJPE', 'SimpleMPJPE')


def metrics() -> Iterator[Metric]:
    """Yield the metrics in the order of tables: those of published tables, then by evaluator."""
    yield from _published()
    yield from _precision()
    yield from _shares()
    yield from _errors()


def _published() -> Iterator[Metric]:
    for name in ('AP', 'AR'):
        for size, key in _THRESHOLDS.items():
            yield Metric(name=f'{name}{size}', key=f'coco/{name}{key}', evaluators=('CocoMetric', ), is_renamed=True,
                         is_shown=name == 'AP' or size in ('', '50'), is_drawn=not size.isdigit())
    yield Metric(name='PCKh', key='PCK', unit='percent', evaluators=('MpiiPCKAccuracy', ), is_renamed=True,
                 requires_key=_MPII)
    yield Metric(name='PCKh@0.1', key=_MPII, unit='percent', evaluators=('MpiiPCKAccuracy', ), is_renamed=True)


def _precision() -> Iterator[Metric]:
    for level in 'EMH':  # of crowding
        yield Metric(name=f'AP ({level})', key=f'coco/AP({level})', evaluators=('CocoMetric', ))
    for name in ('AP', 'AR'):
        for size, key in _THRESHOLDS.items():
            yield Metric(name=f'whole-body {name}{size}', key=f'coco-wholebody/{name}{key}',
                         evaluators=('CocoWholeBodyMetric', ), is_drawn=not size.isdigit())
    for part in ('', *(f'{part} ' for part in _POSETRACK_PARTS)):
        yield Metric(name=f'PoseTrack18 {part}AP', key=f'posetrack18/{part}AP', unit='percent',
                     evaluators=('PoseTrack18Metric', ), is_drawn=not part, requires_key='posetrack18/Ankl AP')


def _shares() -> Iterator[Metric]:
    for part in _MPII_PARTS:
        yield Metric(name=f'{part} PCK', key=f'{part} PCK', unit='percent', evaluators=('MpiiPCKAccuracy', ),
                     is_drawn=False, requires_key=_MPII)
    yield Metric(name='PCK', key='PCK', evaluators=('PCKAccuracy', 'JhmdbPCKAccuracy'))
    yield Metric(name='PCKh', key='PCKh', evaluators=('PCKAccuracy', ))
    yield Metric(name='tPCK', key='tPCK', evaluators=('PCKAccuracy', 'JhmdbPCKAccuracy'))
    for name in ('PCK', 'tPCK'):
        for part in _JHMDB_PARTS:
            yield Metric(name=f'{part} {name}', key=f'{part} {name}', evaluators=('JhmdbPCKAccuracy', ),
                         is_drawn=False)
    yield Metric(name='AUC', key='AUC', evaluators=('AUC', ))
    yield Metric(name='handedness', key='HandednessAcc', evaluators=('InterHandMetric', ))


def _errors() -> Iterator[Metric]:
    yield Metric(name='NME', key='NME', evaluators=('NME', ), direction='lower', digits=2)  # in percent in papers
    yield Metric(name='NME@*', key='NME@*', direction='lower', digits=2)  # of a part, in derived evaluators
    yield Metric(name='EPE', key='EPE', evaluators=('EPE', ), unit='pixels', direction='lower')
    for hands in ('all', 'single', 'interacting'):
        yield Metric(name=f'MPJPE, {hands}', key=f'MPJPE_{hands}', evaluators=('InterHandMetric', ),
                     unit='millimeters', direction='lower')
    yield Metric(name='MRRPE', key='MRRPE', evaluators=('InterHandMetric', ), unit='millimeters', direction='lower')
    for name in ('MPJPE', 'P-MPJPE', 'N-MPJPE'):
        yield Metric(name=name, key=name, evaluators=_MPJPE, unit='annotations', direction='lower')
        yield Metric(name=f'{name}, *', key=f'{name}_*', evaluators=('MPJPE', ), unit='annotations',
                     direction='lower', is_shown=False, is_drawn=False, is_detail=True)
