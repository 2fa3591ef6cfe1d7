"""Adapter of mmdet: object detection and instance segmentation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.hosts import mmdet_metrics
from hrnet_plugin.hosts.config_entries import find_class_heads
from hrnet_plugin.hosts.host import Host
from hrnet_plugin.hosts.names import type_name
from hrnet_plugin.hosts.network_defaults import NetworkDefaults

if TYPE_CHECKING:
    from mmdet.models.roi_heads.base_roi_head import BaseRoIHead
    from mmdet.models.roi_heads.roi_extractors.base_roi_extractor import BaseRoIExtractor
    from mmengine.config import Config, ConfigDict
    from mmengine.dataset import BaseDataset
    from mmengine.evaluator import BaseMetric, Evaluator
    from mmengine.model import BaseModel
    from mmengine.structures import BaseDataElement
    from torch import Tensor, nn

    from hrnet_plugin.results.dataset_meta import DatasetMeta
    from hrnet_plugin.results.prediction import Prediction

# name of a box or mask head, which may be in a list
_CLASS_HEAD = re.compile(r'(^|\.)(bbox|mask|panoptic|point|glbctx)_head(\.\d+)?$')
# names of a detector in models of semi-supervised methods, whose config entry is 'detector'
_DETECTOR = re.compile(r'^(student|teacher)\.')
_COCO = 'instances_val2017'  # file name of the annotations, not unique to COCO
_COCO_IMAGES = (139, 285, 632, 724, 776)  # IDs of the first images, unique to COCO


class MMDetHost(Host):
    """Adapter of mmdet."""

    def method(self, model: ConfigDict) -> str:
        """Return the method name of a model in published tables."""
        if (model.get('bbox_head') or {}).get('type') == 'hrnet_plugin.CenterTripletHead':
            return 'CenterNet'
        if type_name(model['type']) == 'CascadeRCNN' and (model.get('roi_head') or {}).get('mask_head') is not None:
            return 'Cascade Mask R-CNN'
        return super().method(model)

    def schedule(self, train_cfg: ConfigDict) -> str:
        """Return the length of a training schedule: '1x', '2x' or '20e'."""
        return {12: '1x', 24: '2x'}.get(train_cfg.get('max_epochs', 0)) or super().schedule(train_cfg)

    def dataset_name(self, dataset: BaseDataset, annotations: Path, images: Iterable[int]) -> str:
        """Return 'COCO' for the annotations of COCO val2017."""
        if type(dataset).__name__ == 'CocoDataset':
            return coco_name(annotations, images, _COCO)
        return super().dataset_name(dataset, annotations, images)

    def input_size(self, config: Config) -> tuple[int, int] | None:
        """Return None, because detectors have no fixed input size."""
        return None

    def class_heads(self, model: nn.Module) -> dict[str, int]:
        """Return the numbers of classes of all box and mask heads that distinguish classes."""
        if hasattr(model, 'language_model'):  # classes are words of the prompt
            return {}
        return {_DETECTOR.sub('detector.', name): number
                for name, head, number in find_class_heads(model, _CLASS_HEAD)
                if not getattr(head, 'class_agnostic', False) and not type(head).__name__.endswith('RPNHead')}

    def class_names(self, dataset: BaseDataset) -> Sequence[str] | None:
        """Return the classes of a detection dataset.

        In tracking, detectors have fewer classes. In panoptic segmentation, box heads have.
        """
        from mmdet.datasets import BaseDetDataset
        compared = isinstance(dataset, BaseDetDataset) and 'stuff_classes' not in dataset.metainfo
        return dataset.metainfo.get('classes') if compared else None

    def uses_coco_format(self, dataset: BaseDataset) -> bool:
        """Return True for ``CocoDataset`` and its subclasses that only change the classes or the filter."""
        from mmdet.datasets import CocoDataset
        return isinstance(dataset, CocoDataset) and type(dataset).load_data_list is CocoDataset.load_data_list \
            and 'stuff_classes' not in dataset.metainfo

    def coco_metrics(self, evaluator: Evaluator) -> list[BaseMetric]:
        """Return the evaluator's metrics of type ``CocoMetric``."""
        # mmpose has a class with the same name
        return [metric for metric in evaluator.metrics
                if type(metric).__name__ == 'CocoMetric' and hasattr(metric, 'proposal_nums')]

    def use_images_only(self, dataset: ConfigDict, person_boxes: str | None) -> None:
        """Make a ``CocoDataset`` read all images of COCO's test-dev. Raise an error for other classes."""
        from mmdet.datasets import CocoDataset
        if person_boxes is not None:
            raise ValueError(f'--person-boxes must not be given with a config of mmdet, got {person_boxes}. '
                             'It requires a pose estimator.')
        classes = (dataset.get('metainfo') or {}).get('classes') or ()
        unknown = set(classes) - set(CocoDataset.METAINFO['classes'])
        if unknown:
            raise ValueError(f'config must test classes of COCO, got {", ".join(sorted(map(repr, unknown))[:5])}')
        super().use_images_only(dataset, person_boxes)
        dataset.pop('filter_cfg', None)

    def prediction(self, samples: Sequence[BaseDataElement], *, name: str, size: tuple[int, int],
                   meta: DatasetMeta) -> Prediction:
        """Convert the detected objects of an image."""
        from hrnet_plugin.results.prediction import Prediction, to_numpy
        found = samples[0].get('pred_instances')
        if found is None:
            raise ValueError('config must be one of a model that detects objects, got one without pred_instances')
        masks = None
        if 'masks' in found:
            masks = to_numpy(found.masks, bool).reshape(-1, *size)
        return Prediction(task=self.task, name=name, size=size, meta=meta, boxes=to_numpy(found.bboxes, 'float32'),
                          scores=to_numpy(found.scores, 'float32'), labels=to_numpy(found.labels, 'int64'),
                          masks=masks)

    def set_prediction(self, sample: BaseDataElement, prediction: Prediction) -> None:
        """Add detected objects as ``pred_instances``."""
        import torch
        from mmengine.structures import InstanceData
        found = dict(bboxes=prediction.boxes, scores=prediction.scores, labels=prediction.labels,
                     masks=prediction.masks)
        sample.pred_instances = InstanceData(
            **{name: torch.from_numpy(values) for name, values in found.items() if values is not None})

    def forward(self, model: BaseModel, image: Tensor, box_rois: int, mask_rois: int) -> None:
        """Run backbone, neck and heads once. Box and mask heads get RoI features with uninitialized values."""
        if getattr(model, 'roi_head', None) is None:
            super().forward(model, image, box_rois, mask_rois)
            return
        feats = model.extract_feat(image)
        if getattr(model, 'rpn_head', None) is not None:
            model.rpn_head(feats)
        _forward_roi_head(model.roi_head, feats, box_rois, mask_rois)


def coco_name(annotations: Path, images: Iterable[int], stem: str) -> str:
    """Return 'COCO' if annotations are those of COCO val2017, else an empty string.

    Args:
        annotations: Path of the annotations.
        images: IDs of their images.
        stem: File name of the annotations of COCO without suffix.
    """
    return 'COCO' if annotations.stem == stem and set(_COCO_IMAGES) <= set(images) else ''


def _forward_roi_head(head: BaseRoIHead, feats: Sequence[Tensor], box_rois: int, mask_rois: int) -> None:
    for extractor, stage in _stages(head, 'bbox'):
        stage(_empty_roi_features(extractor, box_rois, feats[0]))
    if getattr(head, 'semantic_head', None) is not None:
        head.semantic_head(feats)
    last = None
    for extractor, stage in _stages(head, 'mask'):
        rois = _empty_roi_features(extractor, mask_rois, feats[0])
        if not hasattr(stage, 'with_conv_res'):
            stage(rois)
        else:  # information flow of HTC: each stage reads the features of the previous one
            _, last = stage(rois, last) if stage.with_conv_res and last is not None else stage(rois)


def _stages(head: BaseRoIHead, part: str) -> Iterator[tuple[BaseRoIExtractor, nn.Module]]:
    heads = getattr(head, f'{part}_head', None)
    if heads is None:
        return
    extractors = getattr(head, f'{part}_roi_extractor')
    if not hasattr(heads, '__iter__'):  # cascades have lists
        heads, extractors = [heads], [extractors]
    yield from zip(extractors, heads)


def _empty_roi_features(extractor: BaseRoIExtractor, number: int, like: Tensor) -> Tensor:
    return like.new_empty(number, extractor.out_channels, *extractor.roi_layers[0].output_size)


MMDET = MMDetHost(
    name='mmdet',
    distribution='mmdet',
    install_command='pip install mmdet',
    task='detection',
    network=NetworkDefaults(norm_eval=True),
    metrics=tuple(mmdet_metrics.metrics()),
    datasets={'CityscapesDataset': 'Cityscapes'},
    splits={('COCO', 'val2017'): (5000, )},
    methods={'FasterRCNN': 'Faster R-CNN', 'CascadeRCNN': 'Cascade R-CNN', 'MaskRCNN': 'Mask R-CNN',
             'HybridTaskCascade': 'Hybrid Task Cascade', 'CenterNet': 'CenterNet, objects as points'},
    drawing_folder='test_out_dir',
    result_dump='DumpDetResults',  # also encodes masks
    result_kinds=('bbox', 'segm'),
    coco_evaluators=('CocoMetric', 'CocoOccludedSeparatedMetric'),
    extensions=dict.fromkeys(('CenterTripletHead', 'CenterTripletTTAModel'), 'hrnet_plugin.models.dense_heads'))
