"""Ablation variants of the paper, section 7."""

from __future__ import annotations

import pytest
import torch
from conftest import randomize, relative_error, upstream_extra
from torch import nn

from hrnet_plugin.arch import ABLATION_ARCHS, arch_channels, arch_stages
from hrnet_plugin.execution import optimize_for_inference
from hrnet_plugin.models import HRFPN, HRNet, HRNetV2
from hrnet_plugin.models.layers import MultiResolutionFusion
from hrnet_plugin.models.layers.fusion import BilinearDownsampling

SMALL = 'w18_small_v1'


def narrow(branches=(2, 3, 4), modules=(1, 4, 3), channels=(4, 8, 16, 32)):
    """Return an arch with as many modules as the paper's networks and one block per branch."""
    stages = {f'stage{s}': dict(num_modules=number, num_branches=width, block='BASIC', num_blocks=(1, ) * width,
                                num_channels=channels[:width])
              for s, (number, width) in enumerate(zip(modules, branches), 2)}
    stages['stage1'] = dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(1, ), num_channels=(8, ))
    return stages


VARIANTS = {
    'all': dict(),
    'across-stage': dict(fusion='across-stage'),
    'final': dict(fusion='final'),
    'product': dict(fusion_operator='product'),
    'product, bilinear': dict(fusion_operator='product', upsample='bilinear'),
    'bilinear down': dict(downsample='bilinear'),
    'bilinear down, product, final': dict(downsample='bilinear', fusion_operator='product', fusion='final'),
    'equal depth': dict(arch=narrow((4, 4, 4), channels=(4, 7, 12, 20))),
    'single stream': dict(arch=narrow((1, 1, 1), channels=(8, ))),
}


def variant(name, **options):
    return HRNet(**{'arch': narrow(), 'norm_eval': False, **VARIANTS[name], **options})


def stage_modules(net):
    return [[*getattr(net, f'stage{s}')] for s in (2, 3, 4)]


class TestRepeatedFusion:

    @pytest.mark.parametrize('arch', ['w18', 'w32', 'w48'])
    @pytest.mark.parametrize(('fusion', 'places'), [
        ('all', [[1], [1, 1, 1, 1], [1, 1, 1]]), ('across-stage', [[1], [0, 0, 0, 1], [0, 0, 1]]),
        ('final', [[0], [0, 0, 0, 0], [0, 0, 1]])])
    def test_positions_of_fusion_units(self, arch, fusion, places):
        with torch.device('meta'):
            net = HRNet(arch, fusion=fusion)
        found = [[int(isinstance(module.fuse_layers, MultiResolutionFusion)) for module in stage]
                 for stage in stage_modules(net)]
        assert found == places
        assert sum(isinstance(m, MultiResolutionFusion) for m in net.modules()) == sum(map(sum, places))
        assert {'all': 8, 'across-stage': 3, 'final': 1}[fusion] == sum(map(sum, places))

    def test_a_module_without_fusion_returns_the_outputs_of_its_branches(self):
        module = variant('final').eval().stage3[0]
        feats = [torch.randn(1, 4 * 2**b, 16 // 2**b, 8 // 2**b) for b in range(3)]
        outs = module([x.clone() for x in feats])
        assert len(outs) == 3
        assert all(torch.equal(out, branch(x)) for out, branch, x in zip(outs, module.branches, feats))

    def test_branches_are_independent_before_the_final_unit(self):
        """Check that the input of the coarsest branch does not affect the finest one in the last module."""
        def finest_before_fusion(net, scale):
            net.transition3[3].register_forward_hook(lambda module, args, out: out * scale)
            seen = []
            net.stage4[-1].branches[0].register_forward_hook(lambda module, args, out: seen.append(out))
            net(x)
            return seen[0]

        x = torch.rand(1, 3, 64, 64)
        for name, same in (('final', True), ('across-stage', True), ('all', False)):
            net = randomize(variant(name)).eval()
            assert torch.equal(finest_before_fusion(net, 1), finest_before_fusion(net, 3)) == same, name

    def test_across_stage_equals_all_with_one_module_per_stage(self):
        with torch.device('meta'):
            nets = [HRNet(SMALL, fusion=fusion) for fusion in ('all', 'across-stage')]
        assert [*nets[0].state_dict()] == [*nets[1].state_dict()]


class TestOperator:

    @pytest.mark.parametrize(('operator', 'expected'), [('sum', (10, 12, 19)), ('product', (30, 60, 240))])
    @pytest.mark.parametrize('upsample', ['nearest', 'bilinear'])
    def test_constant_feature_maps(self, operator, expected, upsample):
        """Fuse constant feature maps of values 2, 3 and 5.

        Paths to a finer branch keep the value. Paths to a coarser one double it at each step. The terms are 2, 3, 5 in
        the finest branch, 4, 3, 5 in the middle one and 8, 6, 5 in the coarsest.
        """
        stages = narrow(channels=(1, 1, 1, 1))
        net = HRNet(stages, fusion_operator=operator, upsample=upsample).eval()
        unit = net.stage3[0].fuse_layers
        with torch.no_grad():
            for conv in (m for m in unit.modules() if isinstance(m, nn.Conv2d)):
                conv.weight.zero_()
                conv.weight[..., conv.kernel_size[0] // 2, conv.kernel_size[1] // 2] = conv.stride[0]
            for norm in (m for m in unit.modules() if isinstance(m, nn.BatchNorm2d)):
                norm.running_var.fill_(1 - norm.eps)
        feats = [torch.full((1, 1, 8 // 2**b, 12 // 2**b), float(value)) for b, value in enumerate((2, 3, 5))]
        for out, x, value in zip(unit(feats), feats, expected):
            assert torch.allclose(out, torch.full_like(x, value))

    @pytest.mark.parametrize('upsample', ['nearest', 'bilinear', dict(mode='bilinear', align_corners=True)])
    def test_product_equals_reference_at_odd_sizes(self, upsample):
        net = randomize(variant('product', upsample=upsample)).eval()
        unit = net.stage4[0].fuse_layers
        feats, size = [], (21, 13)
        for b in range(4):
            feats.append(torch.randn(2, 4 * 2**b, *size))
            size = tuple(-(-length // 2) for length in size)
        for i, (row, out) in enumerate(zip(unit, unit(feats))):
            expected = torch.ones_like(feats[i])
            for j, x in enumerate(feats):
                x = row[j](x)
                if j > i and upsample == 'nearest':
                    rows, columns = (torch.arange(length) // 2**(j - i) for length in feats[i].shape[-2:])
                    x = x[:, :, rows][..., columns]
                elif j > i:
                    x = nn.functional.interpolate(x, size=feats[i].shape[-2:], mode='bilinear',
                                                  align_corners=upsample != 'bilinear')
                expected = expected * x
            assert relative_error(out, expected) < 1e-5

    def test_equal_state_dict_keys(self):
        with torch.device('meta'):
            both = [variant(name).state_dict() for name in ('all', 'product')]
        assert [(name, x.shape) for name, x in both[0].items()] == [(name, x.shape) for name, x in both[1].items()]


class TestDownsampling:

    def test_bilinear_downsampling_has_no_parameters(self):
        net = variant('bilinear down')
        samplers = [m for m in net.modules() if isinstance(m, BilinearDownsampling)]
        assert len(samplers) == 1 + 4 * 3 + 3 * 6
        assert not any(list(m.parameters()) + list(m.buffers()) for m in samplers)
        convs = [m for stage in stage_modules(net) for module in stage for m in module.fuse_layers.modules()
                 if isinstance(m, nn.Conv2d)]
        assert {(conv.kernel_size, conv.stride) for conv in convs} == {((1, 1), (1, 1))}

    def test_default_is_strided_convolutions(self):
        convs = [m for stage in stage_modules(variant('all')) for module in stage for m in module.fuse_layers.modules()
                 if isinstance(m, nn.Conv2d)]
        assert {(conv.kernel_size, conv.stride) for conv in convs} == {((1, 1), (1, 1)), ((3, 3), (2, 2))}

    def test_known_values(self):
        x = torch.tensor([[1., 3., 5., 7.], [5., 7., 9., 11.]])[None, None]
        assert torch.equal(BilinearDownsampling(1)(x), torch.tensor([[[[4., 8.]]]]))
        # a quarter of the width: between the two columns in the middle; the height rounds up to one
        assert torch.equal(BilinearDownsampling(2)(x), torch.tensor([[[[6.]]]]))

    @pytest.mark.parametrize(('size', 'halvings', 'expected'), [
        ((7, 5), 1, (4, 3)), ((7, 5), 2, (2, 2)), ((9, 1), 3, (2, 1))])
    def test_sizes_equal_those_of_strided_convolutions(self, size, halvings, expected):
        x = torch.rand(1, 1, *size)
        assert BilinearDownsampling(halvings)(x).shape[-2:] == expected
        for _ in range(halvings):
            x = nn.functional.conv2d(x, torch.ones(1, 1, 3, 3), stride=2, padding=1)
        assert x.shape[-2:] == expected


def branch_depths(arch):
    depth = [0] * 4
    for stage in arch_stages(arch)[1:]:
        for b, blocks in enumerate(stage.num_blocks):
            depth[b] += stage.num_modules * blocks
    return depth


class TestResolutionMaintenance:

    @pytest.mark.parametrize(('arch', 'depth'), [
        ('w32', [32, 32, 28, 12]), ('w32_equal_depth', [32, 32, 32, 32]), ('w48_equal_depth', [32, 32, 32, 32]),
        ('w32_single_stream', [32, 0, 0, 0]), ('w48_single_stream', [32, 0, 0, 0])])
    def test_depth_of_each_branch(self, arch, depth):
        assert branch_depths(arch) == depth

    @pytest.mark.parametrize(('arch', 'units'), [('w32_equal_depth', 8), ('w32_single_stream', 0)])
    def test_fusion_units(self, arch, units):
        with torch.device('meta'):
            net = HRNet(arch)
        assert sum(isinstance(m, MultiResolutionFusion) for m in net.modules()) == units

    def test_all_branches_begin_in_stage_2(self):
        net = variant('equal depth').eval()
        outs = net.transition1([net.layer1(torch.rand(1, 64, 16, 12))])
        assert [tuple(x.shape) for x in outs] == [(1, 4, 16, 12), (1, 7, 8, 6), (1, 12, 4, 3), (1, 20, 2, 2)]
        assert all(isinstance(path, nn.Identity) for k in (2, 3) for path in getattr(net, f'transition{k}'))
        # one more stride-2 convolution per branch, as in the official code
        assert [len(path) for path in net.transition1][1:] == [1, 2, 3]

    @pytest.mark.parametrize(('arch', 'outs'), [('w32_single_stream', (60, )), ('w32_equal_depth', (32, 55, 95, 161))])
    def test_channels(self, arch, outs):
        assert arch_channels(arch) == outs
        with torch.device('meta'):
            assert HRNet(arch).out_channels == outs
            assert HRNet(arch, multiscale_output=False).out_channels == outs[:1]
            assert HRFPN(arch=arch).in_channels == outs


@pytest.mark.parametrize('name', VARIANTS)
class TestEveryVariant:

    def test_all_parameters_receive_gradients(self, name):
        net = variant(name).train()
        sum(out.square().mean() for out in net(torch.rand(2, 3, 61, 96))).backward()
        assert [key for key, x in net.named_parameters() if x.grad is None or not x.grad.isfinite().all()] == []

    @pytest.mark.parametrize('options', [dict(memory='lean'), dict(with_cp=True)])
    def test_memory_options_do_not_change_gradients(self, name, options):
        # in double precision: products take values of 1e8 at random weights
        nets = [variant(name).train().double(), variant(name, **options).train().double()]
        nets[1].load_state_dict(nets[0].state_dict())
        x = torch.rand(2, 3, 64, 96).double()
        for net in nets:
            sum(out.square().mean() for out in net(x)).backward()
        for (key, one), other in zip(nets[0].named_parameters(), nets[1].parameters()):
            assert torch.allclose(one.grad, other.grad, rtol=1e-6, atol=1e-9 * one.grad.abs().max().item()), key

    def test_torch_engine(self, name, monkeypatch):
        net = randomize(variant(name)).eval()
        x = torch.rand(1, 3, 75, 96)
        with torch.no_grad():
            expected = net(x)
            optimize_for_inference(net)(x)
            monkeypatch.setattr(HRNet, 'eager_forward', None)
            got = net(x)
        assert all(relative_error(a, b) < 1e-4 for a, b in zip(got, expected))

    def test_one_output_is_the_first_of_all(self, name):
        if name == 'bilinear down, product, final':
            pytest.skip('no downsampling with one output')
        net = randomize(variant(name)).eval()
        one = variant(name, multiscale_output=False).eval()
        assert not one.load_state_dict(net.state_dict(), strict=False).missing_keys
        x = torch.rand(1, 3, 64, 64)
        assert len(one(x)) == 1
        assert torch.equal(one(x)[0], net(x)[0])


def test_hrnetv1h_widens_the_finest_branch():
    net, neck = HRNet(SMALL, multiscale_output=False).eval(), HRNetV2(in_channels=(16, ), out_channels=240).eval()
    feats = net(torch.rand(1, 3, 64, 64))
    conv, norm = neck.merge_conv.conv, neck.merge_conv.norm
    assert conv.weight.shape == (240, 16, 1, 1)
    assert neck.out_channels == HRNetV2(arch=SMALL).out_channels
    assert relative_error(neck(feats)[0], norm(conv(feats[0])).relu()) < 1e-6


@pytest.mark.parametrize(('options', 'words'), [
    (dict(fusion='some'), "fusion must be one of 'final', 'across-stage', 'all', got 'some'"),
    (dict(fusion=3), "fusion must be one of 'final', 'across-stage', 'all', got 3"),
    (dict(fusion_operator='max'), "fusion_operator must be one of 'sum', 'product', got 'max'"),
    (dict(downsample='nearest'), "downsample must be one of 'strided', 'bilinear', got 'nearest'"),
    (dict(arch='w32_single_stream', fusion='final'), "fusion must be 'all' with a single stream.*'final'"),
    (dict(arch='w32_single_stream', fusion_operator='product'), "fusion_operator must be 'sum' with a single stream"),
    (dict(arch='w32_single_stream', downsample='bilinear'), "downsample must be 'strided' with a single stream"),
    (dict(fusion='final', downsample='bilinear', multiscale_output=False), 'does no downsampling'),
    (dict(arch='w32_equal'), "arch must be one of .*'w32_equal_depth'.* got 'w32_equal'"),
])
def test_invalid_options(options, words):
    with torch.device('meta'), pytest.raises(ValueError, match=words):
        HRNet(**{'arch': SMALL, **options})


@pytest.mark.parametrize('arch', ABLATION_ARCHS)
def test_mapping_equals_named_variant(arch):
    assert arch_stages(upstream_extra(arch)) == ABLATION_ARCHS[arch]
