"""Config that writes the results on COCO test-dev, derived from any config of a detector or pose estimator."""

from __future__ import annotations

import copy

from mmengine.config import Config

from hrnet_plugin.config_files import find_test_dataset
from hrnet_plugin.hosts import HOSTS, MMDET, Host, find_host, type_name

ANNOTATIONS = 'annotations/image_info_test-dev2017.json'
IMAGES = 'test2017/'


def test_dev_config(config: Config, data_root: str | None, prefix: str, person_boxes: str | None) -> Config:
    """Derive a config that runs a model on COCO test-dev and writes its results without evaluating them.

    It changes images, annotations and evaluator together. With ``format_only`` alone, evaluators still use the
    annotations of val.

    Args:
        config: Config of any mmdet detector or mmpose model on COCO. It is not modified.
        data_root: Root folder or address of COCO. Default: that of the config.
        prefix: Prefix of the written files, as in ``{prefix}.bbox.json``.
        person_boxes: File of persons detected in the images. Only for top-down pose estimators, which require it.

    Raises:
        ValueError: If the config is of another host, or has no data root. It must test COCO's classes or keypoints with
            one ``CocoMetric``. Other causes are missing ``person_boxes``, and ones without effect.
    """
    host = submission_host(config)
    if config.get('test_dataloader') is None or config.get('test_evaluator') is None:
        raise ValueError('config must have a test_dataloader and a test_evaluator, got none')
    config = copy.deepcopy(config)
    dataset = find_test_dataset(config)
    if type_name(dataset.type) != 'CocoDataset':
        raise ValueError(f'config must test a CocoDataset, got {type_name(dataset.type)}')
    root = data_root or dataset.get('data_root')
    if not root:
        raise ValueError('--data-root must be the folder of COCO, got none, and the config has no data_root')
    dataset.update(data_root=root, ann_file=ANNOTATIONS, data_prefix=dict(img=IMAGES))
    host.use_images_only(dataset, person_boxes)
    evaluators = config.test_evaluator if isinstance(config.test_evaluator, list) else [config.test_evaluator]
    metrics = [evaluator for evaluator in evaluators if type_name(evaluator.type) == 'CocoMetric']
    if len(metrics) != 1:
        raise ValueError(f'config must have one CocoMetric in its test_evaluator, got {len(metrics)}')
    metric, = metrics
    # not with pathlib, since the root may be an address
    metric.update(ann_file=f'{root.rstrip("/")}/{ANNOTATIONS}', format_only=True, outfile_prefix=prefix)
    config.test_evaluator = metric
    return config


def submission_host(config: Config) -> Host:
    """Return the host of a config whose results can be submitted.

    Configs with classes in place of type names may have no ``default_scope``. They are those of mmdet.

    Raises:
        ValueError: If its host writes no results in COCO format.
    """
    host = find_host(config.get('default_scope') or MMDET.name)
    if host is None or not host.result_kinds:
        names = ' or '.join(name for name, host in HOSTS.items() if host.result_kinds)
        raise ValueError(f'config must be one of {names}, got one of {config.get("default_scope")!r}')
    return host
