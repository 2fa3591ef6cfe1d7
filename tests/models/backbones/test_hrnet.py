"""HRNet: parameter counts, sizes, options and errors."""

from __future__ import annotations

import copy
import random

import pytest
import torch
from conftest import randomize, relative_error, upstream_extra
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from hrnet_plugin.models import HRFPN, HRNet
from hrnet_plugin.models.layers import BasicBlock, Bottleneck, ResidualBlock

# arXiv 1908.07919 and the official code: parameters with four outputs and with one, entries of the state dict
COUNTS = {
    'w18_small_v1': (1_477_920, 1_284_672, 426),
    'w18_small_v2': (3_860_720, 3_616_352, 864),
    'w18': (9_562_260, 9_317_892, 1830),
    'w30': (25_812_276, 25_135_356, 1830),
    'w32': (29_305_536, 28_535_552, 1830),
    'w40': (45_521_216, 44_319_056, 1830),
    'w44': (54_974_640, 53_520_440, 1830),
    'w48': (65_325_120, 63_594_912, 1830),
    'w64': (115_697_600, 112_623_680, 1830),
}
SMALL = 'w18_small_v1'


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize('arch', COUNTS)
def test_parameters_and_entries(arch):
    with torch.device('meta'):
        four, one = HRNet(arch), HRNet(arch, multiscale_output=False)
    assert (parameters(four), parameters(one), len(four.state_dict())) == COUNTS[arch]
    if COUNTS[arch][2] == 1830:
        assert len(one.state_dict()) == 1752


def test_one_output_is_the_first_of_four():
    four, one = randomize(HRNet(SMALL)).eval(), HRNet(SMALL, multiscale_output=False).eval()
    left = one.load_state_dict(four.state_dict(), strict=False)
    assert not left.missing_keys
    x = torch.rand(1, 3, 64, 64)
    outs = one(x)
    assert isinstance(outs, tuple)
    assert len(outs) == 1
    assert torch.equal(outs[0], four(x)[0])
    assert one.out_channels == (16, )
    assert four.out_channels == (16, 32, 64, 128)


def _ceil_halved(size, times):
    for _ in range(times):
        size = -(-size // 2)
    return size


def _sizes():
    draw = random.Random(0)
    yield from ((size, 64) for size in range(32, 101))
    yield from ((64, size) for size in range(32, 101))
    yield from ((draw.randint(32, 1333), draw.randint(32, 1333)) for _ in range(300))


def _shallow():
    """Return an ``extra`` mapping with one block per branch. Output sizes do not depend on the depth."""
    return {stage: dict(spec, num_blocks=(1, ) * spec['num_branches']) for stage, spec in upstream_extra(SMALL).items()}


@pytest.mark.parametrize(('mode', 'every'), [('nearest', 1), ('bilinear', 9)])  # bilinear is slow on the meta device
def test_every_input_size_works(mode, every):
    model = HRNet(_shallow(), upsample=mode).to('meta').eval()
    neck = HRFPN(arch=SMALL, num_outs=4).to('meta').eval()
    for height, width in list(_sizes())[::every]:
        feats = model(torch.empty(1, 3, height, width, device='meta'))
        shapes = [tuple(x.shape[-2:]) for x in feats]
        assert shapes == [(_ceil_halved(height, b), _ceil_halved(width, b)) for b in range(2, 6)], (height, width)
        assert shapes[0] == (-(-height // 4), -(-width // 4))
        levels = [tuple(x.shape[-2:]) for x in neck(feats)]
        assert levels == [(shapes[0][0] // 2**i, shapes[0][1] // 2**i) for i in range(4)], (height, width)


@pytest.mark.parametrize('upsample', ['nearest', 'bilinear', dict(mode='bilinear', align_corners=True)])
@pytest.mark.parametrize('size', [(33, 32), (50, 77), (100, 61)])
def test_odd_sizes_give_finite_outputs(upsample, size):
    outs = randomize(HRNet(SMALL, upsample=upsample)).eval()(torch.rand(1, 3, *size))
    assert all(out.isfinite().all() and out.is_contiguous() for out in outs)


def test_memory_format_is_kept_at_odd_sizes():
    model = randomize(HRNet(SMALL)).eval().to(memory_format=torch.channels_last)
    outs = model(torch.rand(1, 3, 75, 75).to(memory_format=torch.channels_last))
    assert all(out.is_contiguous(memory_format=torch.channels_last) for out in outs)


def test_nearest_at_an_odd_size_equals_cropping():
    """Check that pixel p of the coarse map is copied to pixels 2p and 2p + 1 at odd sizes, too."""
    from hrnet_plugin.models.layers.upsample import upsample_nearest_2x
    x = torch.rand(1, 2, 5, 4)
    odd, even = upsample_nearest_2x(x, torch.Size((9, 7))), upsample_nearest_2x(x, torch.Size((10, 8)))
    assert torch.equal(odd, even[..., :9, :7])


def test_upsample_modes_differ():
    models = {str(word): HRNet(SMALL, upsample=word).eval()
              for word in (None, 'nearest', 'bilinear', dict(mode='bilinear', align_corners=True))}
    randomize(models['None'])
    x = torch.rand(1, 3, 64, 64)
    outs = {}
    for word, model in models.items():
        model.load_state_dict(models['None'].state_dict())
        outs[word] = model(x)[0]
    names = list(outs)
    assert torch.equal(outs['None'], outs['nearest'])
    for i, first in enumerate(names[1:], 1):
        for second in names[i + 1:]:
            assert relative_error(outs[first], outs[second]) > 1e-3


def test_options_in_extra_of_mmpose():
    extra = dict(upstream_extra(SMALL), upsample=dict(mode='bilinear', align_corners=False))
    extra['stage4'] = dict(extra['stage4'], multiscale_output=True)
    inside = randomize(HRNet(extra=extra, host='mmpose')).eval()
    outside = HRNet(SMALL, upsample='bilinear').eval()
    outside.load_state_dict(inside.state_dict())
    x = torch.rand(1, 3, 64, 64)
    assert all(torch.equal(a, b) for a, b in zip(inside(x), outside(x)))


def test_in_channels():
    assert HRNet(SMALL, in_channels=4).eval()(torch.rand(1, 4, 32, 32))[0].shape == (1, 16, 8, 8)


def test_conv_cfg_reaches_every_convolution():
    plain, weighted = HRNet(SMALL), HRNet(SMALL, conv_cfg=dict(type='ConvWS'))
    convs = [module for module in weighted.modules() if isinstance(module, nn.Conv2d)]
    assert len(convs) == 71 == sum(isinstance(module, nn.Conv2d) for module in plain.modules())
    assert {type(conv).__name__ for conv in convs} == {'ConvWS2d'}


@pytest.mark.parametrize(('norm_cfg', 'cls'), [(dict(type='GN', num_groups=2), nn.GroupNorm),
                                               (dict(type='SyncBN'), nn.SyncBatchNorm)])
def test_norm_cfg_reaches_every_norm(norm_cfg, cls):
    with torch.device('meta'):
        model = HRNet('w18', norm_cfg=norm_cfg)
    norms = [module for module in model.modules() if isinstance(module, (_BatchNorm, nn.GroupNorm))]
    assert len(norms) == 305
    assert all(isinstance(norm, cls) for norm in norms)


def test_group_norm():
    model = HRNet(SMALL, norm_cfg=dict(type='GN', num_groups=2))
    keys = model.state_dict()
    assert 'gn1.weight' in keys
    assert 'layer1.0.gn3.weight' in keys
    assert 'stage2.0.fuse_layers.0.1.1.weight' in keys
    sum(out.sum() for out in model(torch.rand(2, 3, 32, 32))).backward()


def test_requires_grad_of_norm_cfg():
    model = HRNet(SMALL, norm_cfg=dict(type='BN', requires_grad=False))
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    assert not any(parameter.requires_grad for norm in norms for parameter in norm.parameters())
    assert model.conv1.weight.requires_grad


@pytest.mark.parametrize('norm_eval', [True, False])
def test_norm_eval(norm_eval):
    model = HRNet(SMALL, norm_eval=norm_eval)
    assert model.train() is model
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)]
    assert all(norm.training is not norm_eval for norm in norms)
    before = model.bn1.running_mean.clone()
    model(torch.rand(2, 3, 32, 32))
    assert torch.equal(before, model.bn1.running_mean) is norm_eval
    assert model.eval() is model
    assert not any(module.training for module in model.modules())


@pytest.mark.parametrize('norm', ['BN', 'SyncBN'])
def test_with_cp_recomputes_with_equal_gradients(norm):
    options = dict(norm_eval=False, norm_cfg=dict(type=norm))
    plain = randomize(HRNet(SMALL, **options).double()).train()
    lean = HRNet(SMALL, with_cp=True, **options).double().train()
    lean.load_state_dict(plain.state_dict())
    calls = []
    for model in (plain, lean):
        for block in filter(lambda part: isinstance(part, ResidualBlock), model.modules()):
            block.downsample.register_forward_hook(lambda *_, lean=model is lean: calls.append(lean))
    x = torch.rand(2, 3, 64, 64, dtype=torch.double)
    for model in (plain, lean):
        sum((out**2).sum() for out in model(x)).backward()
    blocks = sum(isinstance(module, ResidualBlock) for module in plain.modules())
    assert (calls.count(False), calls.count(True)) == (blocks, 2 * blocks)  # once more in the backward pass
    for (name, ours), theirs in zip(lean.named_parameters(), plain.parameters()):
        assert relative_error(ours.grad, theirs.grad) < 1e-10, name
    for (name, ours), theirs in zip(lean.named_buffers(), plain.buffers()):
        assert torch.equal(ours, theirs), f'{name}: statistics must be updated once'


@pytest.mark.parametrize(('host', 'norm_eval', 'outputs', 'std'), [
    ('mmdet', True, 4, None), ('mmpose', False, 1, 0.001), ('mmseg', False, 4, None), ('mmpretrain', False, 4, None)
])
def test_defaults_of_each_host(host, norm_eval, outputs, std):
    model = HRNet(SMALL, host=host)
    assert (model.norm_eval, len(model.out_channels)) == (norm_eval, outputs)
    model.init_weights()
    kaiming = (2 / (64 * 9))**0.5  # fan out
    assert model.conv2.weight.std().item() == pytest.approx(std or kaiming, rel=0.05)


def test_with_cp_saves_fewer_activations():
    def saved(model):
        sizes = []
        with torch.autograd.graph.saved_tensors_hooks(lambda x: sizes.append(x.numel()) or x, lambda x: x):
            model.train()(torch.rand(1, 3, 64, 64))
        return sum(sizes)

    assert saved(HRNet(SMALL, with_cp=True)) < 0.8 * saved(HRNet(SMALL))


def _last_norms(model):
    for module in model.modules():
        if isinstance(module, (BasicBlock, Bottleneck)):
            yield module.norm3 if isinstance(module, Bottleneck) else module.norm2


def test_zero_init_residual_reaches_all_108_blocks_of_w32():
    model = HRNet('w32', zero_init_residual=True)
    model.init_weights()
    norms = list(_last_norms(model))
    assert len(norms) == 108
    assert len(list(_last_norms(model.layer1))) == 4
    assert all((norm.weight == 0).all() for norm in norms)
    assert (model.bn1.weight == 1).all()
    assert (model.layer1[0].bn1.weight == 1).all()


def test_without_zero_init_residual_last_norms_start_at_one():
    model = HRNet(SMALL)
    model.init_weights()
    assert all((norm.weight == 1).all() for norm in _last_norms(model))


def test_checkpoints_take_precedence_over_zero_init_residual(tmp_path):
    source = randomize(HRNet(SMALL))
    torch.save(source.state_dict(), tmp_path / 'weights.pth')
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'weights.pth'))
    for model in (HRNet(SMALL, zero_init_residual=True, init_cfg=init_cfg),
                  HRNet(SMALL, zero_init_residual=True, pretrained=str(tmp_path / 'weights.pth'))):
        model.init_weights()
        assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), source.state_dict().values()))


@pytest.mark.parametrize('frozen_stages', range(-1, 5))
def test_frozen_stages(frozen_stages):
    model = HRNet(SMALL, frozen_stages=frozen_stages, norm_eval=False).train()
    frozen = {
        'stem': ['conv1', 'bn1', 'conv2', 'bn2'], 'stage 1': ['layer1', 'transition1'],
        'stage 2': ['stage2', 'transition2'], 'stage 3': ['stage3', 'transition3'], 'stage 4': ['stage4']
    }
    total = sum(out.sum() for out in model(torch.rand(2, 3, 32, 32)))
    if total.requires_grad:
        total.backward()
    for stage, names in enumerate(frozen.values()):
        for name in names:
            module = getattr(model, name)
            trains = stage > frozen_stages
            assert all(parameter.requires_grad is trains for parameter in module.parameters()), name
            assert all((parameter.grad is not None) is trains for parameter in module.parameters()), name
            norms = [part for part in module.modules() if isinstance(part, _BatchNorm)]
            assert all(norm.training is trains for norm in norms), name


def test_all_parameters_receive_gradients():
    """Check that there are no unused parameters, which distributed training would reject."""
    model = HRNet(SMALL)
    sum(out.sum() for out in model(torch.rand(1, 3, 64, 64))).backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_an_initializer_of_no_layer():
    init_cfg = dict(type='Kaiming', layer=None)  # mmengine's default
    assert HRNet(SMALL, init_cfg=init_cfg).init_cfg == init_cfg


def test_inputs_and_arguments_are_not_modified():
    extra, norm_cfg = upstream_extra(SMALL), dict(type='BN', requires_grad=True)
    init_cfg = [dict(type='Kaiming', layer='Conv2d')]
    given = copy.deepcopy((extra, norm_cfg, init_cfg))
    model = HRNet(extra, norm_cfg=norm_cfg, init_cfg=init_cfg, zero_init_residual=True)
    model.init_weights()
    assert (extra, norm_cfg, init_cfg) == given
    x = torch.rand(1, 3, 32, 32)
    feats = [model.layer1(torch.relu(model.bn2(model.conv2(torch.relu(model.bn1(model.conv1(x)))))))]
    maps = model.transition1(feats)
    kept, ids = [m.clone() for m in maps], [id(m) for m in maps]
    model.stage2[0](maps)
    assert [id(m) for m in maps] == ids
    assert all(torch.equal(a, b) for a, b in zip(maps, kept))


def test_widths_that_change_between_stages():
    extra = upstream_extra(SMALL)
    extra['stage3'] = dict(extra['stage3'], num_channels=(20, 32, 64))
    extra['stage4'] = dict(extra['stage4'], num_channels=(20, 32, 64, 128))
    shapes = [tuple(x.shape) for x in HRNet(extra)(torch.rand(1, 3, 64, 64))]
    assert shapes == [(1, 20, 16, 16), (1, 32, 8, 8), (1, 64, 4, 4), (1, 128, 2, 2)]


@pytest.mark.parametrize(('options', 'error', 'words'), [
    (dict(), ValueError, 'arch or extra must be given, got neither'),
    (dict(arch='w18', extra=upstream_extra('w18')), ValueError, 'arch and extra must not be given together'),
    (dict(arch='w19'), ValueError, "arch must be one of .* got 'w19'"),
    (dict(in_channels=0), ValueError, 'in_channels must be between 1 and 1048576, got 0'),
    (dict(in_channels='3'), TypeError, "in_channels must be an int, got '3'"),
    (dict(frozen_stages=5), ValueError, 'frozen_stages must be between -1 and 4, got 5'),
    (dict(frozen_stages=True), TypeError, 'frozen_stages must be an int, got True'),
    (dict(norm_cfg=None), TypeError, "norm_cfg must be a mapping with the key 'type', got None"),
    (dict(norm_cfg='BN'), TypeError, "norm_cfg must be a mapping .* got 'BN'"),
    (dict(conv_cfg=dict(kind='DCN')), TypeError, 'conv_cfg must be a mapping .* or None, got .*DCN'),
    (dict(norm_eval='yes'), TypeError, "norm_eval must be True or False, got 'yes'"),
    (dict(with_cp=1), TypeError, 'with_cp must be True or False, got 1'),
    (dict(zero_init_residual=0), TypeError, 'zero_init_residual must be True or False, got 0'),
    (dict(multiscale_output='all'), TypeError, "multiscale_output must be True or False, got 'all'"),
    (dict(upsample='bicubic'), ValueError, r"upsample\['mode'\] must be one of 'nearest', 'bilinear', got 'bicubic'"),
    (dict(upsample=2), TypeError, 'upsample must be a mode or a mapping .* got 2'),
    (dict(upsample=dict(align_corners=True)), ValueError, "upsample must have the key 'mode'"),
    (dict(upsample=dict(mode='nearest', align_corners=True)), ValueError, 'align_corners.* must be False with mode'),
    (dict(upsample=dict(mode='bilinear', factor=2)), ValueError, "key of upsample must be one of .* got 'factor'"),
    (dict(host='mmocr'), ValueError, "host must be one of 'mmdet', 'mmpose', 'mmseg', 'mmpretrain', got 'mmocr'"),
    (dict(init_cfg='x.pth'), TypeError, "init_cfg must be a mapping, a list of mappings or None, got 'x.pth'"),
    (dict(init_cfg=[3]), TypeError, r'init_cfg must be a mapping, .* got \[3\]'),
    (dict(pretrained=1), TypeError, 'pretrained must be a path or URL, got 1'),
    (dict(pretrained='a', init_cfg=dict(type='Pretrained')), ValueError,
     'init_cfg and pretrained must not be given together'),
])
def test_bad_options(options, error, words):
    named = dict(arch=SMALL) if options and 'arch' not in options else {}
    with pytest.raises(error, match=words):
        HRNet(**named, **options)


def test_options_that_contradict_extra():
    extra = dict(upstream_extra(SMALL), upsample=dict(mode='bilinear'))
    with pytest.raises(ValueError, match=r"upsample and extra\['upsample'\] must agree"):
        HRNet(extra, upsample='nearest')


@pytest.mark.parametrize(('x', 'error', 'words'), [
    (torch.rand(3, 64, 64), ValueError, r'x must have shape \(N, 3, H, W\), got \(3, 64, 64\)'),
    (torch.rand(1, 4, 64, 64), ValueError, r'x must have shape \(N, 3, H, W\), got \(1, 4, 64, 64\)'),
    ([torch.rand(1, 3, 64, 64)], TypeError, 'x must be a tensor, got list'),
])
def test_bad_images(x, error, words):
    with pytest.raises(error, match=words):
        HRNet(SMALL)(x)
