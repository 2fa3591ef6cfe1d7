"""Triplet head: losses against a reference, training, and errors."""

from __future__ import annotations

import math
from copy import deepcopy

import pytest
import torch
from mmengine.structures import InstanceData
from torch import nn

pytest.importorskip('mmdet')
from hrnet_plugin.models.dense_heads import CenterTripletHead
from hrnet_plugin.models.dense_heads.keypoints import KeypointMaps
from hrnet_plugin.models.dense_heads.targets import triplet_targets

pytestmark = pytest.mark.usefixtures('mmdet_scope')

SHAPE, IMAGE = (3, 3, 24, 32), (95, 127)
METAS = [dict(img_shape=IMAGE, batch_input_shape=IMAGE)] * 3
BOXES = [torch.tensor([[3., 5., 80., 70.], [10., 12., 17., 20.], [11., 12., 90., 61.]]), torch.zeros(0, 4),
         torch.tensor([[0., 0., 127., 95.]])]
LABELS = [torch.tensor([1, 0, 1]), torch.zeros(0, dtype=torch.long), torch.tensor([2])]


@pytest.fixture
def head():
    return CenterTripletHead(3, 6, feat_channels=8, pool_channels=4)


def objects(boxes=BOXES, labels=LABELS):
    return [InstanceData(bboxes=b, labels=label) for b, label in zip(boxes, labels)]


def random_maps(with_embedding=True):
    embedding = torch.randn(3, 1, 24, 32) if with_embedding else None
    return KeypointMaps(torch.randn(SHAPE), torch.randn(3, 2, 24, 32), embedding)


def reference_focal(maps, target):
    total, number = 0., 0
    for logit, wanted in zip(maps.heat.flatten().tolist(), target.heat.flatten().tolist()):
        p = 1 / (1 + math.exp(-logit))
        if wanted == 1:
            total -= math.log(p) * (1 - p)**2
            number += 1
        else:
            total -= math.log(1 - p) * p**2 * (1 - wanted)**4
    return total / max(1, number)


def reference_offset(maps, target):
    total = 0.
    for (image, y, x), wanted in zip(target.cells, target.offsets.tolist()):
        for axis in range(2):
            error = abs(maps.offset[image, axis, y, x].item() - wanted[axis])
            total += 0.5 * error**2 if error < 1 else error - 0.5
    return total / max(1, len(target.cells))


def reference_embedding(first, second, targets):
    pull = push = 0.
    for image in range(3):
        pairs = [(first.embedding[i, 0, y, x].item(), second.embedding[j, 0, v, u].item())
                 for (i, y, x), (j, v, u) in zip(targets[0].cells, targets[1].cells) if i == image]
        means = [(a + b) / 2 for a, b in pairs]
        pull += sum((a - m)**2 + (b - m)**2 for (a, b), m in zip(pairs, means)) / max(1, len(pairs))
        push += sum(max(0, 1 - abs(one - other)) for i, one in enumerate(means) for j, other in enumerate(means)
                    if i != j) / max(1, len(means) * (len(means) - 1))
    return 0.1 * pull, 0.1 * push


def test_losses_equal_the_reference(head):
    top_left, bottom_right, _ = maps = random_maps(), random_maps(), random_maps(False)
    losses = head.loss_by_feat(*maps, objects(), METAS)
    targets = triplet_targets(BOXES, LABELS, SHAPE, IMAGE, 0.3)
    focal = [reference_focal(*both) for both in zip(maps, targets)]
    offset = [reference_offset(*both) for both in zip(maps, targets)]
    pull, push = reference_embedding(top_left, bottom_right, targets)
    expected = dict(loss_corner_heat=focal[0] + focal[1], loss_center_heat=focal[2], loss_pull=pull, loss_push=push,
                    loss_corner_offset=offset[0] + offset[1], loss_center_offset=offset[2])
    assert set(losses) == set(expected)
    for name, value in expected.items():
        assert value > 0
        assert losses[name].item() == pytest.approx(value, rel=1e-4), name


def test_loss_weights(head):
    maps = random_maps(), random_maps(), random_maps(False)
    plain = head.loss_by_feat(*maps, objects(), METAS)
    weighty = CenterTripletHead(
        3, 6, loss_heatmap=dict(type='GaussianFocalLoss', loss_weight=2.),
        loss_embedding=dict(type='AssociativeEmbeddingLoss', pull_weight=0.3, push_weight=0.4),
        loss_offset=dict(type='SmoothL1Loss', loss_weight=5.)).loss_by_feat(*maps, objects(), METAS)
    factors = dict(loss_corner_heat=2, loss_center_heat=2, loss_pull=3, loss_push=4, loss_corner_offset=5,
                   loss_center_offset=5)
    for name, factor in factors.items():
        torch.testing.assert_close(weighty[name], factor * plain[name])


def test_min_overlap_determines_the_radius(head):
    maps = random_maps(), random_maps(), random_maps(False)
    narrow = CenterTripletHead(3, 6, min_overlap=0.9).loss_by_feat(*maps, objects(), METAS)
    wide = head.loss_by_feat(*maps, objects(), METAS)
    for name in ('loss_corner_heat', 'loss_center_heat'):  # smaller peaks: a higher loss of random predictions
        assert narrow[name] > wide[name]


def test_images_without_objects_have_finite_losses_and_gradients(head):
    head.train()
    maps = head([torch.randn(3, 6, 24, 32)])
    losses = head.loss_by_feat(*maps, objects([torch.zeros(0, 4)] * 3, [torch.zeros(0, dtype=torch.long)] * 3), METAS)
    sum(losses.values()).backward()
    assert all(loss.isfinite() for loss in losses.values())
    assert losses['loss_corner_heat'] > 0
    assert losses['loss_pull'] == losses['loss_push'] == losses['loss_corner_offset'] == 0
    assert all(weight.grad is not None and weight.grad.isfinite().all() for weight in head.parameters())


def test_embeddings_without_objects_are_ignored(head):
    """Check infinite embeddings far from all objects, as float16 may overflow."""
    maps = [random_maps(), random_maps(), random_maps(False)]
    expected = head.loss_by_feat(*maps, objects(), METAS)
    for part in maps[:2]:
        part.embedding[0, 0, 0, 31] = torch.inf
    assert head.loss_by_feat(*maps, objects(), METAS)['loss_pull'] == expected['loss_pull']


def test_overfitting_two_images(head):
    """Train on two images until the head detects their objects."""
    torch.manual_seed(0)
    head.init_weights()
    feats, boxes = torch.rand(2, 6, 24, 32), [torch.tensor([[8., 8., 72., 64.]]), torch.tensor([[40., 20., 110., 90.]])]
    images = objects(boxes, [torch.tensor([1]), torch.tensor([0])])
    optimizer = torch.optim.Adam(head.parameters(), 0.01)
    seen = []
    for _ in range(120):
        optimizer.zero_grad()
        loss = sum(head.loss_by_feat(*head([feats]), images, METAS[:2]).values())
        loss.backward()
        optimizer.step()
        seen.append(loss.item())
    assert seen[-1] < seen[0] / 20
    results = head.predict_by_feat(*head([feats]), METAS[:2])
    for result, image in zip(results, images):
        assert result.labels[0] == image.labels[0]
        torch.testing.assert_close(result.bboxes[:1], image.bboxes, atol=2, rtol=0)


def test_initial_heatmap_probability(head):
    head.init_weights()
    for branch in (head.top_left, head.bottom_right, head.center):
        torch.testing.assert_close(branch.heat[-1].bias.sigmoid(), torch.full((3, ), 0.1))


def test_number_of_parameters():
    """Expect 11.18 M parameters after the first convolution, as in the CenterNet code with 256 channels."""
    head = CenterTripletHead(80, 256)
    size = {name: sum(weight.numel() for weight in part.parameters()) for name, part in head.named_children()}
    assert size['stem'] == 256 * 256 * 9 + 512
    assert size['top_left'] + size['bottom_right'] + size['center'] == 11_181_304


def test_output_shapes(head):
    maps = head([torch.rand(2, 6, 7, 9)])
    assert [None if x is None else tuple(x.shape) for part in maps for x in part] == [
        (2, 3, 7, 9), (2, 2, 7, 9), (2, 1, 7, 9), (2, 3, 7, 9), (2, 2, 7, 9), (2, 1, 7, 9), (2, 3, 7, 9), (2, 2, 7, 9),
        None]


def test_norm_cfg_and_init_cfg():
    head = CenterTripletHead(3, 8, feat_channels=8, pool_channels=4, norm_cfg=dict(type='GN', num_groups=2),
                             init_cfg=dict(type='Constant', layer='Conv2d', val=0.5, bias=0.))
    assert not any(isinstance(module, nn.BatchNorm2d) for module in head.modules())
    head.init_weights()
    assert head.center.offset[-1].weight.eq(0.5).all()
    assert head.center.heat[-1].bias.lt(-2).all()


@pytest.mark.parametrize(('options', 'error', 'message'), [
    (dict(num_classes=0), ValueError, 'num_classes must be between 1 and 1048576, got 0'),
    (dict(in_channels='8'), TypeError, "in_channels must be an int, got '8'"),
    (dict(feat_channels=0), ValueError, 'feat_channels must be between 1 and 1048576, got 0'),
    (dict(pool_channels=0), ValueError, 'pool_channels must be between 1 and 1048576, got 0'),
    (dict(min_overlap=1), ValueError, 'min_overlap must be between 0 and 1, got 1'),
    (dict(norm_cfg=None), TypeError, "norm_cfg must be a mapping with the key 'type', got None"),
    (dict(train_cfg=dict(x=1)), ValueError, r"train_cfg of CenterTripletHead must be None or empty, got \{'x': 1\}"),
    (dict(test_cfg=dict(score_thr=1)), ValueError, "test_cfg of CenterTripletHead must be among .*, got 'score_thr'"),
    (dict(init_cfg=3), TypeError, 'init_cfg must be')])
def test_mistakes(options, error, message):
    with pytest.raises(error, match=message):
        CenterTripletHead(**{**dict(num_classes=3, in_channels=8), **options})


def test_one_input_feature_map(head):
    with pytest.raises(ValueError, match='feats must have 1 feature maps'):
        head([torch.rand(1, 6, 8, 8)] * 2)
    with pytest.raises(ValueError, match=r'feats\[0\] must have shape \(N, 6, H, W\)'):
        head([torch.rand(1, 7, 8, 8)])


def test_bfloat16(head):
    """Check that losses and boxes are computed in float32 under autocast."""
    feats = torch.rand(3, 6, 24, 32)
    with torch.autocast('cpu', torch.bfloat16):
        maps = head([feats])
        losses = head.loss_by_feat(*maps, objects(), METAS)
    assert maps[0].heat.dtype == torch.bfloat16
    assert all(loss.dtype == torch.float32 and loss.isfinite() for loss in losses.values())
    assert head.predict_by_feat(*maps, METAS)[0].bboxes.dtype == torch.float32


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_gpu_and_cpu_agree(head):
    head.eval()
    feats = torch.rand(3, 6, 24, 32)
    there = deepcopy(head).cuda()
    on_gpu = [InstanceData(bboxes=image.bboxes.cuda(), labels=image.labels.cuda()) for image in objects()]
    maps, maps_there = head([feats]), there([feats.cuda()])
    losses, losses_there = head.loss_by_feat(*maps, objects(), METAS), there.loss_by_feat(*maps_there, on_gpu, METAS)
    for name, loss in losses.items():
        torch.testing.assert_close(losses_there[name].cpu(), loss, rtol=1e-4, atol=1e-5)
    moved = [KeypointMaps(*(None if x is None else x.cuda() for x in part)) for part in maps]
    for ours, theirs in zip(head.predict_by_feat(*maps, METAS), there.predict_by_feat(*moved, METAS)):
        torch.testing.assert_close(theirs.bboxes.cpu(), ours.bboxes, rtol=1e-4, atol=1e-3)
        torch.testing.assert_close(theirs.scores.cpu(), ours.scores, rtol=1e-4, atol=1e-5)
