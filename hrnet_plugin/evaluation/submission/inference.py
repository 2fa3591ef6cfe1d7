"""A config that writes detections of COCO's test-dev, made of any detection config."""

from __future__ import annotations

import copy

from mmengine.config import Config, ConfigDict

from hrnet_plugin.config_files import tested_dataset
from hrnet_plugin.hosts import MMDET, type_name

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
        ValueError: If the config is not of mmdet, does not test COCO's classes with its evaluator, or has no data root.
    """
    if config.get('default_scope') not in (MMDET.name, None):  # none where types are classes and not names
        raise ValueError(f'config must be one of mmdet, got one of {config.get("default_scope")!r}')
    if config.get('test_dataloader') is None or config.get('test_evaluator') is None:
        raise ValueError('config must have a test_dataloader and a test_evaluator, got none')
    config = copy.deepcopy(config)
    dataset = tested_dataset(config)
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
    # not pathlib's: the root may be an address
    metric.update(ann_file=f'{root.rstrip("/")}/{ANNOTATIONS}', format_only=True, outfile_prefix=prefix)
    config.test_evaluator = metric
    return config


def _check_dataset(dataset: ConfigDict) -> None:
    if type_name(dataset.type) != 'CocoDataset':
        raise ValueError(f'config must test a CocoDataset, got {type_name(dataset.type)}')
    classes = (dataset.get('metainfo') or {}).get('classes')
    if classes is not None:
        from mmdet.datasets import CocoDataset
        strange = set(classes) - set(CocoDataset.METAINFO['classes'])
        if strange:
            raise ValueError(f'config must test classes of COCO, got {", ".join(sorted(map(repr, strange))[:5])}')
