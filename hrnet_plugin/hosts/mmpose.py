"""Adapter of mmpose: keypoint detection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrnet_plugin.hosts import mmpose_metrics
from hrnet_plugin.hosts.host import Host
from hrnet_plugin.hosts.mmdet import coco_name
from hrnet_plugin.hosts.names import type_name
from hrnet_plugin.hosts.network_defaults import SMALL_NORMAL, NetworkDefaults

if TYPE_CHECKING:
    from mmengine.config import Config, ConfigDict
    from mmengine.dataset import BaseDataset
    from mmengine.evaluator import BaseMetric, Evaluator
    from mmengine.structures import BaseDataElement
    from torch import nn

    from hrnet_plugin.array_types import Floats
    from hrnet_plugin.results.dataset_meta import DatasetMeta
    from hrnet_plugin.results.prediction import Prediction

# number of keypoints in heads; heads with num_keypoints have more out_channels
_KEYPOINT_ENTRIES = ('num_keypoints', 'num_joints', 'out_channels')


class MMPoseHost(Host):
    """Adapter of mmpose."""

    def dataset_name(self, dataset: BaseDataset, annotations: Path, images: Iterable[int]) -> str:
        """Return 'COCO' for the keypoint annotations of COCO val2017."""
        if type(dataset).__name__ == 'CocoDataset':
            return coco_name(annotations, images, 'person_keypoints_val2017')
        return super().dataset_name(dataset, annotations, images)

    def keypoint_heads(self, model: nn.Module, is_evaluated: bool) -> dict[str, tuple[int, int]]:
        """Return the outputs of the head. Combined heat maps of UDP have three outputs per keypoint."""
        chosen = (getattr(model, 'test_cfg', None) or {}).get('output_keypoint_indices')
        if is_evaluated and chosen is not None:
            return {'test_cfg.output_keypoint_indices': (len(chosen), 1)}
        head = None if type(model).__name__ == 'PoseLifter' else getattr(model, 'head', None)  # lifter: coordinates
        for entry in _KEYPOINT_ENTRIES:
            number = getattr(head, entry, None)
            if isinstance(number, int):
                combined = getattr(getattr(head, 'decoder', None), 'heatmap_type', '') == 'combined'
                return {f'head.{entry}': (number, 3 if combined else 1)}
        return {}

    def converted_keypoints(self, pipeline: Sequence[ConfigDict]) -> int | None:
        """Return the number of keypoints that ``KeypointConverter`` makes of those of a dataset."""
        numbers = [step.get('num_keypoints') for step in pipeline if type_name(step['type']) == 'KeypointConverter']
        return numbers[-1] if numbers else None

    def uses_coco_format(self, dataset: BaseDataset) -> bool:
        """Return True for datasets whose annotations are read as those of COCO."""
        from mmpose.datasets.datasets.base import BaseCocoStyleDataset as Base
        kind = type(dataset)
        return isinstance(dataset, Base) and kind._load_annotations is Base._load_annotations \
            and kind.parse_data_info is Base.parse_data_info

    def result_metrics(self, evaluator: Evaluator) -> list[BaseMetric]:
        """Return the evaluator's metrics of type ``CocoMetric``, which write keypoints."""
        # mmdet has a class with the same name
        return [metric for metric in evaluator.metrics
                if type(metric).__name__ == 'CocoMetric' and hasattr(metric, 'nms_mode')]

    def use_images_only(self, dataset: ConfigDict, person_boxes: str | None) -> None:
        """Make a ``CocoDataset`` read all images of COCO's test-dev, or the given boxes of persons in these images.

        Raise an error for other keypoints, and for boxes that a top-down model lacks or another model ignores.
        """
        from mmpose.datasets import CocoDataset
        names = CocoDataset._load_metainfo(dataset.get('metainfo'))['keypoint_name2id']
        if names != CocoDataset._load_metainfo()['keypoint_name2id']:
            raise ValueError('config must test the keypoints of COCO, got others in the metainfo of its dataset')
        is_top_down = dataset.get('data_mode', 'topdown') == 'topdown'
        if is_top_down != (person_boxes is not None):
            raise ValueError(
                '--person-boxes must be a file of persons in the images of test-dev for a top-down config, got none'
                if is_top_down else f'--person-boxes must not be given for a bottom-up config, got {person_boxes}')
        super().use_images_only(dataset, person_boxes)
        dataset.bbox_file = person_boxes

    def dataset_meta(self, dataset: BaseDataset, model: nn.Module) -> DatasetMeta:
        """Return names and palettes of the keypoints that a model predicts."""
        from hrnet_plugin.hosts.mmpose_results import keypoint_meta
        return keypoint_meta(dataset.metainfo, model)

    def pipeline_inputs(self, image: dict[str, Any], dataset: BaseDataset, boxes: Floats | None,
                        box_scores: Floats | None) -> list[dict[str, Any]]:
        """Return one input per person for top-down models, else one."""
        from hrnet_plugin.hosts.mmpose_results import person_inputs
        if getattr(dataset, 'data_mode', 'topdown') != 'topdown':
            return super().pipeline_inputs({**image, **dataset.metainfo}, dataset, boxes, box_scores)
        return person_inputs({**image, **dataset.metainfo}, boxes, box_scores)

    def prediction(self, samples: Sequence[BaseDataElement], *, name: str, size: tuple[int, int],
                   meta: DatasetMeta) -> Prediction:
        """Convert the keypoints of the persons in an image."""
        from hrnet_plugin.hosts.mmpose_results import pose_prediction
        return pose_prediction(samples, name=name, size=size, meta=meta)

    def set_prediction(self, sample: BaseDataElement, prediction: Prediction) -> None:
        """Add keypoints as ``pred_instances``."""
        from mmengine.structures import InstanceData
        sample.pred_instances = InstanceData(
            bboxes=prediction.boxes, bbox_scores=prediction.scores, keypoints=prediction.keypoints,
            keypoint_scores=prediction.keypoint_scores)

    def person_boxes(self, sample: BaseDataElement) -> tuple[Floats, Floats] | None:
        """Return the boxes of the dataset, which are those of a detector or the ground truth."""
        return sample.gt_instances.bboxes, sample.gt_instances.bbox_scores

    def test_augmentation(self, config: Config) -> str:
        """Return 'no flip' for tests without flip test, since published results use it."""
        return '' if (config.model.get('test_cfg') or {}).get('flip_test') else 'no flip'

    def test_note(self, dataset: BaseDataset) -> str:
        """Return ``'true boxes'`` for ground-truth person boxes, since published results use detected boxes."""
        is_coco = type(dataset).__name__ == 'CocoDataset'
        return 'true boxes' if is_coco and getattr(dataset, 'bbox_file', '') is None else ''


MMPOSE = MMPoseHost(
    name='mmpose',
    distribution='mmpose',
    # mmpose requires chumpy, which it never imports and which does not build any more
    install_command='pip install --no-deps mmpose && pip install json_tricks munkres xtcocotools',
    task='pose',
    network=NetworkDefaults(multiscale_output=False, init_cfg=SMALL_NORMAL),
    metrics=tuple(mmpose_metrics.metrics()),
    datasets={'MpiiDataset': 'MPII'},
    splits={('COCO', 'val2017'): (5000, ), ('MPII', 'val'): (2958, )},  # MPII: persons
    methods={'TopdownPoseEstimator': 'top-down heat maps'},
    result_kinds=('keypoints', ),
    coco_evaluators=('CocoMetric', 'CocoWholeBodyMetric'),
    drawing=('enable', ),
    drawing_folder='out_dir',
    tta_hint='; pose models average the mirror image if model.test_cfg.flip_test is True')
