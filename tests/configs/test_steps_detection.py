"""One training step and one prediction of every detection family, on the sample set."""

from __future__ import annotations

import math
from copy import deepcopy

import pytest
import torch
from catalogue import ABLATIONS, CONFIG_FILES, of_host
from mmengine.config import Config
from mmengine.dataset import pseudo_collate

from hrnet_plugin.cli.evaluate import apply_options, parse_args
from hrnet_plugin.config_files import relocate_data
from hrnet_plugin.experiments.benchmarking import random_weights
from hrnet_plugin.experiments.sample_set import write_sample_set
from hrnet_plugin.training.bfloat16 import BFloat16OptimWrapper

pytest.importorskip('mmdet')
from mmdet.registry import DATASETS, MODELS

pytestmark = pytest.mark.usefixtures('mmdet_scope')

FAMILIES = {name.split('-w18-')[0]: name for name in of_host('mmdet') if name.endswith('_sample')}
# every network once: schedules and recipes do not change the network
REAL = [name for name in of_host('mmdet') if name.endswith(
    ('_1x_coco', '_20e_coco', '_12e_coco', '_crop512-140e_coco', '_crop511-480k_coco', '6l_2x_coco', '_syncbn-1x_coco'))
    and '-bgr' not in name]


@pytest.fixture(scope='module')
def sample_root(tmp_path_factory):
    return write_sample_set(tmp_path_factory.mktemp('sample'), 4, 2, 160, 128)


def job(family, root):
    """Return the sample config of a family for a set of small images."""
    config = Config.fromfile(str(CONFIG_FILES[FAMILIES[family]]))
    config.merge_from_dict(relocate_data(config, str(root)))
    return config


def _smaller(value):
    """Return a pipeline with halved scales."""
    if isinstance(value, dict):
        return {key: (entry[0] // 2, entry[1] // 2) if key == 'scale' else _smaller(entry)
                for key, entry in value.items()}
    return [_smaller(entry) for entry in value] if isinstance(value, list) else value


def batch(config, split, number):
    dataset = DATASETS.build(_smaller(config[f'{split}_dataloader'].dataset.to_dict()))
    return pseudo_collate([dataset[i] for i in range(number)])


def loss_of(model, data):
    torch.manual_seed(0)  # samplers draw proposals
    return model.parse_losses(model(**model.data_preprocessor(deepcopy(data), True), mode='loss'))[0]


def check_step(model, config, names=('backbone', 'neck')):
    """Run a training step and a prediction, and return the predicted instances.

    The loss is finite, and every parameter of backbone and neck has a gradient.
    """
    model.init_weights()
    loss = loss_of(model.train(), batch(config, 'train', 2))
    assert math.isfinite(loss)
    loss.backward()
    for name in names:
        unused = [key for key, weight in getattr(model, name).named_parameters() if weight.grad is None]
        assert not unused
    result, = model.eval().val_step(batch(config, 'val', 1))
    instances = result.pred_instances
    assert len(instances.bboxes) == len(instances.scores) == len(instances.labels)
    assert instances.bboxes.isfinite().all()
    return instances


@pytest.mark.parametrize('family', FAMILIES)
def test_a_training_step_and_a_prediction(family, sample_root):
    config = job(family, sample_root)
    torch.manual_seed(0)
    instances = check_step(MODELS.build(config.model), config)
    height, width = 128, 160
    if len(instances.bboxes) and not family.startswith('centernet_'):  # CenterNet does not clip boxes
        assert instances.bboxes[:, 0::2].max() <= width
        assert instances.bboxes[:, 1::2].max() <= height
    segm = 'segm' in config.val_evaluator.metric
    assert segm == (family.startswith(('mask', 'cascade-mask', 'htc')))
    if segm:
        assert instances.masks.shape[1:] == (height, width)


@pytest.mark.parametrize('family', FAMILIES)
def test_bfloat16_in_backbone_and_neck(family, sample_root):
    """The loss is that of float32 up to bfloat16's three digits, and its gradients are finite and in float32."""
    config = job(family, sample_root)
    torch.manual_seed(0)
    model = MODELS.build(config.model).train()
    model.init_weights()
    data = batch(config, 'train', 2)
    wrapper = BFloat16OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01))
    seen, levels = [], []
    model.neck.register_forward_pre_hook(lambda module, args: seen.append(args[0][0].dtype))
    model.neck.register_forward_hook(lambda module, args, out: levels.append(out[0].float()))
    state = deepcopy(model.state_dict())
    expected = loss_of(model, data)
    model.load_state_dict(state)
    with wrapper.optim_context(model):
        loss = loss_of(model, data)
    assert seen == [torch.float32, torch.bfloat16]
    assert loss.item() == pytest.approx(expected.item(), rel=0.1)
    # features, not losses: sums may be equal by chance
    assert not torch.equal(*levels)
    loss.backward()
    for weight in model.backbone.parameters():
        assert weight.grad.dtype == torch.float32
        assert weight.grad.isfinite().all()
    assert not model.backbone._forward_hooks


@pytest.mark.parametrize('family', [family for family in FAMILIES if family.split('_')[0] in (
    'fcos', 'retinanet', 'atss', 'gfl', 'centernet', 'centernet-triplet', 'dino')])
def test_float16_everywhere(family, sample_root):
    """As with mmengine's AmpOptimWrapper on GPUs. Detectors with RoIAlign have no float16 on CPUs."""
    config = job(family, sample_root)
    torch.manual_seed(0)
    model = MODELS.build(config.model).train()
    model.init_weights()
    data, state = batch(config, 'train', 2), deepcopy(model.state_dict())
    expected = loss_of(model, data)
    model.load_state_dict(state)
    with torch.autocast('cpu', torch.float16):
        loss = loss_of(model, data)
    assert loss.item() == pytest.approx(expected.item(), rel=0.02)
    assert loss.item() != expected.item()


def let_through(model):
    """Let a detector with random weights detect boxes."""
    if model.get('bbox_head', model).type == 'hrnet_plugin.CenterTripletHead':
        # corners and centers of random heatmaps must have the same class
        model.bbox_head.num_classes = 1
        model.test_cfg.update(distance_threshold=100., nms=None)
    else:
        model.test_cfg.get('rcnn', model.test_cfg).score_thr = 0.


@pytest.mark.parametrize(('family', 'views'), [
    *((family, 4) for family in FAMILIES if family.split('_')[0] in (
        'faster-rcnn', 'cascade-rcnn', 'fcos', 'retinanet', 'atss', 'gfl')),
    ('centernet_hrnetv2', 2), ('centernet-triplet_hrnetv2', 2)])
def test_test_time_augmentation(family, views, sample_root):
    """Scales with and without flipping are merged into one result in pixels of the original image."""
    config = job(family, sample_root)
    apply_options(config, parse_args(['config.py', __file__, '--tta']))
    let_through(config.model.module)
    torch.manual_seed(0)
    model = MODELS.build(config.model).eval()
    model.module.init_weights()
    if 'triplet' in family:
        random_weights(model.module)  # its initial weights give heatmaps without maxima
    shapes = []
    model.module.backbone.register_forward_pre_hook(lambda module, args: shapes.append(tuple(args[0].shape[-2:])))
    result, = model.test_step(batch(config, 'test', 1))
    assert len(shapes) == views
    assert len(set(shapes)) == views // 2
    boxes = result.pred_instances.bboxes
    assert 0 < len(boxes) <= 100
    if not family.startswith('centernet_'):  # CenterNet does not clip boxes
        assert boxes.min() >= 0
        assert (boxes.max(0).values <= torch.tensor([160., 128., 160., 128.])).all()


def test_keypoint_triplets_at_five_scales(sample_root):
    """Run the pipeline of the config with ``mstest`` on the small network of the sample config."""
    config = job('centernet-triplet_hrnetv2', sample_root)
    scales = Config.fromfile(str(CONFIG_FILES['centernet-triplet_hrnetv2-w48_crop511-480k-mstest_coco']))
    config.tta_pipeline = scales.tta_pipeline
    apply_options(config, parse_args(['config.py', __file__, '--tta']))
    let_through(config.model.module)
    torch.manual_seed(0)
    model = MODELS.build(config.model).eval()
    random_weights(model.module)
    data = batch(config, 'test', 1)
    factors = [view[0].scale_factor[0] for view in data['data_samples']]
    assert len(factors) == 10
    assert sorted(factors)[::2] == pytest.approx([0.6, 1.0, 1.2, 1.5, 1.8])
    assert sum(view[0].flip for view in data['data_samples']) == 5
    boxes = model.test_step(data)[0].pred_instances.bboxes
    assert 0 < len(boxes) <= 100
    assert (boxes.max(0).values <= torch.tensor([160., 128., 160., 128.])).all()


@pytest.mark.slow
@pytest.mark.parametrize('name', REAL)
def test_the_real_widths(name, sample_root):
    """Run the networks of the COCO configs at full width and depth on small images."""
    config = Config.fromfile(str(CONFIG_FILES[name]))
    config.model.backbone.init_cfg = None
    if 'num_queries' in config.model:
        config.model.num_queries = 300  # instead of 900, which exceed the pixels of these images at stride 8
    torch.manual_seed(0)
    check_step(MODELS.build(config.model), job(ABLATIONS.get(name, name).split('-w')[0], sample_root))
