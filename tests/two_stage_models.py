"""Small two-stage detectors with many detections, and the predictions of their host."""

from __future__ import annotations

from contextlib import ExitStack
from unittest import mock

import torch
from conftest import randomize
from mmengine.registry import MODELS, DefaultScope
from torch import Tensor, nn

from hrnet_plugin.config_files import find_config

FAMILIES = ('faster-rcnn', 'cascade-rcnn', 'mask-rcnn', 'cascade-mask-rcnn')
MASK_HEADS = 'mmdet.models.roi_heads.mask_heads.fcn_mask_head'


class Pyramid(nn.Module):
    """Levels with strides 4, 8 and so on, cheaper than those of HRNet."""

    def __init__(self, levels: int) -> None:
        super().__init__()
        convs = (nn.Conv2d(64, 64, 3, 2, 1) for _ in range(levels - 1))
        self.convs = nn.ModuleList([nn.Conv2d(3, 64, 7, 4, 3), *convs])

    def forward(self, inputs: Tensor) -> list[Tensor]:
        levels = [inputs]
        for conv in self.convs:
            levels.append(2 * conv(levels[-1]).relu())
        return levels[1:]


def build_two_stage(family: str, seed: int = 0, **changes) -> nn.Module:
    """Return the detector of a sample config with another network and random weights, whose scores are spread."""
    config = find_config(f'{family}_hrnetv2p-w18-small-v1_sample')
    config.model.test_cfg.rcnn.max_per_img = 40
    if 'mask_head' in config.model.roi_head:
        config.model.roi_head.mask_head.num_convs = 1
    for name in ('bbox_roi_extractor', 'mask_roi_extractor'):
        if name in config.model.roi_head:
            config.model.roi_head[name].finest_scale = 8  # RoIs of small images are on all levels
    config.merge_from_dict({f'model.{key}': value for key, value in changes.items()})
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(config.model)
    torch.manual_seed(seed)
    model.backbone, model.neck = Pyramid(model.rpn_head.prior_generator.num_levels), None
    randomize(model)
    with torch.no_grad():
        model.rpn_head.rpn_reg.weight.mul_(0.1)
        for name, module in model.roi_head.named_modules():
            if isinstance(module, nn.Linear):
                module.weight.normal_(0, (0.3 if name.endswith('fc_reg') else 2) * module.in_features ** -0.5)
    return model.eval().requires_grad_(False)


def host_predictions(model: nn.Module, images: Tensor, size: tuple[int, int]) -> list[tuple[Tensor, ...]]:
    """Return boxes, scores, labels and mask probabilities that mmdet predicts on each of padded images."""
    from mmdet.models.roi_heads.mask_heads.fcn_mask_head import _do_paste_mask
    from mmdet.structures import DetDataSample
    samples = [DetDataSample(metainfo=dict(img_shape=size, ori_shape=size, scale_factor=(1., 1.))) for _ in images]
    masks = [torch.zeros(0, 28, 28)]

    def paste(probabilities, *args, **kwargs):
        masks.append(probabilities[:, 0])
        return _do_paste_mask(probabilities, *args, **kwargs)

    with torch.no_grad(), ExitStack() as stack:
        stack.enter_context(mock.patch(f'{MASK_HEADS}._do_paste_mask', paste))
        found = [sample.pred_instances for sample in model.predict(images, samples, rescale=False)]
    boxes = [(instances.bboxes, instances.scores, instances.labels) for instances in found]
    if not model.roi_head.with_mask:
        return boxes
    return [(*own, probabilities) for own, probabilities in zip(boxes, torch.cat(masks).split(list(map(len, found))))]


def assert_same_detections(outputs: list[Tensor], expected: list[tuple[Tensor, ...]], at_least: int = 21) -> None:
    """Compare padded outputs of an exported model with predictions of the host."""
    boxes, scores, labels, counts, *masks = outputs
    assert counts.tolist() == [len(instances[0]) for instances in expected]
    assert min(counts.tolist()) >= at_least
    assert len(masks) == len(expected[0]) - 3
    for index, instances in enumerate(expected):
        count = len(instances[0])
        for found, own, tolerance in zip((boxes, scores, labels, *masks), instances, (1e-2, 1e-3, 0, 1e-3)):
            torch.testing.assert_close(found[index, :count], own, rtol=0, atol=tolerance)
            assert not found[index, count:].any()
