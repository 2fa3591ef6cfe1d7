"""The fast form is the same function wherever it runs, follows the weights, and leaves the model as it was."""

from __future__ import annotations

import copy
import gc
import io
import logging
import pickle
import weakref

import pytest
import torch
from conftest import randomize, relative_error
from mmengine.logging import MMLogger
from torch import nn

from hrnet_plugin.models import HRFPN, HRNet, HRNetClassifier, HRNetV2
from hrnet_plugin.runtime import make_fast, make_plain
from hrnet_plugin.runtime.form import FastHRNet
from hrnet_plugin.runtime.fused_conv import onednn_fuses

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


def assert_fast(model, x, tolerance=1e-5, **numbers):
    """The fast form gives what the model gives, and is what ran."""
    expected = outputs(model, x)
    make_fast(model, **numbers)
    got = outputs(model, x)
    assert all(out.is_contiguous() for out in got)
    assert max(relative_error(a, b) for a, b in zip(got, expected)) < tolerance
    assert_planned(model)
    return expected


def forms(model):
    """The modules that were called; an HRFPN has its merging convolution in its own plan."""
    return [part for name, part in model.named_modules() if hasattr(part, '_plan') and 'reduction_conv' not in name]


def assert_planned(model, planned=True):
    assert forms(model)
    assert all((part._plan is not None) == planned for part in forms(model))


@pytest.mark.parametrize('neck', NECKS)
@pytest.mark.parametrize('size', [(64, 96), (75, 101)])
def test_same_function(neck, size):
    assert_fast(network(neck), torch.randn(2, 3, *size))


@pytest.mark.parametrize('upsample', ['nearest', 'bilinear', dict(mode='bilinear', align_corners=True)])
@pytest.mark.parametrize('arch', ['w18', 'w18_small_v2'])
def test_deeper_networks(arch, upsample):
    assert_fast(randomize(HRNet(arch, upsample=upsample)).eval(), torch.randn(1, 3, 67, 90))


def test_one_stream():
    assert_fast(randomize(HRNet(ARCH, host='mmpose')).eval(), torch.randn(3, 3, 64, 48))


def test_classifier():
    model = randomize(HRNetClassifier(arch=ARCH, num_classes=7)).eval()
    expected = outputs(model, torch.ones(1, 3, 64, 64))
    make_fast(model)
    assert relative_error(outputs(model, torch.ones(1, 3, 64, 64)), expected) < 1e-5


def test_norms_without_affine_parameters_and_images_of_one_channel():
    assert_fast(randomize(HRNet(ARCH, in_channels=1, norm_cfg=dict(type='BN', affine=False))).eval(),
                torch.randn(1, 1, 64, 64))


def test_double_precision():
    assert_fast(network().double(), torch.randn(1, 3, 64, 64, dtype=torch.double), 1e-12)


def test_autocast():
    model = network()
    x = torch.randn(1, 3, 64, 64)
    exact = outputs(model, x)
    with torch.autocast('cpu', torch.bfloat16):
        plain = outputs(model, x)
        fast = outputs(make_fast(model), x)
    assert_planned(model)
    for a, b, c in zip(fast, plain, exact):
        assert a.dtype == b.dtype == torch.bfloat16
        assert relative_error(a.float(), c) < 0.1
    # and without it the plan is another one
    assert max(relative_error(a, b) for a, b in zip(outputs(model, x), exact)) < 1e-5


def test_sizes_that_change_at_every_step():
    model = network()
    plain = copy.deepcopy(model)
    make_fast(model)
    for k in range(12):
        x = torch.randn(1 + k % 3, 3, 64 + 7 * k, 64 + 32 * (k % 4))
        assert max(relative_error(a, b) for a, b in zip(outputs(model, x), outputs(plain, x))) < 1e-5


def test_images_with_channels_last_give_contiguous_maps():
    model, x = network(), torch.randn(1, 3, 64, 64)
    expected = outputs(model, x)
    got = outputs(make_fast(model), x.contiguous(memory_format=torch.channels_last))
    assert all(out.is_contiguous() for out in got)
    assert max(relative_error(a, b) for a, b in zip(got, expected)) < 1e-5


def test_inputs_are_left_as_they_are():
    model, x = make_fast(network()), torch.randn(1, 3, 64, 64)
    feats = outputs(model[0], x)
    kept = [feat.clone() for feat in feats]
    outputs(model[1], feats)
    assert all(torch.equal(a, b) for a, b in zip(feats, kept))
    again = outputs(model[0], x)
    assert all(torch.equal(a, b) for a, b in zip(again, kept))


@pytest.mark.parametrize('onednn', [True, False])
def test_with_and_without_onednn(onednn):
    with torch.backends.mkldnn.flags(enabled=onednn):
        assert_fast(network(), torch.randn(1, 3, 64, 64))


def write(model):
    with torch.no_grad():
        model[0].stage3[0].branches[1][0].bn2.running_mean.add_(1)


def write_by_data(model):
    weight = model[0].conv1.weight
    weight.data = weight.data + 0.1


def load(model):
    # a part only: its owner's load_state_dict is not called
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


def adapt_a_norm(model):
    model[0].bn1.train()(torch.randn(4, 64, 16, 16) * 3 + 2)
    model[0].bn1.eval()


@pytest.mark.parametrize('change', [write, write_by_data, load, load_other_tensors, replace_weight,
                                    replace_statistics, replace_layer, adapt_a_norm])
def test_weights_that_change_are_followed(change):
    model, x = network(), torch.randn(1, 3, 64, 64)
    before = assert_fast(model, x)
    change(model)
    after = outputs(model, x)
    make_plain(model)
    expected = outputs(model, x)
    assert max(relative_error(a, b) for a, b in zip(after, expected)) < 1e-5
    assert max(relative_error(a, b) for a, b in zip(after, before)) > 1e-3


def test_weights_of_a_functional_call():
    model, x = network(), torch.randn(1, 3, 64, 64)
    other = {name: tensor * 1.1 for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        expected = torch.func.functional_call(model, other, (x, ))
        own = model(x)
        make_fast(model)
        for weights, outs in ((other, expected), (model.state_dict(), own), (other, expected)):
            got = torch.func.functional_call(model, weights, (x, ))
            assert max(relative_error(a, b) for a, b in zip(got, outs)) < 1e-5


def test_threads_that_change_are_followed():
    model = network()
    assert_fast(model, torch.randn(1, 3, 64, 64))
    plan, threads = model[0]._plan, torch.get_num_threads()
    try:
        torch.set_num_threads(1 if threads > 1 else 2)
        outputs(model, torch.randn(1, 3, 64, 64))
        assert model[0]._plan is not plan
    finally:
        torch.set_num_threads(threads)


def test_state_dict_copy_and_pickle():
    model, x = network(), torch.randn(1, 3, 64, 64)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert_fast(model, x)
    expected = outputs(model, x)
    state = model.state_dict()
    assert list(state) == list(before)
    assert all(torch.equal(state[name], before[name]) for name in before)
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), torch.load(file, weights_only=False)):
        assert isinstance(twin[0], HRNet)
        assert_planned(twin, planned=False)
        assert all(torch.equal(a, b) for a, b in zip(outputs(twin, x), expected))
        assert type(make_plain(twin)[0]) is HRNet
    plain = network()
    plain.load_state_dict(state)
    assert max(relative_error(a, b) for a, b in zip(outputs(plain, x), expected)) < 1e-5


def test_back_to_training_with_exactly_the_weights():
    """Three steps with an evaluation after each, and three without: the same weights, bit by bit."""
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
        outputs(make_fast(model), torch.ones(1, 3, 64, 64))
        assert_planned(model)
        make_plain(model)

    plain, evaluated = train(lambda model: None), train(evaluate)
    assert [type(part) for part in plain.modules()] == [type(part) for part in evaluated.modules()]
    assert all(set(a.__dict__) == set(b.__dict__) for a, b in zip(plain.modules(), evaluated.modules()))
    theirs = plain.state_dict()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in evaluated.state_dict().items())


def test_training_in_fast_form_is_training():
    model, twin, x = network(norm_eval=False), None, torch.randn(2, 3, 64, 64)
    twin = copy.deepcopy(model).train()
    make_fast(model).train()
    for net in (model, twin):
        sum(out.square().mean() for out in net(x)).backward()
    assert_planned(model, planned=False)
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(model.parameters(), twin.parameters()))


def test_turned_on_twice_and_off_twice():
    model = make_fast(make_fast(network()))
    assert isinstance(model[0], FastHRNet)
    make_plain(make_plain(model))
    assert type(model[0]) is HRNet


def test_traced_exported_and_compiled_as_it_is():
    model, x = make_fast(network()).double(), torch.randn(1, 3, 64, 64, dtype=torch.double)
    expected = outputs(model, x)
    with torch.no_grad():
        exported = torch.export.export(model, (x, )).module()
        compiled = torch.compile(model, backend='eager', fullgraph=True)
        for got in (exported(x), compiled(x)):
            assert max(relative_error(a, b) for a, b in zip(got, expected)) < 1e-12


class TestWithoutFastForm:
    """Where it cannot run, the model runs as it is and says why, once."""

    @pytest.fixture
    def said(self):
        logger, lines = MMLogger.get_current_instance(), []
        handler = logging.Handler()
        handler.emit = lambda record: lines.append(record.getMessage())
        logger.addHandler(handler)
        logger.setLevel(logging.WARNING)
        yield lines
        logger.removeHandler(handler)

    @pytest.mark.parametrize(('options', 'words'), [
        (dict(norm_cfg=dict(type='GN', num_groups=2)), 'batch norms'),
        (dict(norm_cfg=dict(type='BN', track_running_stats=False)), 'running statistics'),
        (dict(conv_cfg=dict(type='ConvWS')), 'have to be Conv2d'),
    ])
    def test_other_layers(self, said, options, words):
        model, x = randomize(HRNet(ARCH, **options)).eval(), torch.randn(1, 3, 64, 64)
        expected = outputs(model, x)
        make_fast(model)
        for _ in range(2):
            assert all(torch.equal(a, b) for a, b in zip(outputs(model, x), expected))
        line, = said
        assert words in line
        assert 'HRNet runs as it is' in line

    def test_gradients_training_hooks_and_no_images(self, said):
        model = make_fast(network()[0])
        assert model(torch.randn(1, 3, 64, 64))[0].requires_grad
        assert 'gradients are enabled' in said.pop()
        with torch.no_grad():
            model.train()(torch.randn(1, 3, 64, 64))
            assert 'training' in said.pop()
            model.eval()(torch.randn(0, 3, 64, 64))
            assert 'no image' in said.pop()
            seen = []
            model.layer1[0].conv1.register_forward_hook(lambda *args: seen.append(1))
            model(torch.randn(1, 3, 64, 64))
        assert seen
        assert 'hooks' in said.pop()

    def test_hook_after_the_first_prediction(self, said):
        model, x, seen = make_fast(network()[0]), torch.randn(1, 3, 64, 64), []
        outputs(model, x)
        handle = model.stage2[0].branches[0].register_forward_hook(lambda *args: seen.append(1))
        outputs(model, x)
        assert seen == [1]
        assert 'hooks' in said.pop()
        handle.remove()
        outputs(model, x)
        assert_planned(model)

    @pytest.mark.parametrize(('change', 'words'), [
        (lambda model: setattr(model.layer1[0], 'relu', nn.GELU()), 'a GELU in the place of a ReLU'),
        (lambda model: model.layer1.__setitem__(0, nn.Conv2d(64, 128, 1)), 'a Conv2d in the place of a BasicBlock'),
        (lambda model: model.stage2[0].fuse_layers[1][0].append(nn.Tanh()), 'a Tanh in the place of a Sequential'),
        (lambda model: model.stage3[0].branches.__setitem__(0, nn.Identity()), 'a Identity in the place'),
    ])
    def test_layers_of_ones_own(self, said, change, words):
        model, x = network()[0], torch.randn(1, 3, 64, 64)
        change(model)
        expected = outputs(model, x)
        got = outputs(make_fast(model), x)
        assert all(torch.equal(a, b) for a, b in zip(got, expected))
        assert words in said.pop()

    def test_replica_without_weights_of_its_own(self, said):
        """As torch's DataParallel makes them."""
        model, x = make_fast(network()[0]), torch.randn(1, 3, 64, 64)
        outputs(model, x)
        replica = model._replicate_for_data_parallel()
        assert replica._plan is None
        assert replica.ready(x) is None
        replica._parameters = {}
        with torch.no_grad():
            assert replica._obstacle(x) is None or 'its own' in replica._obstacle(x)

    def test_on_another_device(self, said):
        model = make_fast(network()[0]).to('meta')
        assert outputs(model, torch.randn(1, 3, 64, 64, device='meta'))[0].device.type == 'meta'
        assert 'meta' in said.pop()

    def test_norm_in_training_mode_below_a_model_that_is_not(self, said):
        model, x = network()[0], torch.randn(2, 3, 64, 64)
        make_fast(model)
        outputs(model, x)
        model.layer1[0].bn1.train()
        outputs(model, x)
        assert 'eval mode' in said.pop()
        assert model.layer1[0].bn1.num_batches_tracked == 1

    def test_wrong_precision_is_the_models_own_error(self, said):
        model = make_fast(network()[0])
        with pytest.raises(RuntimeError, match='type'):
            outputs(model, torch.randn(1, 3, 64, 64, dtype=torch.double))
        assert 'float64' in said.pop()

    def test_wrong_input_is_the_modules_own_error(self):
        model = make_fast(network())
        with pytest.raises(ValueError, match='3'):
            outputs(model, torch.randn(1, 4, 64, 64))
        with pytest.raises(ValueError, match='num_outs'):
            outputs(model, torch.randn(1, 3, 32, 32))


def test_model_without_our_parts():
    with pytest.raises(ValueError, match=r'hrnet_plugin\.HRNet'):
        make_fast(nn.Conv2d(1, 1, 1))


class Derived(HRNet):
    pass


def test_classes_derived_from_ours_may_do_something_else():
    with pytest.raises(ValueError, match='with Derived, derived from them'):
        make_fast(Derived(ARCH))


def test_nothing_but_the_model_is_changed():
    """No random number is drawn, and the defaults of types and devices do not count."""
    onednn_fuses.cache_clear()
    model, x = network(), torch.randn(1, 3, 64, 64)
    expected = outputs(model, x)
    state = torch.get_rng_state()
    torch.set_default_dtype(torch.double)
    try:
        with torch.device('meta'):
            got = outputs(make_fast(model), x)
    finally:
        torch.set_default_dtype(torch.float32)
    assert max(relative_error(a, b) for a, b in zip(got, expected)) < 1e-5
    assert torch.equal(torch.get_rng_state(), state)


def test_a_model_is_freed_at_once():
    model = network()
    assert_fast(model, torch.randn(1, 3, 64, 64))
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
        make_fast(network(), number)


def test_in_inference_mode_and_after_it():
    model, x = network(), torch.randn(1, 3, 64, 64)
    expected = outputs(model, x)
    make_fast(model)
    with torch.inference_mode():
        got = [out.clone() for out in model(x)]
    assert max(relative_error(a, b) for a, b in zip(got, expected)) < 1e-5
    assert max(relative_error(a, b) for a, b in zip(outputs(model, x), expected)) < 1e-5
