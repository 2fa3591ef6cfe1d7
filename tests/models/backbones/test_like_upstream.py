"""Compatibility with tools for the upstream HRNet: hooks, tracing, export, attributes."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from conftest import randomize, relative_error, upstream_extra
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from hrnet_plugin.models import HRFPN, HRNet

ARCH = 'w18_small_v1'
LAYERS = (nn.Conv2d, _BatchNorm, nn.ReLU)


@pytest.fixture
def pair():
    """Return mmdet's network and ours with the same weights, in eval mode."""
    upstream = pytest.importorskip('mmdet.models.backbones').HRNet
    theirs = randomize(upstream(upstream_extra(ARCH)))
    theirs.eval()
    ours = HRNet(ARCH).eval()
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def replace_relu(model, make):
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, make())


@pytest.mark.parametrize('train', [False, True])
@pytest.mark.parametrize('act', [nn.SiLU, nn.ReLU6, nn.LeakyReLU])
def test_replaced_activations(pair, act, train):
    outs = []
    for model in pair:
        replace_relu(model, act)
        model.train(train)
        outs.append(model(torch.ones(2, 3, 64, 96)))
    assert all(relative_error(a, b) < 1e-4 for a, b in zip(*outs))


@pytest.mark.parametrize('gradients', [False, True])
def test_hooks_see_the_same_calls(pair, gradients):
    counts = []
    for model in pair:
        calls = Counter()
        for name, module in model.named_modules():
            if isinstance(module, LAYERS):
                module.register_forward_hook(lambda *_, name=name, calls=calls: calls.update([name]))
        with torch.set_grad_enabled(gradients):
            model(torch.ones(1, 3, 64, 96))
        counts.append(calls)
    assert counts[0] == counts[1]
    assert sum(counts[1].values()) > 150


def test_hooks_and_wrappers_of_the_neck_convolution():
    """Check that the convolution is called if it is hooked or replaced, as by LoRA, pruning and weight norm."""
    from torch.nn.utils import prune
    neck, seen = randomize(HRFPN(arch=ARCH, num_outs=3)).double(), []
    feats = [torch.randn(1, width, 32 // 2**b, 32 // 2**b, dtype=torch.double)
             for b, width in enumerate((16, 32, 64, 128))]
    expected = neck(feats)
    handle = neck.reduction_conv.conv.register_forward_hook(lambda *_: seen.append(1))
    assert all(relative_error(a, b) < 1e-10 for a, b in zip(neck(feats), expected))
    assert seen == [1]
    handle.remove()
    prune.l1_unstructured(neck.reduction_conv.conv, 'weight', amount=0.5)
    for _ in range(2):
        sum(out.square().sum() for out in neck(feats)).backward()
    inner = neck.reduction_conv.conv
    neck.reduction_conv.conv = nn.Sequential(inner, nn.Tanh())
    assert not any(relative_error(a, b) < 1e-3 for a, b in zip(neck(feats), expected))


def test_layers_appended_to_a_path():
    model = randomize(HRNet(ARCH)).eval()
    path = model.transition1[0]
    before = model(torch.ones(1, 3, 64, 64))
    path.append(nn.Tanh())
    assert not torch.equal(model(torch.ones(1, 3, 64, 64))[0], before[0])
    assert [type(part) for part in path[:2]] == [nn.Conv2d, nn.BatchNorm2d]


@pytest.mark.parametrize('train', [False, True])
@pytest.mark.parametrize('options', [dict(), dict(upsample='bilinear'), dict(memory='lean', norm_eval=False),
                                     dict(downsample='bilinear', fusion_operator='product'), dict(fusion='final'),
                                     dict(with_cp=True)], ids=str)
def test_symbolic_trace_is_valid_for_all_sizes(options, train):
    model = randomize(HRNet(ARCH, **options)).double().train(train)
    traced = torch.fx.symbolic_trace(model)
    for size in ((64, 96), (75, 101)):
        x = torch.randn(2, 3, *size, dtype=torch.double)
        assert all(relative_error(a, b) < 1e-10 for a, b in zip(traced(x), model(x)))
    assert sum(isinstance(module, nn.Conv2d) for module in traced.modules()) == sum(
        isinstance(module, nn.Conv2d) for module in model.modules())


def test_jit_trace_at_an_odd_size_is_valid_for_other_sizes():
    model = randomize(nn.Sequential(HRNet(ARCH), HRFPN(arch=ARCH, num_outs=3))).double().eval()
    with torch.no_grad():
        traced = torch.jit.trace(model, torch.randn(1, 3, 75, 101, dtype=torch.double))
        for size in ((75, 101), (64, 96), (90, 67)):
            x = torch.randn(1, 3, *size, dtype=torch.double)
            assert all(relative_error(a, b) < 1e-10 for a, b in zip(traced(x), model(x)))


def test_export_with_dynamic_sizes():
    model, dim = randomize(HRNet(ARCH)).double().eval(), torch.export.Dim
    x = torch.randn(1, 3, 75, 101, dtype=torch.double)
    with torch.no_grad():
        shapes = dict(x={2: dim('height', min=33, max=2048), 3: dim('width', min=33, max=2048)})
        exported = torch.export.export(model, (x, ), dynamic_shapes=shapes).module()
        for size in ((75, 101), (64, 96)):
            x = torch.randn(1, 3, *size, dtype=torch.double)
            assert all(relative_error(a, b) < 1e-10 for a, b in zip(exported(x), model(x)))


def test_efficient_conv_bn_eval():
    """Run mmengine's optimization for frozen batch norm, which rewrites the torch.fx graph."""
    efficient = pytest.importorskip('mmengine.model.efficient_conv_bn_eval')
    model = randomize(HRNet(ARCH)).double().eval()
    x = torch.randn(1, 3, 64, 96, dtype=torch.double)
    expected = model(x)
    efficient.turn_on_efficient_conv_bn_eval_for_single_model(model)
    assert all(relative_error(a, b) < 1e-10 for a, b in zip(model(x), expected))


def test_vmap_over_weights():
    models = [randomize(HRNet(ARCH)).double().eval() for _ in range(2)]
    for parameter in models[1].parameters():
        parameter.data.mul_(1.1)
    parameters, buffers = torch.func.stack_module_state(models)
    base, x = models[0], torch.randn(1, 3, 64, 64, dtype=torch.double)

    def outputs(parameters, buffers):
        return torch.func.functional_call(base, (parameters, buffers), (x, ))

    with torch.no_grad():
        got = torch.vmap(outputs)(parameters, buffers)
        for k, model in enumerate(models):
            assert all(relative_error(a[k], b) < 1e-10 for a, b in zip(got, model(x)))


def test_upstream_attributes(pair):
    theirs, ours = pair
    assert ours.extra == {name: {key: stage[key] for key in ('num_modules', 'num_branches', 'block', 'num_blocks',
                                                             'num_channels')} for name, stage in theirs.extra.items()}
    for name in ('stage1_cfg', 'stage2_cfg', 'stage3_cfg', 'stage4_cfg'):
        assert getattr(ours, name)['num_channels'] == getattr(theirs, name)['num_channels']
    assert (ours.conv_cfg, ours.norm_cfg) == (theirs.conv_cfg, theirs.norm_cfg)
    assert ours.norm1 is ours.bn1
    assert ours.norm2 is ours.bn2
    block = ours.layer1[0]
    assert (block.norm1, block.norm2, block.norm3) == (block.bn1, block.bn2, block.bn3)
    assert not hasattr(ours.stage2[0].branches[0][0], 'norm3')
    for mine, other in zip(ours.stage3, theirs.stage3):
        assert (mine.num_branches, mine.in_channels, mine.multiscale_output) == (
            other.num_branches, other.in_channels, other.multiscale_output)


@pytest.mark.parametrize('multiscale_output', [True, False])
def test_upstream_mapping_as_the_first_argument(multiscale_output):
    model = HRNet(upstream_extra(ARCH), multiscale_output=multiscale_output).train()
    outs = model(torch.randn(1, 3, 128, 128))
    assert [tuple(out.shape) for out in outs] == [(1, 16, 32, 32), (1, 32, 16, 16), (1, 64, 8, 8), (1, 128, 4, 4)][
        :4 if multiscale_output else 1]


@pytest.mark.parametrize('frozen_stages', [-1, 0, 1, 2, 3, 4])
def test_frozen_stages(frozen_stages):
    model = HRNet(ARCH, frozen_stages=frozen_stages, norm_eval=False).train()
    assert model.norm1.training == (frozen_stages < 0)
    for s in range(1, 5):
        layer = model.layer1 if s == 1 else getattr(model, f'stage{s}')
        frozen = s <= frozen_stages
        assert all(module.training != frozen for module in layer.modules() if isinstance(module, _BatchNorm))
        assert all(parameter.requires_grad != frozen for parameter in layer.parameters())


def test_arguments_after_the_first_are_keyword_only():
    with pytest.raises(TypeError, match='positional'):
        HRNet(ARCH, None)
    with pytest.raises(TypeError, match='positional'):
        HRFPN((16, 32, 64, 128), 256, 5)
