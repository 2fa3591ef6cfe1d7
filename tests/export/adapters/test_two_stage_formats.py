"""Exported two-stage detectors against the predictions of mmdet, for batches and sizes other than the example's."""

from __future__ import annotations

import pytest
import torch
from exported_adapters import WithSize, export_onnx, run_onnx, run_openvino, run_torch_export
from two_stage_models import FAMILIES, assert_same_detections, build_two_stage, host_predictions

from hrnet_plugin.export.adapters.two_stage import TwoStageAdapter

pytestmark = pytest.mark.usefixtures('mmdet_scope')
EXAMPLE = (2, 3, 96, 128)
# In an image of 40 x 40, no RoI is of the coarsest level.
SHAPES = ((1, 3, 40, 40), (3, 3, 83, 150))
# torch.export takes a size of 1, here of the coarsest level, for a constant.
TORCH_EXPORT_SHAPES = ((1, 3, 70, 70), (3, 3, 83, 150))


@pytest.fixture(scope='module', params=['faster-rcnn', *(
    pytest.param(family, marks=pytest.mark.slow) for family in FAMILIES[1:3]), 'cascade-mask-rcnn'])
def model(request, mmdet_scope):
    # boxes per class in the last stage
    head = 'bbox_head.2' if 'cascade' in request.param else 'bbox_head'
    return build_two_stage(request.param, **{f'roi_head.{head}.reg_class_agnostic': False})


@pytest.fixture(scope='module')
def onnx_file(model):
    adapter = TwoStageAdapter(model)
    return export_onnx(WithSize(adapter), torch.randn(EXAMPLE), adapter.outputs)


def check(predict, model, shapes=SHAPES) -> None:
    """Compare the predictions of an exported model with those of mmdet."""
    for shape in shapes:
        torch.manual_seed(1)
        images = torch.randn(shape)
        outputs = [torch.from_numpy(output) for output in predict(images)]
        assert_same_detections(outputs, host_predictions(model, images, shape[2:]))


@pytest.mark.parametrize('run', [run_onnx, run_openvino])
def test_exported_models_predict_as_mmdet(run, model, onnx_file):
    check(run(onnx_file), model)


@pytest.mark.slow
def test_programs_of_torch_export_predict_as_mmdet(model):
    check(run_torch_export(WithSize(TwoStageAdapter(model)), torch.randn(EXAMPLE)), model, TORCH_EXPORT_SHAPES)


@pytest.fixture(scope='module')
def selective():
    """Detector whose threshold is so high that it detects nothing in some images."""
    return build_two_stage('mask-rcnn', **{'test_cfg.rcnn.score_thr': .97})


def check_selective(predict, model) -> None:
    images = torch.randn(2, 3, 96, 128)
    images[0] *= 0.01
    for batch in (images, images[:1]):
        expected = host_predictions(model, batch, (96, 128))
        assert not len(expected[0][0])
        assert len(batch) == 1 or len(expected[1][0])
        assert_same_detections([torch.from_numpy(output) for output in predict(batch)], expected, at_least=0)


@pytest.mark.parametrize('run', [run_onnx, run_openvino])
def test_nothing_is_detected_in_some_images_or_in_all(run, selective):
    adapter = TwoStageAdapter(selective)
    check_selective(run(export_onnx(WithSize(adapter), torch.randn(EXAMPLE), adapter.outputs)), selective)


@pytest.mark.slow
def test_programs_of_torch_export_may_detect_nothing(selective):
    check_selective(run_torch_export(WithSize(TwoStageAdapter(selective)), torch.randn(EXAMPLE)), selective)
