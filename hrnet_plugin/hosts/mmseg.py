"""Adapter of mmsegmentation: semantic segmentation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrnet_plugin.hosts import mmseg_metrics
from hrnet_plugin.hosts.config_entries import find_class_heads
from hrnet_plugin.hosts.host import Host
from hrnet_plugin.hosts.names import type_name
from hrnet_plugin.hosts.network_defaults import NetworkDefaults

if TYPE_CHECKING:
    from mmengine.config import ConfigDict
    from mmengine.dataset import BaseDataset
    from mmengine.evaluator import Evaluator
    from mmengine.structures import BaseDataElement
    from torch import Tensor, nn

    from hrnet_plugin.results.dataset_meta import DatasetMeta
    from hrnet_plugin.results.prediction import Prediction

# name of a head, which may be in a list
_CLASS_HEAD = re.compile(r'^(decode|auxiliary)_head(\.\d+)?$')
_BOUNDARY_HEADS = ('STDCHead', )


class MMSegHost(Host):
    """Adapter of mmsegmentation."""

    def method(self, model: ConfigDict) -> str:
        """Return the name of the last decode head in published tables."""
        head = model.get('decode_head')
        head = head[-1] if isinstance(head, (list, tuple)) else head
        kind = type_name(model['type'])
        return self.methods.get(type_name((head or {}).get('type', kind)), kind)

    def class_heads(self, model: nn.Module) -> dict[str, int]:
        """Return the numbers of classes of all decode heads, except those that predict boundaries or one map."""
        return {name: number for name, head, number in find_class_heads(model, _CLASS_HEAD)
                if type(head).__name__ not in _BOUNDARY_HEADS and getattr(head, 'out_channels', None) != 1}

    def class_names(self, dataset: BaseDataset) -> Sequence[str] | None:
        """Return the classes of a segmentation dataset. Datasets of depth maps have names of scenes instead."""
        is_segmentation = hasattr(dataset, 'reduce_zero_label') and 'depth_map_path' not in dataset.data_prefix
        return dataset.metainfo.get('classes') if is_segmentation else None

    def dataset_name(self, dataset: BaseDataset, annotations: Path, images: Iterable[int]) -> str:
        """Return the name of a dataset in published tables. Of COCO-Stuff, only the 10k split has one."""
        if type(dataset).__name__ == 'COCOStuffDataset':
            prefix = getattr(dataset, 'data_prefix', None) or {}
            return 'COCO-Stuff 10k' if 'test2014' in str(prefix.get('img_path', '')) else ''
        return super().dataset_name(dataset, annotations, images)

    def prediction(self, samples: Sequence[BaseDataElement], *, name: str, size: tuple[int, int],
                   meta: DatasetMeta) -> Prediction:
        """Convert the label map of an image."""
        from hrnet_plugin.results.prediction import Prediction, to_numpy
        found = samples[0].get('pred_sem_seg')
        if found is None:
            raise ValueError('config must be one of a model that segments images, got one without pred_sem_seg')
        return Prediction(task=self.task, name=name, size=size, meta=meta,
                          label_map=to_numpy(found.data, 'int64').reshape(size))

    def set_prediction(self, sample: BaseDataElement, prediction: Prediction) -> None:
        """Add a label map as ``pred_sem_seg``."""
        import torch
        from mmengine.structures import PixelData
        sample.pred_sem_seg = PixelData(data=torch.from_numpy(prediction.label_map)[None])

    def label_areas(self, evaluator: Evaluator) -> Sequence[Sequence[Tensor]]:
        """Return the areas of each image that ``IoUMetric`` collects before it evaluates them. Empty without it.

        Args:
            evaluator: Evaluator after the last image, and before its evaluation.

        Returns:
            Intersection, union, predicted and labeled pixels per image, shape (C, ) each.
        """
        return next((metric.results for metric in evaluator.metrics if type(metric).__name__ == 'IoUMetric'), ())

    def label_options(self, dataset: ConfigDict) -> dict[str, Any]:
        """Return how label maps of a dataset are read.

        Args:
            dataset: Config of the dataset.

        Returns:
            classes, label_map, reduce_zero_label and ignore_index, and the suffixes of the files that ``IoUMetric``
            writes and of the ground truth.

        Raises:
            ValueError: If mmseg has no such dataset.
        """
        import mmseg.datasets  # noqa: F401  registers the datasets
        from mmseg.registry import DATASETS
        kind = DATASETS.get(dataset['type'])
        if kind is None or not hasattr(kind, 'METAINFO'):
            raise ValueError(f'dataset must be registered in mmseg, got {dataset["type"]!r}')
        metainfo = {**kind.METAINFO, **(dataset.get('metainfo') or {})}

        def option(name: str) -> Any:
            owner = next((base for base in kind.__mro__ if name in signature(base).parameters), None)
            return dataset.get(name, signature(owner).parameters[name].default if owner else None)

        classes = metainfo.get('classes')
        return dict(classes=classes, label_map=kind.get_label_map(classes and list(classes)) or {},
                    reduce_zero_label=bool(option('reduce_zero_label')), ignore_index=option('ignore_index'),
                    suffixes=(f'{option("img_suffix").rpartition(".")[0]}.png', option('seg_map_suffix')))


MMSEG = MMSegHost(
    name='mmseg',
    distribution='mmsegmentation',
    install_command='pip install mmsegmentation ftfy regex',
    task='segmentation',
    network=NetworkDefaults(upsampling='bilinear'),
    metrics=tuple(mmseg_metrics.metrics()),
    datasets={'CityscapesDataset': 'Cityscapes', 'ADE20KDataset': 'ADE20K', 'LIPDataset': 'LIP',
              'PascalContextDataset': 'PASCAL-Context 60', 'PascalContextDataset59': 'PASCAL-Context 59'},
    splits={('Cityscapes', 'val'): (500, ),
            ('ADE20K', 'val'): (2000, ),
            ('LIP', 'val'): (10000, ),
            ('PASCAL-Context 59', 'val'): (5104, 5105),  # some copies of the list have one more image
            ('PASCAL-Context 60', 'val'): (5104, 5105),
            ('COCO-Stuff 10k', 'test'): (1000, )},
    methods={'FCNHead': 'HRNetV2 head', 'OCRHead': 'OCR', 'PSPHead': 'PSPNet', 'ASPPHead': 'DeepLabv3',
             'DepthwiseSeparableASPPHead': 'DeepLabv3+'},
    extensions={'FCNHead': 'hrnet_plugin.models.decode_heads', 'OCRHead': 'hrnet_plugin.models.decode_heads',
                'LeftRightTTAModel': 'hrnet_plugin.models.segmentors'})
