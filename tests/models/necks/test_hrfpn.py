"""HRFPN: parameter counts, sizes, options and errors."""

from __future__ import annotations

import copy

import pytest
import torch
from conftest import randomize, relative_error
from torch import nn
from torch.nn import functional as F

from hrnet_plugin.models import HRFPN

CHANNELS = (8, 16, 24, 32)

# arXiv 1908.07919: parameters at 256 channels and five levels
COUNTS = {
    'w18_small_v1': 3_012_096, 'w18_small_v2': 3_019_776, 'w18': 3_019_776, 'w30': 3_065_856, 'w32': 3_073_536,
    'w40': 3_104_256, 'w44': 3_119_616, 'w48': 3_134_976, 'w64': 3_196_416
}


def maps(height=16, width=16, channels=CHANNELS, dtype=torch.float):
    sizes = [(height, width)]
    for _ in channels[1:]:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return [torch.rand(2, c, *size, dtype=dtype) for c, size in zip(channels, sizes)]


@pytest.mark.parametrize('arch', COUNTS)
def test_parameters(arch):
    with torch.device('meta'):
        assert sum(parameter.numel() for parameter in HRFPN(arch=arch).parameters()) == COUNTS[arch]


def reference(neck, feats, pool):
    """Compute the pyramid as published: upsample, concatenate, convolve, and pool each level from the finest."""
    size = feats[0].shape[-2:]
    merged = torch.cat([feats[0], *(F.interpolate(x, size, mode='bilinear') for x in feats[1:])], 1)
    base = neck.reduction_conv.conv(merged)
    if neck.reduction_conv.with_norm:
        base = neck.reduction_conv.norm(base)
    levels = [base] + [pool(base, 2**i, 2**i) for i in range(1, neck.num_outs)]
    convs = list(neck.fpn_convs) * (neck.num_outs if neck.share_conv else 1)
    return [conv(level) for conv, level in zip(convs, levels)]


@pytest.mark.parametrize('options', [
    dict(), dict(pooling_type='MAX'), dict(stride=2), dict(share_conv=True), dict(norm_cfg=dict(type='BN')),
    dict(num_outs=1), dict(num_outs=4), dict(with_cp=True), dict(conv_cfg=dict(type='ConvAWS'))
], ids=str)
@pytest.mark.parametrize('size', [(16, 16), (21, 19)])
def test_equals_the_published_formulation(options, size):
    neck = randomize(HRFPN(CHANNELS, 12, **options).double()).eval()
    feats = [x.requires_grad_() for x in maps(*size, dtype=torch.double)]
    pool = F.max_pool2d if options.get('pooling_type') == 'MAX' else F.avg_pool2d
    ours, theirs = neck(feats), reference(neck, feats, pool)
    assert isinstance(ours, tuple)
    for a, b in zip(ours, theirs):
        assert relative_error(a, b) < 1e-12
    for a, b in zip(torch.autograd.grad(sum((x**2).sum() for x in ours), feats),
                    torch.autograd.grad(sum((x**2).sum() for x in theirs), feats)):
        assert relative_error(a, b) < 1e-12


def test_pooling_types_differ():
    average, largest = randomize(HRFPN(CHANNELS, 12)), HRFPN(CHANNELS, 12, pooling_type='MAX')
    largest.load_state_dict(average.state_dict())
    feats = maps()
    assert torch.equal(average(feats)[0], largest(feats)[0])
    assert relative_error(average(feats)[1], largest(feats)[1]) > 1e-3


def test_norm_cfg_reaches_every_convolution():
    neck = HRFPN(CHANNELS, 12, norm_cfg=dict(type='BN'))
    assert sum(isinstance(module, nn.BatchNorm2d) for module in neck.modules()) == 6
    assert {'reduction_conv.bn.weight', 'fpn_convs.4.bn.weight'} < set(neck.state_dict())
    assert not any(isinstance(module, nn.BatchNorm2d) for module in HRFPN(CHANNELS, 12).modules())


def test_share_conv_has_one_convolution():
    assert len(HRFPN(CHANNELS, 12, share_conv=True).fpn_convs) == 1
    assert len(HRFPN(CHANNELS, 12).fpn_convs) == 5


def test_with_cp_updates_statistics_once_and_saves_fewer_activations():
    plain = randomize(HRFPN(CHANNELS, 12, norm_cfg=dict(type='BN')).double()).train()
    lean = HRFPN(CHANNELS, 12, norm_cfg=dict(type='BN'), with_cp=True).double().train()
    lean.load_state_dict(plain.state_dict())
    feats = [x.requires_grad_() for x in maps(32, 32, dtype=torch.double)]
    kept = {}
    for neck in (plain, lean):
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(lambda x, s=sizes: s.append(x.numel()) or x, lambda x: x):
            total = sum((x**2).sum() for x in neck(feats))
        total.backward()
        kept[neck.with_cp] = sum(sizes)
    assert kept[True] < kept[False]
    for ours, theirs in zip(lean.buffers(), plain.buffers()):
        assert torch.equal(ours, theirs)
    for ours, theirs in zip(lean.parameters(), plain.parameters()):
        assert relative_error(ours.grad, theirs.grad) < 1e-10


@pytest.mark.parametrize('size', [(64, 64), (61, 97), (100, 127), (1333, 800), (33, 70)])
def test_sizes_of_the_levels(size):
    height, width = (-(-s // 4) for s in size)
    with torch.device('meta'):
        levels = HRFPN(CHANNELS, 4, num_outs=3)(maps(height, width))
    assert [tuple(x.shape[-2:]) for x in levels] == [(height // 2**i, width // 2**i) for i in range(3)]


@pytest.mark.parametrize('memory_format', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('size', [(16, 16), (21, 19)])
def test_outputs_are_contiguous(memory_format, size):
    """Check the memory format. mmcv's RoIAlign silently misreads channels_last tensors."""
    neck = HRFPN(CHANNELS, 12).to(memory_format=memory_format)
    feats = [x.to(memory_format=memory_format) for x in maps(*size)]
    assert all(level.is_contiguous() for level in neck(feats))


def test_inputs_and_arguments_are_not_modified():
    channels, cfg, feats = list(CHANNELS), dict(type='BN'), maps()
    kept, given = [x.clone() for x in feats], copy.deepcopy((channels, cfg))
    HRFPN(channels, 12, norm_cfg=cfg)(feats)
    assert (channels, cfg) == given
    assert all(torch.equal(a, b) for a, b in zip(feats, kept))


@pytest.mark.parametrize(('options', 'error', 'words'), [
    (dict(), ValueError, 'in_channels or arch must be given, got neither'),
    (dict(in_channels=18), TypeError, 'in_channels must be a sequence of ints, got 18'),
    (dict(in_channels=()), ValueError, 'in_channels must have at least one entry'),
    (dict(in_channels=(18, -1)), ValueError, 'each entry of in_channels must be between 1 and 1048576, got -1'),
    (dict(in_channels=(18, 36, 72, 145), arch='w18'), ValueError, r'in_channels must be \(18, 36, 72, 144\)'),
    (dict(in_channels=18, arch='w18'), TypeError, 'in_channels must be a sequence of ints, got 18'),
    (dict(arch='w18', init_cfg='x'), TypeError, "init_cfg must be a mapping, .* got 'x'"),
    (dict(arch='w1'), ValueError, "arch must be one of .* got 'w1'"),
    (dict(arch='w18', out_channels=0), ValueError, 'out_channels must be between 1 and 1048576, got 0'),
    (dict(arch='w18', num_outs=0), ValueError, 'num_outs must be between 1 and 16, got 0'),
    (dict(arch='w18', num_outs=17), ValueError, 'num_outs must be between 1 and 16, got 17'),
    (dict(arch='w18', num_outs=2**63), ValueError, 'num_outs must be between 1 and 16, got 9223372036854775808'),
    (dict(arch='w18', stride=2**63), ValueError, 'stride must be between 1 and 64, got'),
    (dict(arch='w18', out_channels=2**63), ValueError, 'out_channels must be between 1 and 1048576, got'),
    (dict(in_channels=(18, 2**63)), ValueError, 'each entry of in_channels must be between 1 and 1048576, got'),
    (dict(arch='w18', start_level=1, add_extra_convs='on_input'), TypeError,
     r'neck must have arguments of hrnet_plugin\.HRFPN only, got start_level, add_extra_convs\. If they come from an '
     r"inherited config, replace its neck: neck=dict\(_delete_=True, type='hrnet_plugin\.HRFPN', arch='w32'\)"),
    (dict(arch='w18', in_channels=(256, 512, 1024, 2048)), ValueError,
     r'in_channels must be \(18, 36, 72, 144\) for .* replace its neck: neck=dict\(_delete_=True, \.\.\.\)'),
    (dict(arch='w18', stride=0), ValueError, 'stride must be between 1 and 64, got 0'),
    (dict(arch='w18', pooling_type='max'), ValueError, "pooling_type must be one of 'AVG', 'MAX', got 'max'"),
    (dict(arch='w18', norm_cfg='BN'), TypeError, "norm_cfg must be a mapping .* got 'BN'"),
    (dict(arch='w18', conv_cfg=3), TypeError, 'conv_cfg must be a mapping .* got 3'),
    (dict(arch='w18', share_conv=1), TypeError, 'share_conv must be True or False, got 1'),
    (dict(arch='w18', with_cp='no'), TypeError, "with_cp must be True or False, got 'no'"),
])
def test_bad_options(options, error, words):
    with pytest.raises(error, match=words):
        HRFPN(**options)


@pytest.mark.parametrize(('feats', 'error', 'words'), [
    (maps()[:3], ValueError, r'inputs must have 4 feature maps \(channels \(8, 16, 24, 32\)\), got 3'),
    (maps()[0], TypeError, 'inputs must be a sequence of 4 feature maps, finest first, got Tensor'),
    ([*maps()[:3], torch.rand(2, 31, 2, 2)], ValueError, r'inputs\[3\] must have shape \(N, 32, H, W\)'),
    ([torch.rand(8, 16, 16), *maps()[1:]], ValueError, r'inputs\[0\] must have shape .*, got \(8, 16, 16\)'),
    (maps(8, 16), ValueError, r'inputs\[0\] must be at least 16 x 16 .*with num_outs=5, got 8 x 16'),
])
def test_bad_feature_maps(feats, error, words):
    with pytest.raises(error, match=words):
        HRFPN(CHANNELS, 4)(feats)
