"""Operators of detectors in ONNX and in torch.export."""

from __future__ import annotations

import io
import warnings

import pytest
import torch
from torch import Tensor, nn

from hrnet_plugin.export.operators import nms


class Suppression(nn.Module):
    """NMS of one class."""

    def forward(self, boxes: Tensor, scores: Tensor) -> Tensor:
        return nms(boxes, scores[:, None], .5, -.5, 100)[:, 0]


def disjoint_boxes(images: int, number: int, existing: int) -> tuple[Tensor, Tensor]:
    """Return boxes that do not overlap, and their scores, of which a number is positive."""
    boxes = torch.arange(number)[None, :, None] * 10. + torch.tensor([0., 0., 5., 5.])
    scores = torch.full((images * number, ), -1.)
    scores[:existing] = torch.rand(existing)
    return boxes.repeat(images, 1, 1), scores.view(images, number)


@pytest.mark.parametrize('example', [0, 1, 5])
def test_nms_does_not_depend_on_the_number_of_boxes_in_the_example_input(example):
    onnxruntime = pytest.importorskip('onnxruntime')
    file, axes = io.BytesIO(), {0: 'batch', 1: 'number'}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.onnx.export(Suppression(), disjoint_boxes(2, 10, example), file, dynamo=False, opset_version=17,
                          input_names=['boxes', 'scores'], output_names=['kept'],
                          dynamic_axes=dict(boxes=axes, scores=axes, kept=axes))
    session = onnxruntime.InferenceSession(file.getvalue(), providers=['CPUExecutionProvider'])
    for existing in (0, 1, 30):
        boxes, scores = disjoint_boxes(3, 20, existing)
        kept = session.run(None, dict(boxes=boxes.numpy(), scores=scores.numpy()))[0]
        assert torch.from_numpy(kept).equal(scores)


@pytest.mark.parametrize('existing', [0, 1, 30])
def test_programs_of_torch_export_keep_any_number_of_boxes(existing):
    dynamic = dict.fromkeys((0, 1), torch.export.Dim.DYNAMIC)
    program = torch.export.export(Suppression(), disjoint_boxes(2, 10, 5), dynamic_shapes=(dynamic, dynamic))
    boxes, scores = disjoint_boxes(3, 20, existing)
    assert program.module()(boxes, scores).equal(scores)
