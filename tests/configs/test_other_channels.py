"""Training with one, four and nine channels, with the configs of the how-to on generated data."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from catalogue import load
from doc_commands import SHOWN_FILE
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, DefaultScope
from paths import ROOT

from hrnet_plugin.config_files import read_config, relocate_data
from hrnet_plugin.evaluation.counting import count_model
from hrnet_plugin.experiments.sample_set import write_sample_set
from hrnet_plugin.models import HRNet

cv2 = pytest.importorskip('cv2')
FILES = {Path(name).stem: text for text, name in
         SHOWN_FILE.findall((ROOT / 'docs' / 'how-to' / 'own_channels.md').read_text(encoding='utf-8'))}
HOSTS = {'detection': 'mmdet', 'pose': 'mmpose', 'segmentation': 'mmseg'}
CHANNELS = {'gray': 1, 'four': 4, 'bands': 9}
JOBS = [f'{images}_{task}' for images in CHANNELS for task in HOSTS]
# base of a config in the document -> its counterpart on the sample set, without pretrained weights
SMALLER = {'faster-rcnn_hrnetv2p-w18_1x_coco': 'faster-rcnn_hrnetv2p-w18-small-v1_sample',
           'td-hm_hrnetv1-w32_210e_coco-256x192': 'td-hm_hrnetv1-w18-small-v1_sample',
           'fcn_hrnetv2-w18_120k_cityscapes': 'fcn_hrnetv2-w18-small-v1_sample'}
PRETRAINED = '''_base_ = [__import__('hrnet_plugin').cfg('{}')]
_base_.model.backbone.init_cfg = dict(type='hrnet_plugin.Pretrained', checkpoint='rgb.pth')
'''


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Return a folder with the files of the document, data for each number of channels, and a checkpoint."""
    folder = tmp_path_factory.mktemp('channels')
    (folder / 'mine').mkdir()
    for smaller in SMALLER.values():
        (folder / f'{smaller}.py').write_text(PRETRAINED.format(smaller))
    for name, text in FILES.items():
        for base, smaller in SMALLER.items():
            text = text.replace(f"__import__('hrnet_plugin').cfg('{base}')", f"'../{smaller}.py'")
        (folder / 'mine' / f'{name}.py').write_text(text)
    for images in CHANNELS:
        write_sample_set(folder / images, 20, 2, 256, 192)
    for path in (folder / 'four').glob('*2017/*.png'):
        cv2.imwrite(str(path), np.dstack([colors := cv2.imread(str(path)), 255 - colors[..., :1]]))
    for path in (folder / 'bands').glob('*2017/*.png'):
        colors = cv2.imread(str(path))
        np.save(path.with_suffix('.npy'), np.dstack([colors, 255 - colors, colors // 2]))
        path.unlink()
    for path in (folder / 'bands' / 'annotations').glob('*.json'):
        path.write_text(path.read_text().replace('.png"', '.npy"'))
    weights = HRNet('w18_small_v1')
    weights.init_weights()
    weights.image_format = 'RGB'
    torch.save(weights.state_dict(), folder / 'rgb.pth')
    return folder


@pytest.fixture(autouse=True)
def _in_the_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(folder)


def read(job):
    """Return the config of a job on the generated data."""
    pytest.importorskip(f'{HOSTS[job.partition("_")[2]]}.models')
    config = read_config(f'mine/{job}.py')
    config.merge_from_dict(relocate_data(config, job.partition('_')[0]))
    return config


def test_every_combination_is_documented():
    assert set(JOBS) == {name for name in FILES if name != 'load_bands'}


@pytest.mark.parametrize('job', JOBS)
def test_a_training_step_and_a_prediction(job, monkeypatch):
    lines = []
    monkeypatch.setattr('hrnet_plugin.checkpoints.pretrained.print_log', lambda text, **_: lines.append(text))
    monkeypatch.setattr('hrnet_plugin.models.checkpoint_metadata.print_log', lambda text, **_: lines.append(text))
    config, channels = read(job), CHANNELS[job.partition('_')[0]]
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model)
        model.init_weights()
        assert f'first convolution adapted from 3 to {channels} channels: ' in lines[-1]
        assert channels == 1 or 'channel order BGR (RGB in the checkpoint)' in lines[-1]
        assert not [line for line in lines if 'The checkpoint was trained on' in line]
        trained, tested = (DATASETS.build(config[f'{split}_dataloader'].dataset) for split in ('train', 'val'))
        batch = model.data_preprocessor(pseudo_collate([trained[0], trained[1]]), True)
        assert batch['inputs'].shape[:2] == (2, channels)
        assert batch['inputs'].std((0, 2, 3)).max() < 3  # normalized
        loss = model.parse_losses(model.train()(**batch, mode='loss'))[0]
        loss.backward()
        assert math.isfinite(loss)
        assert (model.backbone.conv1.weight.grad.abs().amax((0, 2, 3)) > 0).all()
        result, = model.eval().val_step(pseudo_collate([tested[0]]))
    assert result.ori_shape == (192, 256)


@pytest.mark.parametrize('job', ['gray_detection', 'four_pose', 'bands_segmentation'])
def test_counts(job):
    config = read(job)
    ours, theirs = (count_model(one.model, one.default_scope, (64, 64)).parts['total'].parameters
                    for one in (config, load(_base(job))))
    assert ours - theirs == 64 * 9 * (CHANNELS[job.partition('_')[0]] - 3)


def _base(job):
    return next(smaller for base, smaller in SMALLER.items() if base in FILES[job])


@pytest.mark.slow
@pytest.mark.parametrize('job', JOBS)
def test_training(job, folder):
    images, _, task = job.partition('_')
    pytest.importorskip(f'{HOSTS[task]}.models')
    length = ['train_cfg.max_iters=20', 'train_cfg.val_interval=20', 'default_hooks.checkpoint.interval=20']
    if task != 'segmentation':
        length = ['train_cfg.max_epochs=1', 'train_cfg.val_interval=1', 'default_hooks.checkpoint.interval=1',
                  'train_dataloader.dataset.indices=20']
    command = [sys.executable, '-m', 'hrnet_plugin', 'train', f'mine/{job}.py', '--data-root', images, '--work-dir',
               job, '--cfg-options', *length, 'train_dataloader.batch_size=1', 'default_hooks.logger.interval=5']
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, env={
        **os.environ, 'PYTHONPATH': os.pathsep.join(map(str, (folder, ROOT, ROOT / 'packages' / 'mmcv_ops')))})
    assert done.returncode == 0, done.stdout[-4000:]
    assert f'; first convolution adapted from 3 to {CHANNELS[images]} channels: ' in done.stdout
    log, = (folder / job).glob('*/vis_data/scalars.json')
    steps = [line for line in map(json.loads, log.read_text().splitlines()) if 'loss' in line]
    assert [step['step'] for step in steps] == [5, 10, 15, 20]
    assert all(math.isfinite(step['loss']) for step in steps)
    last, = (folder / job).glob('epoch_1.pth' if task != 'segmentation' else 'iter_20.pth')
    weight = torch.load(last, weights_only=False)['state_dict']['backbone.conv1.weight']
    assert weight.shape == (64, CHANNELS[images], 3, 3)
    assert (weight.abs().amax((0, 2, 3)) > 0).all()
