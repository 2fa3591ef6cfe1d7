"""Numbers of a training step and a prediction of each sample config, as JSON.

    python mmcv_ops_probe.py SAMPLE_SET OUTPUT [CONFIG ...]

The test runs it in two processes that differ in ``mmcv._ext`` alone.
"""

from __future__ import annotations

import json
import logging
import random
import sys
from copy import deepcopy
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.logging import MMLogger
from mmengine.registry import DATASETS, MODELS, DefaultScope

from hrnet_plugin.config_files import relocate_data


class Recorder:
    """Operators that are noted when they are called."""

    def __init__(self, extension):
        self.extension = extension
        self.called = set()

    def __getattr__(self, name):
        return partial(self.call, name)

    def call(self, name, *args, **kwargs):
        self.called.add(name)
        return getattr(self.extension, name)(*args, **kwargs)


def record():
    import_module('mmcv.ops')
    recorder = Recorder(import_module('mmcv._ext'))
    for name, module in list(sys.modules.items()):
        if name.startswith('mmcv.ops.') and hasattr(module, 'ext_module'):
            module.ext_module = recorder
    return recorder


def smaller(value):
    """Return a pipeline with its scales halved."""
    if isinstance(value, dict):
        return {key: (entry[0] // 2, entry[1] // 2) if key == 'scale' else smaller(entry)
                for key, entry in value.items()}
    return [smaller(entry) for entry in value] if isinstance(value, list) else value


def seed():
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


def batch(config, split, number):
    dataset = config[f'{split}_dataloader'].dataset.to_dict()
    seed()  # pipelines draw crops
    dataset = DATASETS.build(smaller(dataset) if config.default_scope == 'mmdet' else dataset)
    return pseudo_collate([dataset[i] for i in range(number)])


def let_through(model):
    """Let a detector with random weights detect boxes."""
    if model.get('bbox_head', {}).get('type') == 'hrnet_plugin.CenterTripletHead':
        model.bbox_head.num_classes = 1  # corners and centers of random heatmaps have to be of one class
        model.test_cfg.update(distance_threshold=100., central_region=None)
    elif 'test_cfg' in model:
        model.test_cfg.get('rcnn', model.test_cfg).score_thr = 0.


def training_step(model, data):
    seed()  # samplers draw proposals
    loss = model.parse_losses(model(**model.data_preprocessor(deepcopy(data), True), mode='loss'))[0]
    loss.backward()
    grads = [parameter.grad.double().square().sum() for parameter in model.parameters() if parameter.grad is not None]
    return dict(loss=loss.item(), grad_norm=torch.stack(grads).sum().sqrt().item())


def prediction(model, data):
    with torch.no_grad():
        result, = model.val_step(data)
    if 'pred_sem_seg' in result:
        return dict(logits=result.seg_logits.data.flatten().tolist()[::101])
    instances = result.pred_instances
    if 'keypoints' in instances:
        return dict(keypoints=instances.keypoints.tolist(), keypoint_scores=instances.keypoint_scores.tolist())
    fields = dict(scores=instances.scores.tolist(), boxes=instances.bboxes.tolist(), labels=instances.labels.tolist())
    if 'masks' in instances:
        fields['mask_areas'] = instances.masks.sum((1, 2)).tolist()
    return fields


def build(config):
    seed()
    model = MODELS.build(deepcopy(config.model))  # some constructors change it
    model.init_weights()
    if config.model.get('bbox_head', {}).get('type') == 'hrnet_plugin.CenterTripletHead':
        for weight in model.bbox_head.parameters():
            torch.nn.init.normal_(weight, std=0.1)  # its initial weights give heatmaps without maxima
    return model


def probe(path, root):
    config = Config.fromfile(path)
    config.merge_from_dict(relocate_data(config, root))
    for host in dict.fromkeys((config.default_scope, 'mmdet')):
        import_module(f'{host}.utils').register_all_modules(init_default_scope=False)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        numbers = training_step(build(config).train(), batch(config, 'train', 2))
        let_through(config.model)
        return numbers | prediction(build(config).eval(), batch(config, 'val', 1))


def main():
    root, output, *paths = sys.argv[1:]
    MMLogger.get_current_instance().setLevel(logging.ERROR)
    recorder = record()
    extension = recorder.extension
    results = {}
    for path in paths:
        recorder.called.clear()
        results[Path(path).stem] = probe(path, root) | dict(operators=sorted(recorder.called))
    origin = dict(file=extension.__file__, origin=getattr(extension, 'ORIGIN', 'compiled'))
    Path(output).write_text(json.dumps(dict(origin=origin, results=results)))


if __name__ == '__main__':
    main()
