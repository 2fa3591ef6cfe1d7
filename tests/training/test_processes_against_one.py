"""Two processes train as one with the same images per optimizer step, alone and with the options of training."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys

import pytest
from conftest import SAMPLE_CONFIGS, read_sample_config
from paths import ROOT

pytestmark = pytest.mark.slow

# A process averages the losses over its own samples, so the images have equal numbers of samples: all anchors, and all
# proposals of a fixed number. RandomSampler has nothing to choose then.
ALL_SAMPLES = {
    'model.train_cfg.rpn.sampler.num': 10**6, 'model.train_cfg.rpn.assigner.neg_iou_thr': .7,
    'model.train_cfg.rpn_proposal.max_per_img': 60, 'model.train_cfg.rcnn.sampler.num': 10**6,
    'model.train_cfg.rcnn.sampler.add_gt_as_proposals': False,
}
CASES = {
    'faster-rcnn': ('mmdet', ALL_SAMPLES),
    'fcos': ('mmdet', {}),
    'pose': ('mmpose', {}),
    'segmentation': ('mmseg', {}),
    'accumulation': ('mmpose', {'optim_wrapper.accumulative_counts': 2}),
    'clipping': ('mmpose', {'optim_wrapper.clip_grad': dict(max_norm=1e-3)}),
    'ema': ('mmpose', {'custom_hooks': [dict(type='EMAHook', momentum=.5)]}),
    'bf16': ('mmpose', {'optim_wrapper.type': 'hrnet_plugin.BFloat16OptimWrapper'}),
    'lean': ('mmpose', {'model.backbone.memory': 'lean'}),
    'checkpointing': ('mmpose', {'model.backbone.with_cp': True}),
    'all': ('mmpose', {'optim_wrapper.accumulative_counts': 2, 'model.backbone.memory': 'lean',
                       'optim_wrapper.clip_grad': dict(max_norm=1e-3),
                       'custom_hooks': [dict(type='EMAHook', momentum=.5)]}),
}
# random augmentation differs between processes, and batch statistics depend on the images of a process
RANDOM = ('RandomFlip', 'RandomBBoxTransform', 'RandomCrop')
NORM = dict(type='GN', num_groups=2)


@pytest.fixture(scope='module')
def trained(tmp_path_factory, sample_root):
    """Return the config files by case, and their results with one and with two processes."""
    folder = tmp_path_factory.mktemp('processes')
    files = {case: write_config(folder, case, sample_root) for case in CASES}
    return files, run(folder, 1, files.values()), run(folder, 2, files.values())


def write_config(folder, case, sample_root):
    """Write a config that trains on 8 samples, without differences between processes by design."""
    host, changes = CASES[case]
    name = 'fcos_hrnetv2p-w18-small-v1_sample' if case == 'fcos' else SAMPLE_CONFIGS[host]
    config = read_sample_config(name, sample_root)
    config.merge_from_dict({
        'randomness': dict(seed=1), 'model.backbone.norm_cfg': NORM, 'param_scheduler': [], 'val_cfg': None,
        'val_dataloader': None, 'val_evaluator': None, 'train_dataloader.batch_size': 4, 'log_level': 'ERROR',
        'work_dir': str(folder / case), 'experiment_name': case, 'default_hooks.checkpoint': None,
        'optim_wrapper.optimizer': dict(type='SGD', lr=1e-3, _delete_=True), **changes})
    config.model[dict(mmdet='neck', mmpose='backbone', mmseg='decode_head')[host]].norm_cfg = NORM
    config.train_cfg = (dict(type='IterBasedTrainLoop', max_iters=4) if host == 'mmseg' else
                        dict(by_epoch=True, max_epochs=3))
    dataset = config.train_dataloader.dataset
    dataset.indices = 8  # full batches only
    dataset.pipeline = [step for step in dataset.pipeline if step['type'] not in RANDOM]
    for step in dataset.pipeline:
        if host == 'mmdet' and step['type'] == 'Resize':
            step.scale = (160, 128)
    config.dump(folder / f'{case}.py')
    return str(folder / f'{case}.py')


def run(folder, processes, files):
    target = folder / f'{processes}.json'
    launch = [] if processes == 1 else ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2']
    finished = subprocess.run(
        [sys.executable, '-W', 'ignore', *launch, str(ROOT / 'tests/training/distributed_cases.py'), str(target),
         'none' if processes == 1 else 'pytorch', *files], capture_output=True, text=True, timeout=500,
        env=dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES=''))
    assert finished.returncode == 0, finished.stderr[-4000:]
    return json.loads(target.read_text())


@pytest.mark.parametrize('case', CASES)
def test_losses_and_weights_are_equal(trained, case):
    files, one, two = trained
    first, second = one[files[case]], two[files[case]]
    assert len(first['losses']) >= 2
    assert first['losses'][0] != pytest.approx(first['losses'][-1], rel=1e-6)  # it trains
    tolerance = 5e-4 if case == 'bf16' else 1e-5
    for mine, other in zip(first['losses'], second['losses']):
        assert math.isclose(mine, other, rel_tol=tolerance)
    assert math.isclose(first['weights'], second['weights'], rel_tol=1e-6)
    assert math.isclose(first['ema'], second['ema'], rel_tol=1e-6)
    if case in ('ema', 'all'):
        assert first['ema'] != first['weights']
