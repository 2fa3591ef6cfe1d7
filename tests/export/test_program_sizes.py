"""Detectors as programs of torch.export, for sizes and batches other than the example's, without guards."""

from __future__ import annotations

import io

import pytest
import torch
from conftest import randomize
from mmengine.registry import MODELS, DefaultScope
from torch import nn

from hrnet_plugin.config_files import find_config
from hrnet_plugin.export.export import make_exportable
from hrnet_plugin.export.metadata import describe_export
from hrnet_plugin.export.parity.gate import check_parity
from hrnet_plugin.export.parity.reference import Reference
from hrnet_plugin.export.targets.pt2 import TorchExportTarget

pytest.importorskip('mmdet.models')
# the smallest pyramid, and others whose levels have odd sizes
SHAPES = ((1, 3, 64, 64), (2, 3, 61, 131), (3, 3, 65, 97), (1, 3, 256, 128))


class Streams(nn.Module):
    """Feature maps with the strides of HRNet's, computed in a short time."""

    def __init__(self, channels):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(3, number, 3, 4 * 2**index, 1) for index, number in enumerate(channels))

    def forward(self, images):
        return tuple(conv(images) for conv in self.convs)


@pytest.fixture(scope='module', params=[
    'fcos', *(pytest.param(family, marks=pytest.mark.slow) for family in ('retinanet', 'atss', 'gfl', 'faster-rcnn'))])
def case(request):
    """Config, model, its exportable form and metadata."""
    config = find_config(f'{request.param}_hrnetv2p-w18-small-v1_sample')
    if 'bbox_head' in config.model:
        config.model.bbox_head.stacked_convs = 1
        config.model.test_cfg.update(score_thr=0, max_per_img=20)
    else:
        config.model.test_cfg.rcnn.update(score_thr=0, max_per_img=20)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(config.model)
    model.backbone = Streams(model.neck.in_channels)
    randomize(model).eval()
    if request.param == 'gfl':
        model.bbox_head.integral.project.copy_(torch.arange(17))  # a constant
    exportable = make_exportable(config, model, 'model')
    return config, model, exportable, describe_export(config, model, 'none.pth', exportable.adapter, 'model')


@pytest.fixture(scope='module')
def program(case):
    """Program without the runtime of this package."""
    _, _, exportable, metadata = case
    files = TorchExportTarget().export(exportable, torch.zeros(1, 3, 128, 64), metadata)
    return torch.export.load(io.BytesIO(files['.pt2'])).module()


def test_programs_pass_the_comparison_with_pytorch(case, program):
    config, model, _, metadata = case

    def run(images):
        with torch.no_grad():
            outputs = program(torch.from_numpy(images))
        return {name: output.numpy() for name, output in zip(metadata.outputs, outputs, strict=True)}
    tally, _ = check_parity(run, Reference(config, model, metadata), metadata)
    assert tally.compared['detections'] + tally.unstable == 4 * 20
    assert tally.compared['detections'] > 60


def test_programs_run_on_images_of_all_sizes(case, program):
    for shape in SHAPES:
        images = torch.rand(shape) * 255
        with torch.no_grad():
            expected, found = case[2](images), program(images)
        for own, other in zip(found, expected, strict=True):
            torch.testing.assert_close(own, other, atol=1e-3, rtol=1e-4)
