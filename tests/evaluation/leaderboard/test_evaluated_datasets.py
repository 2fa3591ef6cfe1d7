"""Tests of the datasets of a test, and of the metrics of each."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.registry import METRICS

from hrnet_plugin.evaluation.leaderboard.data_facts import combine_data, describe_data
from hrnet_plugin.evaluation.leaderboard.evaluated_datasets import (
    KeyPrefix,
    evaluated_datasets,
    inner_datasets,
    logged_prefixes,
)


def dataset(name):
    class Dataset(SimpleNamespace):
        def __len__(self):
            return 10
    return Dataset(metainfo=dict(dataset_name=name), ann_file=f'annotations/{name}.json', data_root='cells')


def metric(kind, prefix):
    return type(kind, (SimpleNamespace, ), {})(prefix=prefix)


def runner(scope, datasets, **evaluator):
    return SimpleNamespace(cfg=Config(dict(default_scope=scope)),
                           test_loop=SimpleNamespace(evaluator=SimpleNamespace(**evaluator)),
                           test_dataloader=SimpleNamespace(dataset=SimpleNamespace(datasets=datasets)))


def test_datasets_of_mmdet():
    """MultiDatasetsEvaluator has a prefix per dataset, before that of the evaluator."""
    datasets, metrics = [dataset('val_a'), dataset('val_b')], [metric('CocoMetric', 'coco'), metric('VOCMetric', 'x')]
    found = evaluated_datasets(runner('mmdet', datasets, metrics=metrics, dataset_prefixes=['a', 'b']))
    assert [part.datasets for part in found] == [(one, ) for one in datasets]
    assert [part.evaluators for part in found] == [(one, ) for one in metrics]
    assert [part.prefix for part in found] == [KeyPrefix(logged='a/coco', default='coco'),
                                               KeyPrefix(logged='b/x', default='pascal_voc')]
    logged = {'a/coco/bbox_mAP': .1, 'b/x/mAP': .2}
    prefixes = [part.prefix for part in found]
    assert [prefix.select(logged, prefixes) for prefix in prefixes] == [{'coco/bbox_mAP': .1}, {'pascal_voc/mAP': .2}]


def test_datasets_of_mmpose():
    """MultiDatasetEvaluator finds the dataset of an evaluator by its name. Evaluators may have no prefix."""
    datasets = [dataset('mpii'), dataset('coco')]
    metrics = dict(coco=metric('CocoMetric', 'mine'), mpii=metric('MpiiPCKAccuracy', None))
    found = evaluated_datasets(runner('mmpose', datasets, metrics=list(metrics.values()), metrics_dict=metrics))
    assert [part.datasets[0].metainfo['dataset_name'] for part in found] == ['coco', 'mpii']
    prefixes = [part.prefix for part in found]
    assert prefixes == [KeyPrefix(logged='mine', default='coco'), KeyPrefix()]
    logged = {'mine/AP .5': .1, 'PCK': 90.}
    assert [prefix.select(logged, prefixes) for prefix in prefixes] == [{'coco/AP .5': .1}, {'PCK': 90.}]


def concatenated(*datasets):
    return SimpleNamespace(datasets=list(datasets))


def test_nested_datasets_of_mmdet():
    """MultiDatasetsEvaluator has an evaluator per dataset of the outer concatenation."""
    first, second, third = (dataset(name) for name in ('val_a', 'val_b', 'val_c'))
    metrics = [metric('CocoMetric', 'coco'), metric('CocoMetric', 'coco')]
    made = runner('mmdet', [concatenated(first, second), third], metrics=metrics, dataset_prefixes=['ab', 'c'])
    for wrapped in (made.test_dataloader.dataset, SimpleNamespace(dataset=made.test_dataloader.dataset)):
        made.test_dataloader.dataset = wrapped
        found = evaluated_datasets(made)
        assert [part.datasets for part in found] == [(first, second), (third, )]
        assert [part.evaluators for part in found] == [(one, ) for one in metrics]
        assert [part.prefix.logged for part in found] == ['ab/coco', 'c/coco']


@pytest.mark.parametrize(('datasets', 'metrics', 'prefixes'), [(2, 2, 1), (2, 1, 2), (3, 2, 2), (1, 2, 2)])
def test_numbers_of_datasets_of_mmdet(datasets, metrics, prefixes):
    made = runner('mmdet', [dataset('a')] * datasets, metrics=[metric('CocoMetric', 'coco')] * metrics,
                  dataset_prefixes=['x'] * prefixes)
    with pytest.raises(ValueError, match=f'got {prefixes} prefixes, {datasets} datasets, {metrics} metrics'):
        evaluated_datasets(made)


def test_datasets_of_mmpose_with_the_same_name():
    """MultiDatasetEvaluator gives all samples with the name of a dataset to one evaluator."""
    datasets = [dataset('coco'), dataset('mpii'), dataset('coco')]
    metrics = dict(coco=metric('CocoMetric', None), mpii=metric('PCKAccuracy', 'x'))
    nested = [concatenated(*datasets[:2]), datasets[2]]
    found = evaluated_datasets(runner('mmpose', nested, metrics=list(metrics.values()), metrics_dict=metrics))
    assert [part.datasets for part in found] == [(datasets[0], datasets[2]), (datasets[1], )]


def test_concatenated_datasets_with_one_evaluator():
    datasets, metrics = [dataset('val_a'), dataset('val_b')], [metric('CocoMetric', 'coco'), metric('VOCMetric', 'b')]
    part, = evaluated_datasets(runner('mmdet', datasets, metrics=metrics))
    assert (part.datasets, part.evaluators) == (tuple(datasets), tuple(metrics))
    assert part.prefix.select({'coco/bbox_mAP': .1, 'b/mAP': .2}, [part.prefix]) == {'coco/bbox_mAP': .1, 'b/mAP': .2}
    facts = combine_data([describe_data('detection', one) for one in datasets])
    assert (facts.data, facts.split, facts.images, facts.whole) == ('cells', 'val_a + val_b', 20, False)


def test_wrapped_datasets():
    first, second = dataset('a'), dataset('b')
    wrapped = SimpleNamespace(dataset=SimpleNamespace(datasets=[SimpleNamespace(dataset=first), second]))
    assert list(inner_datasets(wrapped)) == [first, second]


def test_prefixes_of_configs():
    """The prefixes of an earlier test are read from its config."""
    def prefixes(scope, **evaluator):
        return [(one.logged, one.default) for one in logged_prefixes(Config(dict(
            default_scope=scope, test_evaluator=evaluator)))]

    coco = dict(type='CocoMetric')
    assert prefixes('mmdet', type='MultiDatasetsEvaluator', dataset_prefixes=['a', 'b'],
                    metrics=[coco, dict(type='mmdet.VOCMetric', prefix='x')]) == [
        ('a/coco', 'coco'), ('b/x', 'pascal_voc')]
    assert prefixes('mmpose', type='mmpose.MultiDatasetEvaluator', metrics=[dict(coco, prefix='x'), dict(
        type='MpiiPCKAccuracy')]) == [('x', 'coco'), ('', '')]
    with pytest.raises(ValueError, match='got 1 prefixes, 2 metrics'):
        prefixes('mmdet', type='MultiDatasetsEvaluator', dataset_prefixes=['a'], metrics=[coco, coco])
    assert prefixes('mmdet', **coco) == [('', '')]
    assert logged_prefixes(Config(dict(default_scope='mmdet', test_evaluator=[coco, coco]))) == [KeyPrefix()]


def test_prefixes_of_evaluators_of_your_own():
    """Find the default prefix of an evaluator that no host lists, by its registered name or its class."""
    class Density(BaseMetric):
        default_prefix = 'density'

        def process(self, data_batch, data_samples):
            """Ignore samples."""

        def compute_metrics(self, results):
            """Return no metrics."""

    METRICS.register_module(module=Density, name='DensityOfATest')
    try:
        kinds = ['DensityOfATest', 'Unknown']
        prefixes = logged_prefixes(Config(dict(default_scope='mmpose', test_evaluator=dict(
            type='MultiDatasetEvaluator', metrics=[dict(type=kind) for kind in kinds]))))
        assert prefixes == [KeyPrefix(logged='density', default='density'), KeyPrefix()]
        made = runner('mmpose', [dataset('a'), dataset('b')], metrics_dict=dict(a=Density(), b=Density(prefix='x')))
        assert [part.prefix for part in evaluated_datasets(made)] == [
            prefixes[0], KeyPrefix(logged='x', default='density')]
    finally:
        METRICS.module_dict.pop('DensityOfATest')
