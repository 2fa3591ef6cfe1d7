"""One pass of any host's model, on tensors that need not hold numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmengine.structures import BaseDataElement
from torch import Tensor, nn


def run_once(model: Any, image: Tensor, box_rois: int, mask_rois: int) -> None:
    """Run backbone, neck and heads once, without what comes before and after the network.

    Proposals are not computed: detectors of two stages run their box and mask heads on as many empty regions as asked
    for, in each stage of a cascade. So nothing depends on the values of tensors, and the meta device will do.

    Args:
        model: A model of mmdet, mmpose, mmsegmentation or mmpretrain.
        image: ``(1, C, H, W)``.
        box_rois: Regions for each box head of a detector of two stages.
        mask_rois: Regions for each mask head.
    """
    if getattr(model, 'roi_head', None) is not None:
        feats = model.extract_feat(image)
        if getattr(model, 'rpn_head', None) is not None:
            model.rpn_head(feats)
        _run_roi_head(model.roi_head, feats, box_rois, mask_rois)
        return
    shape = tuple(image.shape[-2:])
    meta = dict(img_shape=shape, batch_input_shape=shape, ori_shape=shape, pad_shape=shape, scale_factor=(1., 1.))
    model(image, [BaseDataElement(metainfo=meta)], mode='tensor')


def _run_roi_head(head: Any, feats: tuple[Tensor, ...], box_rois: int, mask_rois: int) -> None:
    for extractor, stage in _stages(head, 'bbox'):
        stage(_regions(extractor, box_rois, feats[0]))
    if getattr(head, 'semantic_head', None) is not None:
        head.semantic_head(feats)
    last = None
    for extractor, stage in _stages(head, 'mask'):
        regions = _regions(extractor, mask_rois, feats[0])
        if not hasattr(stage, 'with_conv_res'):
            stage(regions)
        else:  # the information flow of HTC: each stage takes up the features of the one before
            _, last = stage(regions, last) if stage.with_conv_res and last is not None else stage(regions)


def _stages(head: Any, part: str) -> Iterator[tuple[Any, Any]]:
    """The extractor and the head of each stage; none where the detector has no such part."""
    heads: Any = getattr(head, f'{part}_head', None)
    extractors: Any = getattr(head, f'{part}_roi_extractor', None)
    if heads is None:
        return
    if not isinstance(heads, nn.ModuleList):
        heads, extractors = [heads], [extractors]
    yield from zip(extractors, heads)


def _regions(extractor: Any, number: int, like: Tensor) -> Tensor:
    return like.new_empty(number, extractor.out_channels, *extractor.roi_layers[0].output_size)
