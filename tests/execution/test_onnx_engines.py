"""Inference by OpenVINO and ONNX Runtime: same outputs, current weights, unchanged model, and fallbacks."""

from __future__ import annotations

import copy
import gc
import os
import pickle
import subprocess
import sys
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from conftest import randomize, relative_error
from torch import nn

from hrnet_plugin.execution import engines, is_optimized, optimize_for_inference, restore_eager
from hrnet_plugin.execution.engine_cache import FOLDER_VARIABLE
from hrnet_plugin.models import HRFPN, HRNet, HRNetV2

ARCH = 'w18_small_v1'


@pytest.fixture(params=['openvino', 'onnxruntime'])
def engine(request, tmp_path, monkeypatch):
    pytest.importorskip(request.param)
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / 'cache'))
    return request.param


@pytest.fixture
def other_runs(eager_runs, monkeypatch):
    """Record modules that run eagerly, and those that are compiled for torch."""
    compile_for_torch = engines.compile_for_torch

    def compiling(*args):
        eager_runs.append('torch')
        return compile_for_torch(*args)

    monkeypatch.setattr(engines, 'compile_for_torch', compiling)
    return eager_runs


@pytest.fixture
def sessions(engine, monkeypatch):
    """Record weak references to the functions of an engine, each of which has the only reference to its session."""
    compiler, found = engines._ONNX_ENGINES[engine], []

    def compile_recorded(model):
        run = compiler(model)
        found.append(weakref.ref(run))
        return run

    monkeypatch.setattr(engines, '_ONNX_ENGINES', {engine: compile_recorded})
    return found


def network(neck=None, **options):
    return randomize(nn.Sequential(HRNet(ARCH, **options), neck or HRFPN(arch=ARCH, out_channels=24))).eval()


def outputs(model, x):
    with torch.no_grad():
        return model(x)


def error(got, expected):
    assert len(got) == len(expected)
    assert all(a.shape == b.shape and a.dtype == b.dtype and a.is_contiguous() for a, b in zip(got, expected))
    return max(relative_error(a, b) for a, b in zip(got, expected))


@pytest.mark.parametrize('build', [
    network,
    lambda: network(HRFPN(arch=ARCH, out_channels=16, stride=2, share_conv=True, norm_cfg=dict(type='BN'),
                          pooling_type='MAX')),
    lambda: network(HRNetV2(arch=ARCH), host='mmseg'),
    lambda: network(HRNetV2(arch=ARCH, out_channels=24, align_corners=True, act_cfg=dict(type='LeakyReLU')),
                    upsample=dict(mode='bilinear', align_corners=True)),
    lambda: network(fusion_operator='product', downsample='bilinear'),
    lambda: randomize(HRNet('w18', host='mmpose')).eval()],
    ids=['pyramid', 'pyramid with norms', 'concatenation', 'aligned', 'product', 'pose'])
def test_same_function_at_any_size(engine, build, other_runs):
    model = build()
    eager = copy.deepcopy(model)
    optimize_for_inference(model, engine)
    for size in ((1, 64, 96), (2, 75, 101), (1, 64, 96), (1, 128, 64)):
        x = torch.randn(size[0], 3, *size[1:])
        expected = outputs(eager, x)
        del other_runs[:]
        assert error(outputs(model, x), expected) < 1e-5
        assert other_runs == []


def test_inputs_and_earlier_outputs_are_not_modified(engine):
    model = optimize_for_inference(network(), engine)
    images = [torch.randn(1, 3, 64, 64).to(memory_format=torch.channels_last) for _ in range(4)]
    copies = [x.clone() for x in images]
    outs = [outputs(model, x) for x in images]
    kept = [[out.clone() for out in each] for each in outs]
    outputs(model, torch.zeros(1, 3, 64, 64))
    assert all(torch.equal(a, b) for a, b in zip(images, copies))
    assert all(torch.equal(a, b) for each, own in zip(outs, kept) for a, b in zip(each, own))


@pytest.mark.parametrize('change', [
    lambda model: model[0].conv1.weight.data.mul_(2),
    lambda model: model.load_state_dict({key: value * 1.1 for key, value in model.state_dict().items()}),
    lambda model: setattr(model[0].bn1, 'eps', 1.),
    lambda model: setattr(model[0], 'conv1', randomize(nn.Conv2d(3, 64, 3, stride=2, padding=1, bias=False)))],
    ids=['in place', 'state dict', 'eps', 'layer'])
def test_changed_weights_are_used(engine, change, other_runs):
    model, x = optimize_for_inference(network(), engine), torch.randn(1, 3, 64, 64)
    before = outputs(model, x)
    change(model)
    after = outputs(model, x)
    assert other_runs == []
    assert error(after, outputs(restore_eager(model), x)) < 1e-5
    assert error(after, before) > 1e-3


def test_state_dict_copies_and_pickles(engine):
    model, x = network(), torch.randn(1, 3, 64, 64)
    before, expected = copy.deepcopy(model.state_dict()), outputs(model, x)
    outputs(optimize_for_inference(model, engine), x)
    assert list(model.state_dict()) == list(before)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert not is_optimized(twin)
        assert error(outputs(twin, x), expected) == 0


def test_training_is_eager(engine, other_runs):
    model, x = network(norm_eval=False), torch.randn(2, 3, 64, 64)
    twin = copy.deepcopy(model).train()
    outputs(optimize_for_inference(model, engine), x)
    model.train()
    for net in (model, twin):
        sum(out.square().mean() for out in net(x)).backward()
    assert all(torch.equal(a.grad, b.grad) for a, b in zip(model.parameters(), twin.parameters()))
    twin.eval()
    del other_runs[:]
    assert error(outputs(model.eval(), x), outputs(twin, x)) < 1e-5
    assert other_runs == ['HRNet', 'HRFPN', 'MergeConv']  # of the twin


def test_empty_batch_is_eager(engine, other_runs):
    model = optimize_for_inference(network(), engine)
    assert outputs(model, torch.empty(0, 3, 64, 64))[0].shape == (0, 24, 16, 16)
    assert other_runs == ['HRNet', 'HRFPN', 'MergeConv']


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float64])
def test_other_precisions_use_the_torch_engine(engine, dtype, other_runs, logged):
    model, x = network(), torch.randn(1, 3, 64, 64)
    if dtype == torch.float64:
        model, x = model.double(), x.double()
    with torch.autocast('cpu', torch.bfloat16, enabled=dtype == torch.bfloat16):
        expected = outputs(model, x)
        optimize_for_inference(model, engine)
        del other_runs[:]
        for _ in range(2):
            got = outputs(model, x)
    assert other_runs == ['torch', 'torch']
    assert all(out.dtype == dtype for out in got)
    tolerance = 0.1 if dtype == torch.bfloat16 else 1e-12
    assert error([out.double() for out in got], [out.double() for out in expected]) < tolerance
    lines = [line for line in logged if f'not by {engine}' in line]
    assert len(lines) == 2  # one per module
    assert f'float32 on CPUs, not in {dtype}' in lines[0]


def test_in_threads(engine, other_runs):
    """Compile at the first, concurrent calls."""
    model = optimize_for_inference(network(), engine)
    images = [torch.randn(1, 3, 64 + 32 * k, 64) for k in range(4)]
    eager = copy.deepcopy(model)
    expected = [outputs(eager, x) for x in images]
    del other_runs[:]
    with ThreadPoolExecutor(3) as pool:
        for got, wanted in zip(pool.map(lambda x: outputs(model, x), images * 4), expected * 4):
            assert error(got, wanted) < 1e-5
    assert other_runs == []


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')
@pytest.mark.parametrize('prepare', [lambda model, engine: None, lambda model, engine: model.eval(),
                                     lambda model, engine: restore_eager(model), optimize_for_inference],
                         ids=['as it is', 'eval', 'restored', 'again'])
def test_in_a_forked_process(engine, prepare, other_runs):
    """Use torch in the child, which has no threads of other engines."""
    model, x = optimize_for_inference(network(), engine), torch.randn(1, 3, 64, 64)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        expected = outputs(model, x)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                prepare(model, engine)
                is_right = error(outputs(model, x), expected) < 1e-5
                code = 0 if is_right and (other_runs == ['torch', 'torch'] or not is_optimized(model)) else 2
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        torch.set_num_threads(threads)


def test_channels_last_models(engine, other_runs):
    """Weights in channels_last change neither the outputs nor the cached model of contiguous ones."""
    for memory_format in (torch.channels_last, torch.contiguous_format):
        torch.manual_seed(0)
        model, x = network().to(memory_format=memory_format), torch.randn(2, 3, 64, 96)
        expected = outputs(model, x)
        del other_runs[:]
        assert error(outputs(optimize_for_inference(model, engine), x), expected) < 1e-5
        assert other_runs == []


def test_default_dtype_has_no_effect(engine):
    model, x = network(), torch.randn(1, 3, 64, 64)
    expected = outputs(model, x)
    optimize_for_inference(model, engine)
    torch.set_default_dtype(torch.float64)
    try:
        for _ in range(3):
            assert error(outputs(model, x), expected) < 1e-5
    finally:
        torch.set_default_dtype(torch.float32)


def test_layers_in_training_mode_stay_so(engine, other_runs):
    model, x = network(norm_eval=False), torch.randn(2, 3, 64, 64)
    model[0].bn1.train()
    expected = outputs(copy.deepcopy(model), x)
    got = outputs(optimize_for_inference(model, engine), x)
    assert model[0].bn1.training
    assert error(got, expected) < 1e-5
    assert 'torch' in other_runs


def test_many_levels(engine, other_runs):
    """Export at the size of the images if the example is too small."""
    model, x = network(HRFPN(arch=ARCH, out_channels=16, num_outs=8)), torch.randn(1, 3, 512, 512)
    expected = outputs(model, x)
    del other_runs[:]
    assert error(outputs(optimize_for_inference(model, engine), x), expected) < 1e-5


@pytest.mark.parametrize('wrong', [lambda outs: [out + 1 for out in outs], lambda outs: [out[..., 1:] for out in outs]],
                         ids=['values', 'shape'])
def test_wrong_outputs_are_detected(engine, wrong, other_runs, logged, monkeypatch):
    compiler = engines._ONNX_ENGINES[engine]

    def compile_wrong(model):
        run = compiler(model)
        return lambda *feats: wrong(run(*feats))

    monkeypatch.setattr(engines, '_ONNX_ENGINES', {engine: compile_wrong})
    model, x = network(), torch.randn(1, 3, 64, 64)
    expected = outputs(model, x)
    del other_runs[:]
    assert error(outputs(optimize_for_inference(model, engine), x), expected) < 1e-5
    assert other_runs == ['torch', 'torch']
    assert sum('differ from those of the eager model' in line for line in logged) == 2


def test_an_engine_that_fails_at_run_time(engine, other_runs, logged, monkeypatch):
    compiler = engines._ONNX_ENGINES[engine]

    def compile_failing(model):
        run = compiler(model)

        def forward(*feats):
            if feats[0].size(0) == 3:
                raise RuntimeError('out of memory')
            return run(*feats)
        return forward

    monkeypatch.setattr(engines, '_ONNX_ENGINES', {engine: compile_failing})
    model = optimize_for_inference(network(), engine)
    outputs(model, torch.randn(1, 3, 64, 64))
    assert other_runs == []
    x = torch.randn(3, 3, 64, 64)
    got = outputs(model, x)
    assert other_runs == ['torch', 'torch']
    assert error(got, outputs(restore_eager(model), x)) < 1e-5
    assert sum('out of memory' in line for line in logged) == 2


def test_an_engine_that_fails(engine, other_runs, logged, monkeypatch):
    """The next engine runs the model, and the log has one line per module."""
    def fail(model):
        raise RuntimeError('no such instruction')

    monkeypatch.setattr(engines, '_ONNX_ENGINES', {engine: fail})
    model, x = network(), torch.randn(1, 3, 64, 64)
    expected = outputs(model, x)
    optimize_for_inference(model, engine)
    del other_runs[:]
    for _ in range(2):
        assert error(outputs(model, x), expected) < 1e-5
    assert other_runs == ['torch', 'torch']
    lines = [line for line in logged if 'no such instruction' in line]
    assert [line.split(' runs by ')[0] for line in lines] == ['HRNet', 'HRFPN']


@pytest.mark.parametrize('discard', [
    lambda model, engine: restore_eager(model), lambda model, engine: optimize_for_inference(model, 'torch'),
    lambda model, engine: model.eval(), lambda model, engine: model.__delitem__(0)],
    ids=['eager', 'other engine', 'eval', 'deleted'])
def test_sessions_are_freed_without_garbage_collection(engine, discard, sessions):
    model = optimize_for_inference(nn.Sequential(HRNet(ARCH)).eval(), engine)
    outputs(model, torch.randn(1, 3, 64, 64))
    assert [session() is None for session in sessions] == [False]
    gc.disable()
    try:
        discard(model, engine)
        assert sessions[0]() is None
    finally:
        gc.enable()


def test_sessions_of_earlier_weights_are_freed(engine, sessions):
    model = optimize_for_inference(nn.Sequential(HRNet(ARCH)).eval(), engine)
    for _ in range(3):
        model.load_state_dict({name: 0.9 * value for name, value in model.state_dict().items()})
        outputs(model, torch.randn(1, 3, 64, 64))
    assert [session() is None for session in sessions] == [True, True, False]


@pytest.mark.parametrize('engine', ['openvino', 'onnxruntime'], indirect=False)
def test_a_missing_engine(engine, other_runs, logged, monkeypatch):
    monkeypatch.setattr(engines, 'find_spec', lambda name: None)
    model, x = network(), torch.randn(1, 3, 64, 64)
    expected = outputs(model, x)
    del other_runs[:]
    assert error(outputs(optimize_for_inference(model, engine), x), expected) < 1e-5
    assert other_runs == ['torch', 'torch']
    line, = [line for line in logged if 'must be installed' in line]
    assert f'pip install {engine} onnx' in line


@pytest.mark.parametrize(('engine', 'images', 'installed', 'expected'), [
    ('torch', 10**6, ('openvino', ), ('torch', )), ('auto', None, ('openvino', ), ('torch', )),
    ('auto', 7, ('openvino', ), ()), ('auto', 8, ('openvino', ), ('torch', )),
    ('auto', 500, ('openvino', 'onnxruntime'), ('openvino', 'torch')), ('auto', 500, ('onnxruntime', ), ('torch', )),
    ('auto', 499, ('openvino', ), ('torch', )), ('openvino', 1, ('onnxruntime', ), ('torch', )),
    ('onnxruntime', 1, ('openvino', 'onnxruntime'), ('onnxruntime', 'torch'))])
def test_choice(engine, images, installed, expected, monkeypatch):
    monkeypatch.setattr(engines, 'find_spec', lambda name: name in installed or None)
    assert engines.choose_engines(engine, images) == expected


_SIGNALS = """
import gc, multiprocessing, signal, subprocess
import torch
from hrnet_plugin import HRNet, optimize_for_inference

signal.signal(signal.SIGCHLD, lambda *args: None)  # as PyTorch does for data loaders
models = [HRNet('w18_small_v1').eval() for _ in range(2)]
for model in models:
    optimize_for_inference(model, 'openvino', use_cache=False)
    with torch.no_grad():
        model(torch.rand(1, 3, 32, 32))
del model
while models:
    models.pop(0)
    gc.collect()
    subprocess.run(['true'], check=True)
assert not multiprocessing.active_children()  # of OpenVINO's telemetry
print('alive')
"""


def test_signals_after_engines_are_freed():
    """A Core of OpenVINO restores the signal stack of an earlier one when it is freed, which may be unmapped then."""
    pytest.importorskip('openvino')
    run = subprocess.run([sys.executable, '-W', 'ignore', '-c', _SIGNALS], capture_output=True, text=True)
    assert (run.returncode, run.stdout) == (0, 'alive\n'), run.stderr
