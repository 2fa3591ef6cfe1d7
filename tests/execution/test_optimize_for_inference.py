"""Inference by the torch engine: same outputs, current weights, unchanged model."""

from __future__ import annotations

import copy
import gc
import io
import os
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from conftest import randomize, relative_error
from torch import nn

from hrnet_plugin.execution import is_optimized, optimize_for_inference, restore_eager
from hrnet_plugin.execution.packed_conv import onednn_fuses
from hrnet_plugin.models import HRFPN, HRNet, HRNetClassifier, HRNetV2

ARCH = 'w18_small_v1'
NECKS = {
    'pyramid': lambda: HRFPN(arch=ARCH, out_channels=40),
    'pyramid of stride 2, shared, with norms': lambda: HRFPN(
        arch=ARCH, out_channels=16, stride=2, share_conv=True, norm_cfg=dict(type='BN'), pooling_type='MAX'),
    'pyramid narrower than all maps': lambda: HRFPN(arch=ARCH, out_channels=8),
    'single map': lambda: HRNetV2(arch=ARCH),
    'single map, aligned, without ReLU': lambda: HRNetV2(arch=ARCH, out_channels=24, align_corners=True, act_cfg=None),
    'single map, another activation': lambda: HRNetV2(arch=ARCH, out_channels=24, act_cfg=dict(type='LeakyReLU')),
}


def network(neck='pyramid', **options):
    return randomize(nn.Sequential(HRNet(ARCH, **options), NECKS[neck]())).eval()


def outputs(model, x):
    with torch.no_grad():
        return model(x)


@pytest.fixture
def assert_optimized(eager_runs):
    """Check that the engine ran and equals the eager model. Return the eager outputs."""
    def check(model, x, tolerance=1e-5, **options):
        expected = outputs(restore_eager(model), x)
        optimize_for_inference(model, **options)
        del eager_runs[:]
        got = outputs(model, x)
        assert eager_runs == []
        assert all(out.is_contiguous() for out in got)
        assert max(relative_error(a, b) for a, b in zip(got, expected)) < tolerance
        return expected

    return check


@pytest.mark.parametrize('neck', NECKS)
@pytest.mark.parametrize('size', [(64, 96), (75, 101)])
def test_same_function(neck, size, assert_optimized):
    assert_optimized(network(neck), torch.randn(2, 3, *size))


@pytest.mark.parametrize('upsample', ['nearest', 'bilinear', dict(mode='bilinear', align_corners=True)])
@pytest.mark.parametrize('arch', ['w18', 'w18_small_v2'])
def test_deeper_networks(arch, upsample, assert_optimized):
    assert_optimized(randomize(HRNet(arch, upsample=upsample)).eval(), torch.randn(1, 3, 67, 90))


def test_one_stream(assert_optimized):
    assert_optimized(randomize(HRNet(ARCH, host='mmpose')).eval(), torch.randn(3, 3, 64, 48))


def test_classifier():
    model = randomize(HRNetClassifier(arch=ARCH, num_classes=7)).eval()
    expected = outputs(model, torch.ones(1, 3, 64, 64))
    optimize_for_inference(model)
    assert relative_error(outputs(model, torch.ones(1, 3, 64, 64)), expected) < 1e-5


def test_norms_without_affine_parameters_and_images_of_one_channel(assert_optimized):
    assert_optimized(randomize(HRNet(ARCH, in_channels=1, norm_cfg=dict(type='BN', affine=False))).eval(),
                torch.randn(1, 1, 64, 64))


def test_double_precision(assert_optimized):
    assert_optimized(network().double(), torch.randn(1, 3, 64, 64, dtype=torch.double), 1e-12)


def test_autocast(eager_runs):
    model = network()
    x = torch.randn(1, 3, 64, 64)
    exact = outputs(model, x)
    with torch.autocast('cpu', torch.bfloat16):
        plain = outputs(model, x)
        del eager_runs[:]
        got = outputs(optimize_for_inference(model), x)
    assert eager_runs == []
    for a, b, c in zip(got, plain, exact):
        assert a.dtype == b.dtype == torch.bfloat16
        assert relative_error(a.float(), c) < 0.1
    # without autocast, the model is compiled again
    assert max(relative_error(a, b) for a, b in zip(outputs(model, x), exact)) < 1e-5


def test_input_sizes_that_change_at_every_step():
    model = network()
    plain = copy.deepcopy(model)
    optimize_for_inference(model)
    for k in range(12):
        x = torch.randn(1 + k % 3, 3, 64 + 7 * k, 64 + 32 * (k % 4))
        assert max(relative_error(a, b) for a, b in zip(outputs(model, x), outputs(plain, x))) < 1e-5


def test_channels_last_images_give_contiguous_feature_maps():
    model, x = network(), torch.randn(1, 3, 64, 64)
    expected = outputs(model, x)
    got = outputs(optimize_for_inference(model), x.contiguous(memory_format=torch.channels_last))
    assert all(out.is_contiguous() for out in got)
    assert max(relative_error(a, b) for a, b in zip(got, expected)) < 1e-5


def test_inputs_are_not_modified():
    model, x = optimize_for_inference(network()), torch.randn(1, 3, 64, 64)
    feats = outputs(model[0], x)
    kept = [feat.clone() for feat in feats]
    outputs(model[1], feats)
    assert all(torch.equal(a, b) for a, b in zip(feats, kept))
    again = outputs(model[0], x)
    assert all(torch.equal(a, b) for a, b in zip(again, kept))


@pytest.mark.parametrize('onednn', [True, False])
def test_with_and_without_onednn(onednn, assert_optimized):
    with torch.backends.mkldnn.flags(enabled=onednn):
        assert_optimized(network(), torch.randn(1, 3, 64, 64))


def write(model):
    with torch.no_grad():
        model[0].stage3[0].branches[1][0].bn2.running_mean.add_(1)


def write_by_data(model):
    weight = model[0].conv1.weight
    weight.data = weight.data + 0.1


def load(model):
    # a submodule only: load_state_dict of the optimized module is not called
    part = model[1].fpn_convs[0]
    part.load_state_dict({name: tensor + 0.5 for name, tensor in part.state_dict().items()})


def load_other_tensors(model):
    model.load_state_dict({name: tensor * 1.1 if tensor.is_floating_point() else tensor
                           for name, tensor in model.state_dict().items()}, assign=True)


def replace_weight(model):
    model[0].conv2.weight = nn.Parameter(torch.ones_like(model[0].conv2.weight))


def replace_statistics(model):
    model[0].bn1.running_mean = model[0].bn1.running_mean + 1


def replace_layer(model):
    model[0].conv1 = randomize(nn.Conv2d(3, 64, 3, stride=2, padding=1, bias=False))


def scale_by_data(model):
    # a whole stage, as EMA hooks do; tensors and versions do not change
    for parameter in model[0].stage2.parameters():
        parameter.data.mul_(2)


def patch_forward(model):
    conv = model[0].conv2
    conv.forward = lambda x: nn.functional.conv2d(x, conv.weight, stride=2, padding=1) + 1


def change_eps(model):
    model[0].bn2.eps = 1.


def change_memory_format(model):
    model.to(memory_format=torch.channels_last)
    model[0].conv1.weight.data.mul_(3)


def adapt_a_norm(model):
    model[0].bn1.train()(torch.randn(4, 64, 16, 16) * 3 + 2)
    model[0].bn1.eval()


@pytest.mark.parametrize('change', [write, write_by_data, scale_by_data, patch_forward, change_eps,
                                    change_memory_format, load, load_other_tensors, replace_weight,
                                    replace_statistics, replace_layer, adapt_a_norm])
def test_changed_weights_are_used(change, assert_optimized):
    model, x = network(), torch.randn(1, 3, 64, 64)
    before = assert_optimized(model, x)
    change(model)
    after = outputs(model, x)
    restore_eager(model)
    expected = outputs(model, x)
    assert max(relative_error(a, b) for a, b in zip(after, expected)) < 1e-5
    assert max(relative_error(a, b) for a, b in zip(after, before)) > 1e-3


def test_weights_of_a_functional_call():
    model, x = network(), torch.randn(1, 3, 64, 64)
    other = {name: tensor * 1.1 for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        expected = torch.func.functional_call(model, other, (x, ))
        own = model(x)
        optimize_for_inference(model)
        for weights, outs in ((other, expected), (model.state_dict(), own), (other, expected)):
            got = torch.func.functional_call(model, weights, (x, ))
            assert max(relative_error(a, b) for a, b in zip(got, outs)) < 1e-5


def test_thread_count_that_changes(assert_optimized):
    threads, model, x = torch.get_num_threads(), network(), torch.randn(1, 3, 64, 64)
    expected = assert_optimized(model, x)
    try:
        torch.set_num_threads(1 if threads > 1 else 2)
        assert max(relative_error(a, b) for a, b in zip(outputs(model, x), expected)) < 1e-5
    finally:
        torch.set_num_threads(threads)


def test_state_dict_copies_and_pickles(assert_optimized):
    model, x = network(), torch.randn(1, 3, 64, 64)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    keys = [set(part.__dict__) for part in model.modules()]
    expected = assert_optimized(model, x)
    state = model.state_dict()
    assert list(state) == list(before)
    assert all(torch.equal(state[name], before[name]) for name in before)
    assert [set(part.__dict__) for part in model.modules()] == keys
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), torch.load(file, weights_only=False)):
        assert not is_optimized(twin)
        assert all(torch.equal(a, b) for a, b in zip(outputs(twin, x), expected))
        # a copy does not share the weights
        torch.nn.init.zeros_(twin[0].conv1.weight)
        assert max(relative_error(a, b) for a, b in zip(outputs(model, x), expected)) < 1e-5


def test_evaluations_do_not_change_training():
    """Compare the weights after three steps with and without evaluations, bit by bit."""
    def train(evaluate):
        torch.manual_seed(0)
        model = network(norm_eval=False)
        optimizer = torch.optim.SGD(model.parameters(), 0.01)
        for _ in range(3):
            model.train()
            sum(out.square().mean() for out in model(torch.randn(2, 3, 64, 64))).backward()
            optimizer.step()
            optimizer.zero_grad()
            model.eval()
            evaluate(model)
        return model

    def evaluate(model):
        outputs(optimize_for_inference(model), torch.ones(1, 3, 64, 64))
        restore_eager(model)

    plain, evaluated = train(lambda model: None), train(evaluate)
    assert [type(part) for part in plain.modules()] == [type(part) for part in evaluated.modules()]
    assert all(set(a.__dict__) == set(b.__dict__) for a, b in zip(plain.modules(), evaluated.modules()))
    theirs = plain.state_dict()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in evaluated.state_dict().items())


def test_an_optimized_model_trains_eagerly():
    model, twin, x = network(norm_eval=False), None, torch.randn(2, 3, 64, 64)
    twin = copy.deepcopy(model).train()
    optimize_for_inference(model).train()
    for net in (model, twin):
        sum(out.square().mean() for out in net(x)).backward()
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(model.parameters(), twin.parameters()))


def test_repeated_calls():
    model = optimize_for_inference(optimize_for_inference(network()))
    assert is_optimized(model)
    assert not is_optimized(restore_eager(restore_eager(model)))


def test_tracers_see_the_eager_model(eager_runs):
    model, x = optimize_for_inference(network()).double(), torch.randn(1, 3, 64, 64, dtype=torch.double)
    expected = outputs(model, x)
    with torch.no_grad():
        exported = torch.export.export(model, (x, )).module()
        compiled = torch.compile(model, backend='eager', fullgraph=True)
        traced = torch.jit.trace(model, x, check_trace=False)
        symbolic = torch.fx.symbolic_trace(model)
        for got in (exported(x), compiled(x), traced(x), symbolic(x)):
            assert max(relative_error(a, b) for a, b in zip(got, expected)) < 1e-12
        with torch._subclasses.FakeTensorMode(allow_non_fake_inputs=True):
            assert model(torch.empty(1, 3, 64, 64, dtype=torch.double))[0].shape == expected[0].shape


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')
def test_in_a_forked_process():
    """Data loaders and servers fork. torch's thread pool does not survive a fork, hence one thread."""
    model, x = optimize_for_inference(network()), torch.randn(1, 3, 64, 64)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        expected = outputs(model, x)
        child = os.fork()
        if child == 0:
            got = outputs(model, x)
            os._exit(0 if all(torch.equal(a, b) for a, b in zip(got, expected)) else 1)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        torch.set_num_threads(threads)


def test_in_threads():
    """Run threads with different input shapes, so that weights are prepacked concurrently."""
    model = optimize_for_inference(network())
    images = [torch.randn(1, 3, 64 + 32 * k, 64) for k in range(6)]
    expected = [outputs(copy.deepcopy(model), x) for x in images]
    with ThreadPoolExecutor(3) as pool:
        for got, wanted in zip(pool.map(lambda x: outputs(model, x), images * 3), expected * 3):
            assert max(relative_error(a, b) for a, b in zip(got, wanted)) < 1e-5


def test_own_class_with_another_forward(assert_optimized):
    """The trace uses the overridden eager_forward."""
    class Doubled(HRNet):
        def eager_forward(self, x):
            return tuple(2 * out for out in super().eager_forward(x))

    class Outer(HRNet):
        def forward(self, x):
            return tuple(2 * out for out in super().forward(x))

    for cls in (Doubled, Outer):
        assert_optimized(randomize(cls(ARCH)).eval(), torch.randn(1, 3, 64, 64))


class Excited(HRNet):
    """HRNet with broadcast sums, and in-place activations of tensors that are read before and after."""

    def eager_forward(self, x):
        first, *others = super().eager_forward(x)
        gate = self.excite(first.mean((2, 3), keepdim=True))
        twin = self.conv(first)
        other = self.act(first)
        return (twin + gate, (twin + other).relu(), *others)


def test_operators_that_are_not_of_hrnet(assert_optimized):
    model = Excited(ARCH)
    model.excite, model.conv = nn.Conv2d(16, 16, 1), nn.Conv2d(16, 16, 3, padding=1)
    model.act = nn.SiLU(inplace=True)
    assert_optimized(randomize(model).eval(), torch.randn(1, 3, 64, 64))


@pytest.mark.parametrize('act', [nn.SiLU, nn.ReLU6, nn.LeakyReLU, nn.Hardswish])
def test_replaced_activations(assert_optimized, act):
    model = network()
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.ReLU):
                setattr(module, name, act(inplace=True))
    assert_optimized(model, torch.randn(1, 3, 64, 64))


@pytest.mark.parametrize('options', [
    dict(norm_cfg=dict(type='GN', num_groups=2)), dict(norm_cfg=dict(type='BN', track_running_stats=False)),
    dict(conv_cfg=dict(type='ConvWS'))], ids=str)
def test_layers_that_are_not_fused(assert_optimized, options):
    model = randomize(HRNet(ARCH, **options)).eval().double()
    assert_optimized(model, torch.randn(2, 3, 64, 64, dtype=torch.double), 1e-10)


@pytest.mark.parametrize('change', [
    lambda model: model.layer1.__setitem__(0, nn.Conv2d(64, 128, 1)),
    lambda model: model.stage2[0].fuse_layers[1][0].append(nn.Tanh()),
    lambda model: model.stage3[0].branches.__setitem__(0, nn.Identity()),
])
def test_replaced_layers(assert_optimized, change):
    model = network()[0]
    change(model)
    assert_optimized(randomize(model).eval(), torch.randn(1, 3, 64, 64))


def test_layers_that_cannot_be_compiled_run_eagerly():
    model, x = network()[0], torch.randn(1, 3, 64, 64)
    model.layer1[0].conv2 = nn.Conv2d(model.layer1[0].conv2.in_channels, model.layer1[0].conv2.out_channels, 3,
                                      padding='same', bias=False)
    expected = outputs(randomize(model).eval(), x)
    got = outputs(optimize_for_inference(model), x)
    assert max(relative_error(a, b) for a, b in zip(got, expected)) < 1e-5
    model.layer1[0].relu = nn.PReLU()
    with torch.autocast('cpu', torch.bfloat16):
        assert outputs(model, x)[0].dtype == torch.bfloat16


def test_few_images_run_eagerly():
    model = network()
    assert not is_optimized(optimize_for_inference(model, expected_images=1))
    assert is_optimized(optimize_for_inference(model, expected_images=1000))
    assert is_optimized(optimize_for_inference(model, 'torch', expected_images=1))
    assert not is_optimized(optimize_for_inference(model, expected_images=1))
    with pytest.raises(TypeError, match='expected_images'):
        optimize_for_inference(model, expected_images='many')
    with pytest.raises(ValueError, match='engine must be one of'):
        optimize_for_inference(model, 'tensorrt')


class TestEagerFallback:
    """Unsupported cases run eagerly, and the reason is logged once."""

    def test_what_torch_fx_cannot_trace(self, logged):
        class Branching(HRNet):
            def eager_forward(self, x):
                return super().eager_forward(x if x.mean() > 0 else -x)

        model, x = randomize(Branching(ARCH)).eval(), torch.randn(1, 3, 64, 64)
        expected = outputs(model, x)
        optimize_for_inference(model)
        for _ in range(2):
            assert all(torch.equal(a, b) for a, b in zip(outputs(model, x), expected))
        line, = logged
        assert 'Branching runs eagerly' in line
        assert 'cannot trace' in line

    @pytest.mark.parametrize('overwrite', [lambda x, y: (x.mul_(2), y), lambda x, y: (x.add_(1), y + 1),
                                           lambda x, y: (nn.functional.silu(x, inplace=True), y)])
    def test_values_that_are_overwritten(self, logged, overwrite):
        """Rewritten graphs would read the overwritten values."""
        class Overwriting(HRNet):
            def eager_forward(self, x):
                first, _, *others = super().eager_forward(x)
                return (*overwrite(first, first[..., :4]), *others)

        model, x = randomize(Overwriting(ARCH)).eval(), torch.randn(1, 3, 64, 64)
        expected = outputs(model, x)
        got = outputs(optimize_for_inference(model), x)
        assert all(relative_error(a, b) < 1e-5 for a, b in zip(got, expected))
        assert logged

    def test_gradients_training_hooks_and_no_images(self, logged):
        model = optimize_for_inference(network()[0])
        assert model(torch.randn(1, 3, 64, 64))[0].requires_grad
        assert 'gradients are enabled' in logged.pop()
        with torch.no_grad():
            model.train()(torch.randn(1, 3, 64, 64))
            assert 'training' in logged.pop()
            model.eval()(torch.randn(0, 3, 64, 64))
            assert 'input is empty' in logged.pop()
            seen = []
            model.layer1[0].conv1.register_forward_hook(lambda *args: seen.append(1))
            model(torch.randn(1, 3, 64, 64))
        assert seen
        assert 'hooks' in logged.pop()

    def test_hook_after_the_first_prediction(self, logged, eager_runs):
        model, x, seen = optimize_for_inference(network()[0]), torch.randn(1, 3, 64, 64), []
        outputs(model, x)
        handle = model.stage2[0].branches[0].register_forward_hook(lambda *args: seen.append(1))
        outputs(model, x)
        assert seen == [1]
        assert 'hooks' in logged.pop()
        handle.remove()
        del eager_runs[:]
        outputs(model, x)
        assert eager_runs == []

    def test_replica_without_weights_of_its_own(self):
        """DataParallel makes such replicas."""
        model, x = optimize_for_inference(network()[0]), torch.randn(1, 3, 64, 64)
        outputs(model, x)
        assert not is_optimized(model._replicate_for_data_parallel())

    def test_on_another_device(self, logged):
        model = optimize_for_inference(network()[0]).to('meta')
        assert outputs(model, torch.randn(1, 3, 64, 64, device='meta'))[0].device.type == 'meta'
        assert 'meta' in logged.pop()

    def test_norm_in_training_mode_below_a_model_that_is_not(self):
        model, x = network()[0], torch.randn(2, 3, 64, 64)
        outputs(optimize_for_inference(model), x)
        model.layer1[0].bn1.train()
        outputs(model, x)
        assert model.layer1[0].bn1.num_batches_tracked == 1

    def test_wrong_dtype_raises_the_eager_error(self, logged):
        model = optimize_for_inference(network()[0])
        with pytest.raises(RuntimeError, match='type'):
            outputs(model, torch.randn(1, 3, 64, 64, dtype=torch.double))
        assert 'float64' in logged.pop()

    def test_wrong_input_raises_the_eager_error(self):
        model = optimize_for_inference(network())
        with pytest.raises(ValueError, match='3'):
            outputs(model, torch.randn(1, 4, 64, 64))
        with pytest.raises(ValueError, match='num_outs'):
            outputs(model, torch.randn(1, 3, 32, 32))


def test_model_without_modules_of_this_package():
    with pytest.raises(ValueError, match=r'hrnet_plugin\.HRNet'):
        optimize_for_inference(nn.Conv2d(1, 1, 1))


def test_global_state_is_not_changed():
    """No random numbers are drawn, and default dtype and device have no effect."""
    onednn_fuses.cache_clear()
    model, x = network(), torch.randn(1, 3, 64, 64)
    expected = outputs(model, x)
    state = torch.get_rng_state()
    torch.set_default_dtype(torch.double)
    try:
        with torch.device('meta'):
            got = outputs(optimize_for_inference(model), x)
    finally:
        torch.set_default_dtype(torch.float32)
    assert max(relative_error(a, b) for a, b in zip(got, expected)) < 1e-5
    assert torch.equal(torch.get_rng_state(), state)


def test_a_model_is_freed_without_garbage_collection(assert_optimized):
    model = network()
    assert_optimized(model, torch.randn(1, 3, 64, 64))
    parts = [weakref.ref(part) for part in model]
    gc.disable()
    try:
        del model
        assert [part() for part in parts] == [None, None]
    finally:
        gc.enable()


@pytest.mark.parametrize('number', [-1, 1.5, None])
def test_wrong_number_of_graphs(number):
    with pytest.raises((TypeError, ValueError), match='max_graphs'):
        optimize_for_inference(network(), max_graphs=number)


def test_in_inference_mode_and_after_it():
    model, x = network(), torch.randn(1, 3, 64, 64)
    expected = outputs(model, x)
    optimize_for_inference(model)
    with torch.inference_mode():
        got = [out.clone() for out in model(x)]
    assert max(relative_error(a, b) for a, b in zip(got, expected)) < 1e-5
    assert max(relative_error(a, b) for a, b in zip(outputs(model, x), expected)) < 1e-5
