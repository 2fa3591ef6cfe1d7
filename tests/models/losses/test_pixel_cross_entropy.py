"""Segmentation loss against torch and against a reference of hard example mining."""

from __future__ import annotations

import pytest
import torch
from mmengine.registry import MODELS
from torch.nn import functional as F

from hrnet_plugin.models import PixelCrossEntropy

IGNORED = 255


@pytest.fixture
def batch():
    target = torch.randint(0, 4, (2, 6, 7))
    target[0, :3] = IGNORED
    return torch.randn(2, 4, 6, 7, requires_grad=True), target


@pytest.mark.parametrize('weights', [None, [0.5, 1., 2., 0.1]])
def test_equals_torch_cross_entropy_without_ignored_pixels(batch, weights):
    logits, target = batch
    loss = PixelCrossEntropy(weights, loss_weight=0.4)
    expected = F.cross_entropy(logits, target, None if weights is None else torch.tensor(weights), ignore_index=IGNORED)
    assert loss(logits, target, ignore_index=IGNORED).item() == pytest.approx(0.4 * expected.item(), rel=1e-6)
    assert not loss.state_dict()


@pytest.mark.parametrize('weights', [None, [0.5, 1., 2., 0.1]])
@pytest.mark.parametrize(('thresh', 'min_kept'), [(0.2, 0), (0.2, 30), (0.9, 3), (0.3, 1000)])
def test_hard_pixels(batch, thresh, min_kept, weights):
    logits, target = batch
    each = F.cross_entropy(logits, target, None if weights is None else torch.tensor(weights), ignore_index=IGNORED,
                           reduction='none')
    pixels = []
    for place in (target != IGNORED).nonzero():
        n, y, x = place.tolist()
        pixels.append((logits[n, :, y, x].softmax(0)[target[n, y, x]].item(), each[n, y, x].item()))
    pixels.sort()
    bar = max(thresh, pixels[min(min_kept, len(pixels) - 1)][0])
    kept = [loss for probability, loss in pixels if probability < bar]
    assert len(kept) >= min(min_kept, len(pixels) - 1)
    loss = PixelCrossEntropy(weights, thresh=thresh, min_kept=min_kept)(logits, target)
    assert loss.item() == pytest.approx(sum(kept) / len(kept), rel=1e-5)
    loss.backward()
    assert (logits.grad.abs().sum(1) > 0).sum() == len(kept)


@pytest.mark.parametrize('options', [dict(), dict(thresh=0.9, min_kept=5), dict(class_weight=[1., 1., 1., 1.])])
def test_loss_is_zero_if_all_pixels_are_ignored(options):
    logits = torch.randn(1, 4, 3, 3, requires_grad=True)
    loss = PixelCrossEntropy(**options)(logits, torch.full((1, 3, 3), IGNORED))
    assert loss.item() == 0
    loss.backward()
    assert logits.grad.abs().sum() == 0


@pytest.mark.parametrize(('options', 'message'), [
    (dict(thresh=0.), 'thresh must be a probability above 0, or None, got 0.0'),
    (dict(thresh=2.), 'thresh must be a probability'), (dict(thresh='a'), "thresh must be .* got 'a'"),
    (dict(min_kept=5), 'min_kept must be 0 without thresh, got 5'),
    (dict(thresh=0.5, min_kept=-1), 'min_kept must be at least 0, got -1')])
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        PixelCrossEntropy(**options)


@pytest.mark.parametrize('options', [dict(), dict(thresh=0.9, min_kept=5), dict(class_weight=[1., 2., 3., 4.])])
def test_half_precision_is_summed_in_float32(options):
    logits, target = torch.randn(1, 4, 300, 400), torch.randint(0, 4, (1, 300, 400))
    loss = PixelCrossEntropy(**options)
    for dtype in (torch.float16, torch.bfloat16):
        rounded = logits.to(dtype)
        assert loss(rounded, target).item() == pytest.approx(loss(rounded.float(), target).item(), rel=1e-6)


def test_class_weight_must_be_a_sequence():
    with pytest.raises(TypeError, match=r"class_weight must be a sequence of numbers, .* got 'x'"):
        PixelCrossEntropy(class_weight='x')


def test_pixel_weights_of_a_sampler_are_rejected(batch):
    logits, target = batch
    with pytest.raises(ValueError, match='Remove sampler from the head'):
        PixelCrossEntropy()(logits, target, weight=torch.ones(2, 6, 7))


def test_in_a_head():
    pytest.importorskip('mmseg')
    loss = dict(type='hrnet_plugin.PixelCrossEntropy', class_weight=[1., 2., 3.], loss_name='loss_pixels')
    head = MODELS.build(dict(type='hrnet_plugin.FCNHead', arch='w18_small_v1', num_classes=3, loss_decode=loss))
    losses = head.loss_by_feat(torch.randn(1, 3, 8, 8), [_Sample(torch.randint(0, 3, (1, 32, 32)))])
    assert set(losses) == {'loss_pixels', 'acc_seg'}


class _Sample:
    def __init__(self, data):
        self.gt_sem_seg = type('PixelData', (), {'data': data})
