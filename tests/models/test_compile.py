"""Backbone and necks under torch.compile and torch.export: no graph breaks, and equal outputs."""

import pytest
import torch
from conftest import randomize, relative_error
from torch import nn

from hrnet_plugin.models import HRFPN, HRNet, HRNetV2

ARCH = 'w18_small_v1'


def network(neck, **options):
    """Build a network in double precision. Exported graphs do not fold norms, which changes rounding."""
    return randomize(nn.Sequential(HRNet(ARCH, **options), neck)).eval().double()


CASES = {
    'pyramid': lambda: network(HRFPN(arch=ARCH, out_channels=16)),
    'single map, bilinear': lambda: network(HRNetV2(arch=ARCH, out_channels=16), upsample='bilinear'),
}


@pytest.mark.parametrize('case', CASES)
@pytest.mark.parametrize('size', [(64, 64), (75, 101)])
@torch.no_grad()
def test_export(case, size):
    model, x = CASES[case](), torch.randn(1, 3, *size, dtype=torch.double)
    exported = torch.export.export(model, (x, )).module()
    for a, b in zip(exported(x), model(x)):
        assert relative_error(a, b) < 1e-12


@torch.no_grad()
def test_export_for_any_multiple_of_32():
    """Export with four levels, because avg_pool2d specializes on odd sizes, which a fifth level would have."""
    model = network(HRFPN(arch=ARCH, out_channels=16, num_outs=4))
    height, width = (torch.export.Dim(name, min=4, max=64) for name in ('h', 'w'))
    x = torch.randn(1, 3, 160, 192, dtype=torch.double)
    exported = torch.export.export(model, (x, ), dynamic_shapes=({2: 32 * height, 3: 32 * width}, )).module()
    y = torch.randn(1, 3, 128, 256, dtype=torch.double)
    for a, b in zip(exported(y), model(y)):
        assert relative_error(a, b) < 1e-12


@pytest.mark.parametrize('backend', ['aot_eager', pytest.param('inductor', marks=pytest.mark.slow)])
@pytest.mark.parametrize('case', CASES)
def test_compile_without_graph_break(case, backend):
    torch._dynamo.reset()
    model, x = CASES[case](), torch.randn(1, 3, 64, 96, dtype=torch.double)
    compiled = torch.compile(model, fullgraph=True, backend=backend)
    with torch.no_grad():
        for a, b in zip(compiled(x), model(x)):
            assert relative_error(a, b) < 1e-12


@pytest.mark.slow
@pytest.mark.parametrize('training', [False, True])
def test_few_compilations_for_many_sizes(training):
    """Compile for many image sizes. Sizes become symbolic, except for the parity of the level sizes."""
    torch._dynamo.reset()
    compilations = []

    def backend(graph, inputs):
        compilations.append(graph)
        return graph.forward

    model = network(HRFPN(arch=ARCH, out_channels=16), norm_eval=False).train(training)
    compiled = torch.compile(model, backend=backend, fullgraph=True)
    steps = ((4, 5), (5, 6), (4, 8), (6, 7), (7, 5), (10, 8), (8, 8), (9, 11), (11, 5), (3, 4))
    with torch.set_grad_enabled(training):
        for height, width in steps:
            compiled(torch.randn(2, 3, 32 * height, 32 * width, dtype=torch.double))
    assert len(compilations) <= 6
