"""A config that writes detections of COCO's test-dev, made of any detection config."""

from __future__ import annotations

import copy
from pathlib import Path

from mmengine.config import Config

ANNOTATIONS = 'annotations/image_info_test-dev2017.json'
IMAGES = 'test2017/'


def test_dev_config(config: Config, data_root: str | None, prefix: str) -> Config:
    """The config with the images of test-dev in its test, of which it writes the detections and evaluates nothing.

    mmdet's evaluators of a config that is told to format only still look at the annotations that the config names: to
    change one of the two is the mistake that evaluates on val what was meant for test-dev.

    Args:
        config: Of any detector of mmdet on COCO.
        data_root: Folder of COCO; the config's own by default.
        prefix: What the files' names begin with: ``{prefix}.bbox.json``.

    Raises:
        ValueError: If the config is not of mmdet, or its test is not of COCO's format.
    """
    if config.get('default_scope') != 'mmdet':
        raise ValueError(f'config must be one of mmdet, got one of {config.get("default_scope")!r}')
    config = copy.deepcopy(config)
    dataset = config.test_dataloader.dataset
    while 'dataset' in dataset:
        dataset = dataset.dataset
    if str(dataset.type).rsplit('.', 1)[-1] != 'CocoDataset':
        raise ValueError(f'config must test a CocoDataset, got {dataset.type}')
    root = data_root or dataset.get('data_root') or ''
    dataset.update(data_root=root, ann_file=ANNOTATIONS, data_prefix=dict(img=IMAGES), test_mode=True)
    for entry in ('indices', 'filter_cfg'):
        dataset.pop(entry, None)
    evaluators = config.test_evaluator if isinstance(config.test_evaluator, list) else [config.test_evaluator]
    metrics = [evaluator for evaluator in evaluators if str(evaluator.type).rsplit('.', 1)[-1] == 'CocoMetric']
    if len(metrics) != 1:
        raise ValueError(f'config must have one CocoMetric in its test_evaluator, got {len(metrics)}')
    metric, = metrics
    metric.update(ann_file=str(Path(root) / ANNOTATIONS), format_only=True, outfile_prefix=prefix)
    config.test_evaluator = metric
    return config
