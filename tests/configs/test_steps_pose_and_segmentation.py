"""One training step and one prediction of every family of mmpose and mmsegmentation, on the sample set."""

from __future__ import annotations

import math
from copy import deepcopy

import pytest
import torch
from catalogue import SAMPLE, load, of_host
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, DefaultScope

from hrnet_plugin.cli.evaluate import apply_options, parse_args
from hrnet_plugin.config_files import relocate_data
from hrnet_plugin.experiments.sample_set import write_sample_set
from hrnet_plugin.training.bfloat16 import BFloat16OptimWrapper


@pytest.fixture(scope='module')
def sample_root(tmp_path_factory):
    return write_sample_set(tmp_path_factory.mktemp('sample'), 6, 3, 256, 192)


def job(name, root):
    config = Config(load(name).to_dict())
    config.merge_from_dict(relocate_data(config, str(root)))
    return config


def batch(config, split, number):
    dataset = DATASETS.build(config[f'{split}_dataloader'].dataset)
    return pseudo_collate([dataset[i] for i in range(number)])


def step(model, config):
    """Run a training step, and return its loss. Every parameter has a gradient."""
    model.init_weights()
    data = model.data_preprocessor(batch(config, 'train', 2), True)
    loss = model.parse_losses(model.train()(**data, mode='loss'))[0]
    assert math.isfinite(loss)
    loss.backward()
    assert not [name for name, weight in model.named_parameters() if weight.grad is None]
    return loss


@pytest.mark.parametrize('name', of_host('mmpose', names=SAMPLE))
def test_pose(name, sample_root):
    pytest.importorskip('mmpose.models')
    pytest.importorskip('mmpose.datasets')
    with DefaultScope.overwrite_default_scope('mmpose'):
        config = job(name, sample_root)
        torch.manual_seed(0)
        model = MODELS.build(config.model)
        step(model, config)
        result, = model.eval().val_step(batch(config, 'val', 1))
    keypoints = result.pred_instances.keypoints
    assert keypoints.shape == (1, 17, 2)
    # in pixels of the image, inside or near the bounding box of the person
    left, top, right, bottom = result.gt_instances.bboxes[0]
    assert (abs(keypoints - ((left + right) / 2, (top + bottom) / 2)) <= max(right - left, bottom - top)).all()


@pytest.mark.parametrize('name', of_host('mmseg', names=SAMPLE))
def test_segmentation(name, sample_root):
    pytest.importorskip('mmseg.models')
    pytest.importorskip('mmseg.datasets')
    with DefaultScope.overwrite_default_scope('mmseg'):
        config = job(name, sample_root)
        torch.manual_seed(0)
        model = MODELS.build(config.model)
        step(model, config)
        result, = model.eval().val_step(batch(config, 'val', 1))
    assert result.pred_sem_seg.data.shape == (1, 192, 256)
    assert result.pred_sem_seg.data.max() < 14


@pytest.mark.parametrize('name', of_host('mmseg', names=SAMPLE))
def test_test_time_augmentation(name, sample_root):
    pytest.importorskip('mmseg.models')
    with DefaultScope.overwrite_default_scope('mmseg'):
        config = job(name, sample_root)
        apply_options(config, parse_args(['config.py', __file__, '--tta']))
        model = MODELS.build(config.model).eval()
        shapes = []
        model.module.backbone.register_forward_pre_hook(lambda module, args: shapes.append(tuple(args[0].shape[-2:])))
        result, = model.test_step(batch(config, 'test', 1))
    assert shapes == 2 * [(192, 256)] + 2 * [(288, 384)]
    assert result.pred_sem_seg.data.shape[-2:] == (192, 256)


@pytest.mark.parametrize('name', of_host('mmpose', 'mmseg', names=SAMPLE))
def test_bfloat16_in_backbone_and_neck(name, sample_root):
    config = job(name, sample_root)
    pytest.importorskip(f'{config.default_scope}.models')
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model).train()
        model.init_weights()
        data = model.data_preprocessor(batch(config, 'train', 2), True)
        state = deepcopy(model.state_dict())
        expected = model.parse_losses(model(**deepcopy(data), mode='loss'))[0]
        model.load_state_dict(state)
        wrapper = BFloat16OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01))
        with wrapper.optim_context(model):
            loss = model.parse_losses(model(**data, mode='loss'))[0]
    assert loss.item() == pytest.approx(expected.item(), rel=0.1)
    assert loss.item() != expected.item()
    loss.backward()
    assert all(weight.grad.dtype == torch.float32 for weight in model.parameters())


REAL = ['td-hm_hrnetv1-w32_210e_coco-256x192', 'td-hm_hrnetv1-w48_udp-210e_coco-384x288',
        'td-hm_hrnetv2-w48_210e_coco-256x192', 'td-hm_hrnetv2-w18_60e_wflw-256x256',
        *(f'{head}_hrnetv2-{width}_120k_cityscapes' for head in ('fcn', 'ocr')
          for width in ('w18-small-v2', 'w18', 'w40', 'w48'))]


@pytest.mark.slow
@pytest.mark.parametrize('name', REAL)
def test_the_real_widths(name):
    """Run a forward and a backward pass of the networks at full width and depth on small images."""
    config = Config(load(name).to_dict())
    pytest.importorskip(f'{config.default_scope}.models')
    config.model.backbone.init_cfg = None
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model)
    model.init_weights()
    out = model.train()(torch.randn(2, 3, 64, 64), None, mode='tensor')
    (out**2).mean().backward()
    # the first head of OCR has an auxiliary loss and is not part of the output
    unused = [name for name, weight in model.named_parameters() if weight.grad is None]
    assert not [name for name in unused if not name.startswith('decode_head.0.')]
