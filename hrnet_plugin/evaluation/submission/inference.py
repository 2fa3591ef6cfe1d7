"""Config that writes the detections of COCO test-dev, derived from any detection config."""

from __future__ import annotations

import copy

from mmengine.config import Config, ConfigDict

from hrnet_plugin.config_files import find_test_dataset
from hrnet_plugin.hosts import MMDET, type_name

ANNOTATIONS = 'annotations/image_info_test-dev2017.json'
IMAGES = 'test2017/'


def test_dev_config(config: Config, data_root: str | None, prefix: str) -> Config:
    """Derive a config that runs a detector on COCO test-dev and writes its detections without evaluating them.

    It changes images, annotations and evaluator together. With ``format_only`` alone, mmdet's evaluator still uses the
    annotations of val.

    Args:
        config: Config of any mmdet detector on COCO. It is not modified.
        data_root: Root folder or address of COCO. Default: that of the config.
        prefix: Prefix of the written files, as in ``{prefix}.bbox.json``.

    Raises:
        ValueError: If the config is not of mmdet, does not test COCO's classes with one ``CocoMetric``, or has no data
            root.
    """
    if config.get('default_scope') not in (MMDET.name, None):  # None in configs with classes in place of type names
        raise ValueError(f'config must be one of mmdet, got one of {config.get("default_scope")!r}')
    if config.get('test_dataloader') is None or config.get('test_evaluator') is None:
        raise ValueError('config must have a test_dataloader and a test_evaluator, got none')
    config = copy.deepcopy(config)
    dataset = find_test_dataset(config)
    _check_dataset(dataset)
    root = data_root or dataset.get('data_root')
    if not root:
        raise ValueError('--data-root must be the folder of COCO, got none, and the config has no data_root')
    dataset.update(data_root=root, ann_file=ANNOTATIONS, data_prefix=dict(img=IMAGES), test_mode=True)
    for entry in ('indices', 'filter_cfg'):
        dataset.pop(entry, None)
    evaluators = config.test_evaluator if isinstance(config.test_evaluator, list) else [config.test_evaluator]
    metrics = [evaluator for evaluator in evaluators if type_name(evaluator.type) == 'CocoMetric']
    if len(metrics) != 1:
        raise ValueError(f'config must have one CocoMetric in its test_evaluator, got {len(metrics)}')
    metric, = metrics
    # not with pathlib, since the root may be an address
    metric.update(ann_file=f'{root.rstrip("/")}/{ANNOTATIONS}', format_only=True, outfile_prefix=prefix)
    config.test_evaluator = metric
    return config


def _check_dataset(dataset: ConfigDict) -> None:
    if type_name(dataset.type) != 'CocoDataset':
        raise ValueError(f'config must test a CocoDataset, got {type_name(dataset.type)}')
    classes = (dataset.get('metainfo') or {}).get('classes')
    if classes is not None:
        from mmdet.datasets import CocoDataset
        unknown = set(classes) - set(CocoDataset.METAINFO['classes'])
        if unknown:
            raise ValueError(f'config must test classes of COCO, got {", ".join(sorted(map(repr, unknown))[:5])}')
