"""Focal losses agree with references, with finite differences and, on CUDA, with a compiled mmcv."""

from __future__ import annotations

import mmcv_ops_helpers as helpers
import mmcv_ops_references as references
import mmcv_torch_ops
import pytest
import torch
from mmcv_ops_helpers import DEVICES, assert_close, mmcv_module, operators

module = mmcv_module('focal_loss')
KINDS = ('sigmoid', 'softmax')
EXPONENTS = [(2., 0.25), (0., 0.5), (0.5, 0.75), (1.5, 1.)]


@pytest.fixture(params=DEVICES)
def device(request):
    return request.param


def loss(kind, target, gamma=2., alpha=0.25, weight=None, reduction='none'):
    """Return a function of the logits."""
    function = getattr(module, f'{kind}_focal_loss')
    return lambda x: function(x, target, gamma, alpha, None if weight is None else weight.to(x), reduction)


def reduced(kind):
    """Return the reduction whose gradient mmcv's function supports."""
    return 'none' if kind == 'sigmoid' else 'sum'


def logits(device='cpu', dtype=torch.float32):
    return (3 * torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))).to(device, dtype)


def labels(kind, device='cpu'):
    """The last label is background, or ignored."""
    return torch.tensor([0, 1, 2, 3, 1, 4 if kind == 'sigmoid' else -1], device=device)


@pytest.mark.parametrize('weight', [None, torch.tensor([0.5, 1., 2., 3.])], ids=['plain', 'weighted'])
@pytest.mark.parametrize(('gamma', 'alpha'), EXPONENTS)
@pytest.mark.parametrize('kind', KINDS)
def test_losses(device, kind, gamma, alpha, weight):
    x = logits(device, torch.float64)
    expected = getattr(references, f'{kind}_focal_loss')(x.cpu(), labels(kind), gamma, alpha, weight)
    function = loss(kind, labels(kind, device), gamma, alpha, weight)
    with operators(mmcv_torch_ops):
        assert_close([function(x)], [expected.to(device)], 1e-12)
        assert_close([function(x.float())], [expected.float().to(device)])
    helpers.check_gradients(loss(kind, labels(kind, device), gamma, alpha, weight, reduced(kind)), x)


@pytest.mark.parametrize('reduction', ['mean', 'sum'])
@pytest.mark.parametrize('kind', KINDS)
def test_reductions(kind, reduction):
    helpers.check_gradients(loss(kind, labels(kind), reduction=reduction), logits())


@pytest.mark.parametrize('weight', [None, torch.tensor([0.5, 1., 2., 3.])], ids=['plain', 'weighted'])
@pytest.mark.parametrize('kind', KINDS)
def test_against_compiled(kind, weight):
    if not torch.cuda.is_available():
        pytest.skip('mmcv has focal losses for CUDA only')
    target = labels(kind, 'cuda').clamp(0, 3)  # weights of other labels are read out of bounds there
    function = loss(kind, target, weight=weight, reduction=reduced(kind))
    helpers.check_against_compiled(function, logits('cuda'), device='cuda')


@pytest.mark.parametrize('kind', KINDS)
def test_against_mmdet_on_cpu(kind):
    """mmdet computes the sigmoid focal loss of CPU tensors in PyTorch."""
    if kind == 'softmax':
        pytest.skip('mmdet has no softmax focal loss')
    focal_loss = pytest.importorskip('mmdet.models.losses.focal_loss')
    x, target = logits(dtype=torch.float64), labels(kind)
    one_hot = torch.nn.functional.one_hot(target, 5)[:, :4]
    theirs = helpers.with_gradients(lambda x: focal_loss.py_sigmoid_focal_loss(x, one_hot, reduction='none'), x)
    assert_close(helpers.with_gradients(loss(kind, target), x), theirs, 1e-9)


@pytest.mark.parametrize('kind', KINDS)
def test_logits_that_saturate(kind):
    x = torch.tensor([[200., -200., 30., 0.], [-200., 200., 30., 0.]])
    for gamma in (0., 0.5, 2.):
        output, grad = helpers.with_gradients(loss(kind, torch.tensor([0, 0]), gamma, reduction=reduced(kind)), x)
        assert output.isfinite().all()
        assert grad.isfinite().all()


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_sigmoid_in_half_types(device, dtype):
    helpers.check_half(loss('sigmoid', labels('sigmoid', device)), logits(device), dtype=dtype)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_softmax_in_half_types(device, dtype):
    """mmcv computes the softmax itself, in the type of the logits."""
    x, function = logits(device), loss('softmax', labels('softmax', device), reduction='sum')
    half = helpers.with_gradients(function, x.to(dtype))
    assert all(result.dtype == dtype for result in half)
    assert_close([result.float() for result in half], helpers.with_gradients(function, x), 5e-2)


@pytest.mark.parametrize('kind', KINDS)
def test_layout_and_autocast(device, kind):
    x, function = logits(device), loss(kind, labels(kind, device), reduction=reduced(kind))
    assert_close(helpers.with_gradients(function, x.t().contiguous().t()), helpers.with_gradients(function, x), 0)
    helpers.check_autocast(function, x)


@pytest.mark.parametrize('kind', KINDS)
def test_no_samples(device, kind):
    x, target = logits(device)[:0], labels(kind, device)[:0]
    with operators(mmcv_torch_ops):
        assert loss(kind, target)(x).shape == ((0, 4) if kind == 'sigmoid' else (0,))
    output, grad = helpers.with_gradients(loss(kind, target, reduction='sum'), x)
    assert output == 0
    assert grad.shape == (0, 4)


@pytest.mark.parametrize(('kind', 'largest'), [('sigmoid', 4), ('softmax', 3)])
def test_labels_beyond_the_classes(kind, largest):
    target = torch.tensor([0, 1, 2, 3, 1, largest + 1])
    with operators(mmcv_torch_ops), pytest.raises(ValueError, match=f'target must be at most {largest}, got'):
        loss(kind, target)(logits())
