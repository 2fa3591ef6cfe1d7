"""Recomputed activations (``memory='lean'``): same gradients, less memory, in-place changes detected."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch
from conftest import randomize, relative_error
from torch import nn
from torch.multiprocessing.reductions import StorageWeakRef

from hrnet_plugin.execution.recomputing import RecomputingExecution, _statistics
from hrnet_plugin.experiments.benchmarking import peak_bytes, saved_bytes
from hrnet_plugin.models import HRNet

ARCH = 'w18_small_v1'


def pair(**options):
    """Return a network with default memory and one with ``memory='lean'``, in training mode and double precision."""
    plain = randomize(HRNet(ARCH, **options)).double().train()
    lean = HRNet(ARCH, memory='lean', **options).double().train()
    lean.load_state_dict(plain.state_dict())
    return plain, lean


def backward(model, x, **options):
    loss = sum((k * out).square().mean() for k, out in enumerate(model(x), 1))
    loss.backward(**options)
    return loss


def assert_same_step(plain, lean, tolerance=1e-12):
    for (name, ours), theirs in zip(lean.named_parameters(), plain.parameters()):
        assert (ours.grad is None) == (theirs.grad is None), name
        if ours.grad is not None:
            assert relative_error(ours.grad, theirs.grad) < tolerance, name
    for (name, ours), theirs in zip(lean.named_buffers(), plain.buffers()):
        assert torch.equal(ours, theirs), f'{name}: statistics must be updated once'


@pytest.mark.parametrize('options', [
    dict(), dict(upsample='bilinear'), dict(multiscale_output=False), dict(frozen_stages=1), dict(norm_eval=True),
    dict(norm_cfg=dict(type='BN', momentum=None)), dict(norm_cfg=dict(type='BN', affine=False)),
    dict(norm_cfg=dict(type='BN', track_running_stats=False)), dict(norm_cfg=dict(type='GN', num_groups=2))], ids=str)
@pytest.mark.parametrize('size', [(64, 96), (75, 101)])
def test_same_gradients_and_statistics(options, size):
    plain, lean = pair(**{'norm_eval': False, **options})
    x = torch.randn(2, 3, *size, dtype=torch.double)
    for model in (plain, lean):
        backward(model, x)
    assert_same_step(plain, lean)


def test_gradient_of_the_image():
    plain, lean = pair(norm_eval=False)
    images = [torch.ones(2, 3, 64, 64, dtype=torch.double).requires_grad_() for _ in range(2)]
    with torch.no_grad():
        for image in images:
            image[:, :, 20:40] = 3
    for model, image in zip((plain, lean), images):
        backward(model, image)
    assert relative_error(images[1].grad, images[0].grad) < 1e-12


def test_two_backward_passes_and_sums_of_steps():
    plain, lean = pair(norm_eval=False)
    x, y = (torch.randn(2, 3, 64, 64, dtype=torch.double) for _ in range(2))
    for model in (plain, lean):
        first = backward(model, x, retain_graph=True)
        backward(model, y)  # before the second backward pass of the first graph
        first.backward()
    assert_same_step(plain, lean)


def test_weights_that_are_updated_between_steps():
    plain, lean = pair(norm_eval=False)
    for model in (plain, lean):
        torch.manual_seed(1)
        optimizer = torch.optim.SGD(model.parameters(), 0.01)
        for _ in range(3):
            optimizer.zero_grad()
            backward(model, torch.randn(2, 3, 64, 64, dtype=torch.double))
            optimizer.step()
    theirs = plain.state_dict()
    for name, ours in lean.state_dict().items():
        assert relative_error(ours.double(), theirs[name].double()) < 1e-9, name


def test_in_mixed_precision():
    plain, lean = (model.float() for model in pair(norm_eval=False))
    x = torch.randn(2, 3, 64, 64)
    for model in (plain, lean):
        with torch.autocast('cpu', torch.bfloat16):
            outs = model(x)
        sum(out.float().square().mean() for out in outs).backward()
    # in bfloat16 both have errors of about 1 percent, so their difference may be as large
    assert relative_error(lean.conv1.weight.grad, plain.conv1.weight.grad) < 0.05


@pytest.mark.parametrize('size', [(64, 96), (224, 160)])
def test_saved_tensors_are_little_more_than_half(size):
    plain, lean = pair(norm_eval=False)
    x = torch.randn(2, 3, *size, dtype=torch.double)
    full, less = (saved_bytes(partial(model, x)) for model in (plain, lean))
    assert less < 0.6 * full


def test_outputs_and_predictions_are_the_same():
    plain, lean = pair(norm_eval=False)
    x = torch.randn(2, 3, 64, 64, dtype=torch.double)
    assert all(torch.equal(a, b) for a, b in zip(plain(x), lean(x)))
    with torch.no_grad():
        assert all(torch.equal(a, b) for a, b in zip(plain.eval()(x), lean.eval()(x)))


def test_copied_and_compiled():
    _, lean = pair(norm_eval=False)
    x = torch.randn(2, 3, 64, 64, dtype=torch.double)
    twin = copy.deepcopy(lean)
    backward(lean, x)
    torch._dynamo.reset()
    backward(torch.compile(twin, backend='aot_eager', fullgraph=True), x)
    for ours, theirs in zip(twin.parameters(), lean.parameters()):
        assert relative_error(ours.grad, theirs.grad) < 1e-10


@pytest.mark.parametrize('write', [lambda out: out.mul_(2), lambda out: out.add_(1), torch.relu_])
def test_an_in_place_write_prevents_recomputing(write):
    """The feature map itself is saved then."""
    norm, conv = nn.BatchNorm2d(4).double(), nn.Conv2d(4, 4, 1).double()
    source = torch.randn(2, 4, 5, 5, dtype=torch.double, requires_grad=True)

    def run():
        out = write(execution.conv_norm_act(nn.Identity(), norm, None, source * 1, residual=source))
        return conv(out).square().sum()

    execution = RecomputingExecution()
    expected, = torch.autograd.grad(run(), source)
    loss, = execution.run(lambda _: [run()], [source], plain_convs=True)
    got, = torch.autograd.grad(loss, source)
    assert relative_error(got, expected) < 1e-12


def test_peak_memory_of_a_training_step():
    x, peaks = torch.randn(2, 3, 192, 192), []
    for memory in ('full', 'lean'):
        model = HRNet('w18_small_v2', norm_eval=False, memory=memory).train()
        backward(model, x)  # allocates the gradients, which are not counted
        peaks.append(peak_bytes(partial(backward, model, x)))
    assert peaks[1] < 0.8 * peaks[0], peaks


@pytest.mark.parametrize('options', [dict(norm_eval=False), dict(norm_eval=True)], ids=str)
def test_a_forward_pass_without_backward_frees_all_tensors(options):
    _, lean = pair(**options)
    maps = []
    for block in (*lean.stage2[0].branches[0], lean.stage3[0], lean.stage4[0]):
        block.register_forward_hook(lambda module, args, outs: maps.extend(
            StorageWeakRef(out.untyped_storage()) for out in (outs if isinstance(outs, list) else [outs])))
    outs = lean(torch.randn(2, 3, 64, 64, dtype=torch.double))
    assert not all(entry.expired() for entry in maps)
    del outs
    assert maps
    assert all(entry.expired() for entry in maps)


def write_output(model, outs):
    outs[0].sub_(1)


def write_weight(model, outs):
    model.layer1[0].bn1.weight.mul_(1.1)


def write_convolution(model, outs):
    model.stage3[0].branches[0][0].conv2.weight.mul_(1.1)


@pytest.mark.parametrize('write', [write_output, write_weight, write_convolution])
def test_in_place_changes_before_the_backward_pass_raise(write):
    for model in pair(norm_eval=False):
        outs = model(torch.randn(2, 3, 64, 64, dtype=torch.double))
        loss = sum(out.square().sum() for out in outs[1:])
        with torch.no_grad():
            write(model, outs)
        with pytest.raises(RuntimeError, match='modified by an inplace operation'):
            (loss + outs[0].square().sum() if write is not write_output else loss + outs[0].sum()).backward()


class Transposing(nn.Conv2d):
    def forward(self, x):
        return super().forward(x.transpose(2, 3)).transpose(2, 3)


class Clamping(nn.BatchNorm2d):
    def forward(self, x):
        return super().forward(x.clamp(-1, 1))


@pytest.fixture
def own_layers():
    """Register user-defined layers."""
    from mmengine.registry import MODELS
    MODELS.register_module('Transposing', module=Transposing)
    MODELS.register_module('Clamping', module=Clamping)
    Clamping._abbr_ = 'bn'
    yield
    del MODELS._module_dict['Transposing'], MODELS._module_dict['Clamping']


@pytest.mark.parametrize('options', [dict(conv_cfg=dict(type='Transposing')), dict(norm_cfg=dict(type='Clamping')),
                                     dict(norm_cfg=dict(type='Clamping'), norm_eval=True)], ids=str)
def test_user_defined_layers(own_layers, options):
    """They transpose or clamp their inputs."""
    plain, lean = pair(**{'norm_eval': False, **options})
    x = torch.randn(2, 3, 64, 64, dtype=torch.double)
    for model in (plain, lean):
        backward(model, x)
    assert_same_step(plain, lean)


def test_norms_with_hooks():
    plain, lean = pair(norm_eval=False)
    x = torch.randn(2, 3, 64, 64, dtype=torch.double)
    for model in (plain, lean):
        model.layer1[0].bn1.register_forward_pre_hook(lambda module, args: (args[0].clamp(-1, 1), ))
        backward(model, x)
    assert_same_step(plain, lean)


def test_inside_functional_transformations():
    plain, lean = pair(norm_eval=True)
    x = torch.randn(1, 3, 64, 64, dtype=torch.double)
    gradients = [torch.func.grad(lambda image, model=model: model(image)[0].square().mean())(x)
                 for model in (plain, lean)]
    assert relative_error(*gradients) < 1e-12


def test_statistics_of_sync_batch_norms():
    """Their autograd node saves input, weight, mean, inverse standard deviation and counts, in this order."""
    class SyncBatchNormBackward:
        saved_tensors = torch.zeros(1), torch.zeros(1), torch.full((4, ), 2.), torch.full((4, ), 3.), torch.zeros(1)

    norm, source = nn.SyncBatchNorm(4), torch.randn(2, 4, 5, 5)
    mean, invstd = _statistics(norm, source, SyncBatchNormBackward())
    assert torch.equal(mean, torch.full((4, ), 2.))
    assert torch.equal(invstd, torch.full((4, ), 3.))
    assert _statistics(norm, source, object()) is None


def test_statistics_of_unknown_autograd_nodes():
    norm, source = nn.BatchNorm2d(4), torch.randn(2, 4, 5, 5)
    kept = _statistics(norm, source, norm(source.requires_grad_()).grad_fn)
    computed = _statistics(norm, source, object())
    assert all(torch.allclose(a, b) for a, b in zip(kept, computed))


def test_not_with_checkpoints_of_blocks():
    with pytest.raises(ValueError, match="memory must be 'full' with with_cp=True, got 'lean'"):
        HRNet(ARCH, memory='lean', with_cp=True)
    with pytest.raises(ValueError, match='memory'):
        HRNet(ARCH, memory='small')
