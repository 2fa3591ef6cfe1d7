"""Subsets of the feature maps: keys, outputs, gradients, options and errors."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from conftest import randomize, relative_error, upstream_extra
from torch.nn.parallel import DistributedDataParallel

from hrnet_plugin.evaluation.counting.count import count_call
from hrnet_plugin.execution import optimize_for_inference
from hrnet_plugin.execution.engine_cache import FOLDER_VARIABLE
from hrnet_plugin.models import HRFPN, HRNet, HRNetV2

SMALL = 'w18_small_v1'
SUBSETS = [subset for size in (1, 2, 3, 4) for subset in combinations(range(4), size)]
SOME = [(0, ), (3, ), (1, 3), (0, 1, 2)]
VARIANTS = {
    'bilinear': dict(upsample='bilinear'), 'final': dict(fusion='final'), 'across-stage': dict(fusion='across-stage'),
    'product': dict(fusion_operator='product'), 'bilinear down': dict(downsample='bilinear')}


@pytest.fixture(scope='module')
def whole():
    torch.manual_seed(0)
    return randomize(HRNet(SMALL)).eval()


def part_of(network, out_indices, **options):
    """Return a network with the weights of another one and fewer outputs."""
    part = HRNet(SMALL, out_indices=out_indices, **options).eval()
    left = part.load_state_dict(network.state_dict(), strict=False)
    rows = {f'stage4.0.fuse_layers.{i}' for i in range(4) if i not in out_indices}
    assert left.missing_keys == []
    assert {key[:len('stage4.0.fuse_layers.0')] for key in left.unexpected_keys} == rows
    return part


@pytest.mark.parametrize('out_indices', SUBSETS, ids=str)
def test_same_feature_maps_keys_and_channels(whole, out_indices):
    part = part_of(whole, out_indices)
    assert list(part.state_dict()) == [key for key in whole.state_dict() if key in part.state_dict()]
    x = torch.rand(1, 3, 61, 96)
    with torch.no_grad():
        outs, expected = part(x), [whole(x)[i] for i in out_indices]
    assert len(outs) == len(out_indices)
    assert all(torch.equal(a, b) for a, b in zip(outs, expected))
    assert part.out_channels == tuple(out.size(1) for out in outs)
    assert part.out_strides == tuple(4 * 2**i for i in out_indices)


def without_gradient(network):
    network.train()
    sum(out.square().mean() for out in network(torch.rand(2, 3, 64, 64))).backward()
    return [key for key, x in network.named_parameters() if x.grad is None or not x.grad.any()]


@pytest.mark.parametrize('out_indices', SUBSETS, ids=str)
def test_all_parameters_receive_gradients(out_indices):
    """Otherwise DistributedDataParallel raises an error for unused parameters."""
    assert without_gradient(HRNet(SMALL, out_indices=out_indices, norm_eval=False)) == []


@pytest.mark.parametrize('name', VARIANTS)
@pytest.mark.parametrize('out_indices', [(1, ), (0, 2, 3)], ids=str)
def test_ablation_variants(name, out_indices):
    network = randomize(HRNet(SMALL, norm_eval=False, **VARIANTS[name])).eval()
    part = part_of(network, out_indices, norm_eval=False, **VARIANTS[name])
    x = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert all(torch.equal(a, network(x)[i]) for a, i in zip(part(x), out_indices))
    assert without_gradient(part) == []


def test_unused_fusion_paths_cost_nothing():
    counts = []
    for out_indices in ((0, 1, 2, 3), (0, 1, 2), (3, )):
        with torch.device('meta'), torch.no_grad():
            network = HRNet('w32', out_indices=out_indices).eval()
            counts.append(count_call(network, network, torch.zeros(1, 3, 800, 1344))[0])
    assert [count.parameters for count in counts] == [29_305_536, 28_732_352, 29_094_208]
    assert [count.macs for count in counts] == [169_103_155_200, 168_212_889_600, 168_027_955_200]


@pytest.mark.parametrize('options', [dict(memory='lean'), dict(with_cp=True)], ids=str)
def test_memory_options_do_not_change_gradients(options):
    part = randomize(HRNet(SMALL, out_indices=(1, 3), norm_eval=False)).double()
    other = HRNet(SMALL, out_indices=(1, 3), norm_eval=False, **options).double()
    other.load_state_dict(part.state_dict())
    x = torch.rand(2, 3, 64, 96).double()
    for network in (part, other):
        sum(out.square().mean() for out in network.train()(x)).backward()
    assert all(relative_error(b.grad, a.grad) < 1e-9 for a, b in zip(part.parameters(), other.parameters()))


def test_one_finest_output_equals_single_scale():
    networks = []
    for options in (dict(out_indices=(0, )), dict(out_indices=[0], host='mmpose'), dict(multiscale_output=False)):
        torch.manual_seed(0)
        networks.append(HRNet(SMALL, init_cfg=dict(type='Normal', layer='Conv2d', std=0.1), **options))
        networks[-1].init_weights()
    states = [network.state_dict() for network in networks]
    assert list(states[0]) == list(states[1]) == list(states[2])
    assert all(torch.equal(states[0][key], state[key]) for state in states[1:] for key in state)
    assert [network.out_indices for network in networks] == [(0, )] * 3


def inner(multiscale_output):
    extra = upstream_extra(SMALL)
    return dict(extra, stage4=dict(extra['stage4'], multiscale_output=multiscale_output))


@pytest.mark.parametrize(('options', 'expected'), [
    (dict(), (0, 1, 2, 3)), (dict(host='mmpose'), (0, )), (dict(host='mmpose', out_indices=(1, 2)), (1, 2)),
    (dict(multiscale_output=True, out_indices=[0, 1, 2, 3]), (0, 1, 2, 3)),
    (dict(multiscale_output=False, out_indices=(0, )), (0, )),
    (dict(arch='w32_single_stream', out_indices=(0, )), (0, )),
    (dict(arch=None, extra=upstream_extra(SMALL), out_indices=(3, )), (3, )),
    # explicit indices replace the value in extra
    (dict(arch=None, extra=inner(False)), (0, )), (dict(arch=None, extra=inner(False), out_indices=(1, )), (1, )),
    (dict(arch=None, extra=inner(True), out_indices=(1, 2)), (1, 2)),
])
def test_defaults_and_agreement_with_multiscale_output(options, expected):
    with torch.device('meta'):
        assert HRNet(**{'arch': SMALL, **options}).out_indices == expected


@pytest.mark.parametrize(('options', 'error', 'words'), [
    (dict(out_indices=(-1, )), ValueError, 'each entry of out_indices must be between 0 and 3, got -1'),
    (dict(out_indices=(0, 4)), ValueError, 'each entry of out_indices must be between 0 and 3, got 4'),
    (dict(out_indices=(1, 1)), ValueError, r'must be in ascending order without duplicates, .* Set out_indices=\(1,\)'),
    (dict(out_indices=(2, 0)), ValueError, r'without duplicates, got \(2, 0\). Set out_indices=\(0, 2\)'),
    (dict(out_indices=()), ValueError, 'out_indices must have at least one entry, got none'),
    (dict(out_indices=(True, )), TypeError, 'each entry of out_indices must be an int, got True'),
    (dict(out_indices=2), TypeError, 'out_indices must be a sequence of ints, got 2'),
    (dict(out_indices='012'), TypeError, "out_indices must be a sequence of ints, got '012'"),
    (dict(out_indices=(0, 1), multiscale_output=False), ValueError,
     r'must be \(0,\) with multiscale_output=False, got \(0, 1\). Set one of them, not both'),
    (dict(out_indices=(0, ), multiscale_output=True), ValueError,
     r'must be \(0, 1, 2, 3\) with multiscale_output=True, got \(0,\). Set one of them, not both'),
    (dict(arch=None, extra=inner(False), out_indices=(1, ), multiscale_output=True), ValueError,
     r'must be \(0, 1, 2, 3\) with multiscale_output=True'),
    (dict(arch='w32_single_stream', out_indices=(1, )), ValueError, 'must be between 0 and 0, got 1'),
    (dict(fusion='final', downsample='bilinear', out_indices=(0, )), ValueError, 'does no downsampling'),
])
def test_invalid_values(options, error, words):
    with torch.device('meta'), pytest.raises(error, match=words):
        HRNet(**{'arch': SMALL, **options})


@pytest.mark.parametrize('out_indices', SOME, ids=str)
@pytest.mark.parametrize('neck', [HRFPN, HRNetV2])
def test_necks_merge_the_selected_feature_maps(out_indices, neck):
    network = randomize(HRNet(SMALL, out_indices=out_indices)).eval()
    options = dict(num_outs=2) if neck is HRFPN else {}
    outs = neck(network.out_channels, 24, **options).eval()(network(torch.rand(1, 3, 128, 96)))
    stride = network.out_strides[0]
    assert [tuple(out.shape[1:]) for out in outs] == [(24, 128 // (stride * 2**i), 96 // (stride * 2**i))
                                                      for i in range(len(outs))]


@pytest.mark.parametrize('engine', ['torch', 'onnxruntime'])
@pytest.mark.parametrize('out_indices', SOME, ids=str)
def test_inference_engines(engine, out_indices, monkeypatch, tmp_path):
    if engine != 'torch':
        pytest.importorskip(engine)
        monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    network = randomize(HRNet(SMALL, out_indices=out_indices)).eval()
    x = torch.rand(1, 3, 75, 96)
    with torch.no_grad():
        expected = network(x)
        optimize_for_inference(network, engine)(x)
        monkeypatch.setattr(HRNet, 'eager_forward', None)
        got = network(x)
    assert len(got) == len(expected)
    assert all(relative_error(a, b) < 1e-4 for a, b in zip(got, expected))


def test_data_parallel_training_takes_several_steps(tmp_path):
    """DistributedDataParallel raises an error in step 2 if step 1 leaves parameters without gradient."""
    torch.distributed.init_process_group('gloo', f'file://{tmp_path / "store"}', rank=0, world_size=1)
    try:
        network = DistributedDataParallel(HRNet(SMALL, out_indices=(0, 2)))
        for _ in range(2):
            sum(out.mean() for out in network(torch.rand(2, 3, 64, 64))).backward()
    finally:
        torch.distributed.destroy_process_group()
