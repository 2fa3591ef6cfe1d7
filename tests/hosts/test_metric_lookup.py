"""Tests of the keys, names and units of metrics."""

from __future__ import annotations

import pytest

from hrnet_plugin.hosts import HOSTS
from hrnet_plugin.hosts.metric_lookup import find_logged, find_named, find_stored


def logged(host, key, *others):
    metric = find_logged(HOSTS[host].metrics, key, {key, *others})
    return metric.name, metric.unit, metric.direction


@pytest.mark.parametrize(('host', 'key', 'found'), [
    ('mmdet', 'coco/bbox_mAP_50', ('AP50', 'fraction', 'higher')),
    ('mmdet', 'val_a/coco/bbox_mAP_50', ('val_a/AP50', 'fraction', 'higher')),  # MultiDatasetsEvaluator
    ('mmdet', 'val_a/segm_mAP', ('val_a/mask AP', 'fraction', 'higher')),  # CocoMetric(prefix='val_a')
    ('mmdet', 'coco/traffic light_precision', ('AP of traffic light', 'fraction', 'higher')),
    ('mmdet', 'pascal_voc/recall@100@0.5', ('VOC recall@100@0.5', 'fraction', 'higher')),
    ('mmdet', 'a/crowd_human/mMR', ('a/CrowdHuman MR', 'fraction', 'lower')),
    ('mmdet', 'a/mAP', ('a/mAP', 'fraction', 'higher')),  # of one of several evaluators, in the same unit
    ('mmdet', 'motchallenge-metric/FP', ('FP', 'count', 'lower')),
    ('mmpose', 'left/coco/AP .5', ('left/AP50', 'fraction', 'higher')),  # KeypointPartitionMetric
    ('mmpose', 'MPJPE_Walking', ('MPJPE, Walking', 'annotations', 'lower')),
    ('mmpose', 'MPJPE_all', ('MPJPE, all', 'millimeters', 'lower')),  # InterHandMetric
    ('mmpretrain', 'x/acc', ('x/acc', 'unknown', 'unknown')),  # percent for VQA, a fraction for GQA
    ('mmpretrain', 'accuracy/top3_thr-0.50', ('top-3_thr-0.50', 'percent', 'higher')),
    ('mmseg', 'mine/score', ('mine/score', 'unknown', 'unknown')), ('mmseg', '', ('', 'unknown', 'unknown'))])
def test_logged_keys(host, key, found):
    assert logged(host, key) == found


def test_evaluators_with_the_same_key():
    """MPII's PCK is in percent, and that of other datasets is a fraction."""
    assert logged('mmpose', 'PCK', 'PCK@0.1') == ('PCKh', 'percent', 'higher')
    assert logged('mmpose', 'x/PCK', 'x/PCK@0.1') == ('x/PCKh', 'percent', 'higher')
    assert logged('mmpose', 'PCK', 'x/PCK@0.1') == logged('mmpose', 'PCK') == ('PCK', 'fraction', 'higher')
    assert logged('mmpose', 'Head PCK', 'PCK@0.1')[1] == 'percent'
    assert logged('mmpose', 'Head PCK', 'Sho PCK')[1] == 'fraction'  # JHMDB
    assert logged('mmpose', 'x/AP', 'x/Ankl AP')[1] == 'percent' != logged('mmpose', 'x/AP')[1]  # PoseTrack18


def test_keys_of_records():
    """Records have the names of published tables, and the keys of all other metrics."""
    metrics = HOSTS['mmpose'].metrics
    assert find_stored(metrics, 'PCKh', ['PCKh', 'PCKh@0.1']).unit == 'percent'
    assert find_stored(metrics, 'PCKh', ['PCKh']).unit == 'fraction'  # PCKAccuracy
    assert find_stored(metrics, 'AP50', []).key == 'coco/AP .5'
    assert find_stored(metrics, 'a/coco/AP .5', []).name == 'a/AP50'


def test_names_in_tables():
    metrics = HOSTS['mmdet'].metrics
    for name, key in (('a/AP50', 'coco/bbox_mAP_50'), ('VOC AP75', 'pascal_voc/AP#'), ('mine', 'mine')):
        found = find_named(metrics, name)
        assert (found.name, found.key) == (name, key)


@pytest.mark.parametrize(('host', 'key', 'value', 'text'), [
    ('mmpose', 'NME', .05123, '5.12'), ('mmpose', 'EPE', 3.456, '3.46'), ('mmdet', 'coco/bbox_mAP', .4512, '45.1'),
    ('mmseg', 'mIoU', 78.25, '78.2'), ('mmdet', 'motchallenge-metric/IDSW', 12., '12'), ('mmseg', 'rmse', .36, '0.36'),
    ('mmseg', 'abs_rel', .1, '0.100'), ('mmseg', 'mine', 1234.5678, '1235')])
def test_values_in_tables(host, key, value, text):
    metric = find_logged(HOSTS[host].metrics, key, [key])
    assert metric.format(metric.show(value)) == text


def test_undefined_values():
    coco, mota, unknown = (find_logged(HOSTS['mmdet'].metrics, key, [key])
                           for key in ('coco/bbox_mAP', 'motchallenge-metric/MOTA', 'mine'))
    assert [coco.is_defined(value) for value in (0, .5, -1, float('nan'))] == [True, True, False, False]
    assert [mota.is_defined(value) for value in (-1, -.5, float('inf'))] == [True, True, False]
    assert [unknown.is_defined(value) for value in (-2, -1)] == [True, False]
