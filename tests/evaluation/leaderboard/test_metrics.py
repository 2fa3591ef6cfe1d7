"""Tests of the direction of metrics by the keys of the hosts' evaluators."""

from __future__ import annotations

import numpy as np
import pytest

from hrnet_plugin.evaluation.leaderboard.metrics import METRICS, named_metric, rename_metrics, shown_metrics


def lower_is_better(name):
    return any(named_metric(task, name).direction == 'lower' for task in METRICS)


@pytest.mark.parametrize(('name', 'lower'), [
    ('NME', True), ('EPE', True), ('MRRPE', True), ('MPJPE', True), ('P-MPJPE', True), ('N-MPJPE_Walking', True),
    ('MPJPE_all', True), ('wflw/NME', True), ('body/coco/NME', True), ('NME@left', True), ('crowd_human/mMR', True),
    ('motchallenge-metric/IDSW', True), ('motchallenge-metric/FN', True), ('rmse', True), ('rmse_log', True),
    ('silog', True), ('abs_rel', True),
    ('AP', False), ('mask AP', False), ('PCKh@0.1', False), ('AUC', False), ('mIoU', False), ('d1', False),
    ('crowd_human/mAP', False), ('crowd_human/JI', False), ('motchallenge-metric/MOTP', False),
    ('HandednessAcc', False), ('coco/FP_precision', False), ('NME/AP', False), ('unknown', False), ('', False)])
def test_directions(name, lower):
    assert lower_is_better(name) is lower


def test_errors_of_mmpose():
    metrics = pytest.importorskip('mmpose.evaluation.metrics')
    points, mask = np.zeros((2, 3, 2)), np.ones((2, 3), bool)
    common = dict(pred_coords=points, gt_coords=points, mask=mask)
    nme = metrics.NME('use_norm_item', norm_item='bbox_size')
    found = [metrics.EPE().compute_metrics([common]), nme.compute_metrics([dict(common, bbox_size=np.ones((2, 1)))]),
             metrics.MPJPE('mpjpe').compute_metrics([dict(common, actions=['Walking_1', 'Eating_2'])])]
    keys = [key for values in found for key in rename_metrics('pose', values)]
    assert keys == ['EPE', 'NME', 'MPJPE', 'MPJPE_Walking', 'MPJPE_Eating']
    assert all(map(lower_is_better, keys))


def test_depth_errors_of_mmsegmentation():
    names = pytest.importorskip('mmseg.evaluation.metrics').DepthMetric.METRICS
    assert [name for name in names if not lower_is_better(name)] == ['d1', 'd2', 'd3']


def test_records_with_other_keys_have_other_units():
    """A key's unit depends on the other keys of its record."""
    assert shown_metrics('pose', {'Head PCK': .9}) == {'Head PCK': pytest.approx(90)}
    assert shown_metrics('pose', {'Head PCK': 90., 'PCKh@0.1': 30.}) == {'Head PCK': 90, 'PCKh@0.1': 30}
    assert shown_metrics('pose', {'Head PCK': .8}) == {'Head PCK': pytest.approx(80)}
