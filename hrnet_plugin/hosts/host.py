"""Base class of the adapters of host libraries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hrnet_plugin.hosts.config_entries import fixed_input_size
from hrnet_plugin.hosts.metric import Metric
from hrnet_plugin.hosts.names import type_name
from hrnet_plugin.hosts.network_defaults import NetworkDefaults

if TYPE_CHECKING:
    from mmengine.config import Config, ConfigDict
    from mmengine.dataset import BaseDataset
    from mmengine.evaluator import BaseMetric, Evaluator
    from mmengine.model import BaseModel
    from mmengine.structures import BaseDataElement
    from torch import Tensor, nn

    from hrnet_plugin.array_types import Floats
    from hrnet_plugin.results.dataset_meta import DatasetMeta
    from hrnet_plugin.results.prediction import Prediction

@dataclass(frozen=True, kw_only=True)
class Host:
    """Adapter of a host library.

    Args:
        name: Name of the package and of the registry scope, e.g. 'mmseg'.
        distribution: Name of the distribution, e.g. 'mmsegmentation'.
        install_command: Command that installs it.
        task: 'detection', 'pose', 'segmentation' or 'classification'.
        network: Defaults of its HRNet.
        metrics: Metrics of its evaluators. Models are ranked by their first available metric.
        datasets: Class of a dataset -> name in published tables.
        splits: (dataset, split) -> possible numbers of samples in the split.
        methods: Type of a model or head -> name of the method in published tables.
        drawing: Arguments of the visualization hook that enable it.
        drawing_folder: Argument of the visualization hook for the output folder. Empty if it is one of the visualizer.
        result_dump: Type of the metric that dumps predictions.
        coco_evaluators: Types of metrics that compare with annotations by the COCO API.
        result_kinds: Kinds of results in COCO format that its ``CocoMetric`` writes: 'bbox', 'segm' or 'keypoints'.
        tta_hint: End of the error message for configs without test-time augmentation.
        extensions: Type of this package that extends the host -> module that registers it.
    """

    name: str
    distribution: str
    install_command: str
    task: str
    network: NetworkDefaults
    metrics: tuple[Metric, ...]
    datasets: Mapping[str, str] = field(default_factory=dict)
    splits: Mapping[tuple[str, str], tuple[int, ...]] = field(default_factory=dict)
    methods: Mapping[str, str] = field(default_factory=dict)
    drawing: tuple[str, ...] = ('draw', )
    drawing_folder: str = ''
    result_dump: str = 'DumpResults'
    coco_evaluators: tuple[str, ...] = ()
    result_kinds: tuple[str, ...] = ()
    tta_hint: str = ''
    extensions: Mapping[str, str] = field(default_factory=dict)

    def method(self, model: ConfigDict) -> str:
        """Return the method name of a model in published tables.

        Args:
            model: ``model`` of a config.
        """
        kind = type_name(model['type'])
        return self.methods.get(kind, kind)

    def schedule(self, train_cfg: ConfigDict) -> str:
        """Return the length of a training schedule, as in published tables.

        Args:
            train_cfg: ``train_cfg`` of a config.
        """
        epochs, iterations = train_cfg.get('max_epochs'), train_cfg.get('max_iters')
        if epochs:
            return f'{epochs}e'
        if not iterations:
            return ''
        return f'{iterations // 1000}k' if iterations % 1000 == 0 else f'{iterations} iterations'

    def dataset_name(self, dataset: BaseDataset, annotations: Path, images: Iterable[int]) -> str:
        """Return the name of a dataset in published tables, or an empty string.

        Args:
            dataset: Dataset of the host.
            annotations: Path of the annotations. May be empty.
            images: IDs of the images in the annotations. Empty if they are not in COCO format.
        """
        return self.datasets.get(type(dataset).__name__, '')

    def input_size(self, config: Config) -> tuple[int, int] | None:
        """Return height and width of training images in pixels, or None if the config has no fixed size."""
        return fixed_input_size(config)

    def test_augmentation(self, config: Config) -> str:
        """Return the test-time augmentation of a config without ``--tta``, as in published tables."""
        return ''

    def test_note(self, dataset: BaseDataset) -> str:
        """Return a note if a test is not comparable with published ones, else an empty string.

        Args:
            dataset: Test dataset.
        """
        return ''

    def class_heads(self, model: nn.Module) -> dict[str, int]:
        """Return config entry -> number of classes of the heads that classify the classes of a dataset.

        Args:
            model: Model of the host.
        """
        return {}

    def class_names(self, dataset: BaseDataset) -> Sequence[str] | None:
        """Return the class names that the heads of :meth:`class_heads` predict, or None if the dataset has none.

        Args:
            dataset: Dataset of the host.
        """
        return None

    def keypoint_heads(self, model: nn.Module, is_evaluated: bool) -> dict[str, tuple[int, int]]:
        """Return config entry -> (number of outputs, outputs per keypoint) of the heads that predict keypoints.

        Args:
            model: Model of the host.
            is_evaluated: Whether the outputs are those of an evaluation instead of training.
        """
        return {}

    def converted_keypoints(self, pipeline: Sequence[ConfigDict]) -> int | None:
        """Return the number of keypoints that a pipeline converts those of a dataset to, or None.

        Args:
            pipeline: Configs of the transforms.
        """
        return None

    def uses_coco_format(self, dataset: BaseDataset) -> bool:
        """Return True if a dataset reads annotations in COCO format, and does not override how they are read.

        Args:
            dataset: Dataset of the host.
        """
        return False

    def coco_metrics(self, evaluator: Evaluator) -> list[BaseMetric]:
        """Return the evaluator's metrics that write boxes or masks in COCO format."""
        return []

    def result_metrics(self, evaluator: Evaluator) -> list[BaseMetric]:
        """Return the evaluator's metrics that write results in COCO format."""
        return self.coco_metrics(evaluator)

    def use_images_only(self, dataset: ConfigDict, person_boxes: str | None) -> None:
        """Make a ``CocoDataset`` read all images of COCO's test-dev, which have no annotations.

        Args:
            dataset: Config of the dataset, changed in place. Its paths are those of test-dev.
            person_boxes: File of detected persons, for pose estimation in their boxes.

        Raises:
            ValueError: If the dataset does not have the classes or keypoints of COCO, or ``person_boxes`` is missing or
                has no effect.
        """
        dataset.test_mode = True
        for entry in ('indices', 'sample_interval'):
            dataset.pop(entry, None)

    def forward(self, model: BaseModel, image: Tensor, box_rois: int, mask_rois: int) -> None:
        """Run backbone, neck and heads once, without pre- and postprocessing.

        The result does not depend on tensor values, so the meta device is sufficient.

        Args:
            model: Model of the host.
            image: Images, shape (1, C, H, W).
            box_rois: Number of RoIs for each box head. Two-stage detectors only.
            mask_rois: Number of RoIs for each mask head. Two-stage detectors only.
        """
        from mmengine.structures import BaseDataElement
        shape = tuple(image.shape[-2:])
        meta = dict(img_shape=shape, batch_input_shape=shape, ori_shape=shape, pad_shape=shape, scale_factor=(1., 1.))
        model(image, [BaseDataElement(metainfo=meta)], mode='tensor')

    def dataset_meta(self, dataset: BaseDataset, model: nn.Module) -> DatasetMeta:
        """Return names and palettes of the outputs of a model.

        Class names are those of the checkpoint, or else of the dataset. They are left out if the heads have another
        number of classes.

        Args:
            dataset: Dataset with the names.
            model: Model of the host. Its ``dataset_meta`` may have the names in the checkpoint.
        """
        from hrnet_plugin.hosts.class_meta import class_meta
        numbers = self.class_heads(model).values()
        sources: list[Mapping[str, Any]] = [dataset.metainfo]
        if numbers:  # else, classes are words of the prompt
            sources.insert(0, getattr(model, 'dataset_meta', None) or {})
        return class_meta(sources, numbers)

    def pipeline_inputs(self, image: dict[str, Any], dataset: BaseDataset, boxes: Floats | None,
                        box_scores: Floats | None) -> list[dict[str, Any]]:
        """Return the inputs of a test pipeline without its loader: one per image, or one per person.

        Args:
            image: Result of the loader.
            dataset: Test dataset.
            boxes: Boxes (x1, y1, x2, y2) of persons, shape (N, 4). None for the whole image.
            box_scores: Scores of the boxes, shape (N, ). None for 1.

        Raises:
            ValueError: If the model does not predict in given boxes.
        """
        if boxes is not None:
            raise ValueError(f'boxes must be given to a top-down pose estimator only, got a model of {self.name}')
        return [image]

    def prediction(self, samples: Sequence[BaseDataElement], *, name: str, size: tuple[int, int],
                   meta: DatasetMeta) -> Prediction:
        """Convert the outputs of a model on one image.

        Args:
            samples: Outputs for the inputs of :meth:`pipeline_inputs`.
            name: Name of the image.
            size: Height and width of the image in pixels.
            meta: Names and palettes.

        Raises:
            ValueError: If the outputs are of another kind than those of the task.
        """
        raise ValueError(f'config must be one of mmdet, mmpose or mmseg, got one of {self.name}')

    def set_prediction(self, sample: BaseDataElement, prediction: Prediction) -> None:
        """Add a prediction to a sample of the test data, in the form that the evaluators of the host read.

        Args:
            sample: Sample of one image, or of one person for top-down models. Changed in place.
            prediction: Prediction on the image, or on the person.
        """
        raise ValueError(f'config must be one of mmdet, mmpose or mmseg, got one of {self.name}')

    def person_boxes(self, sample: BaseDataElement) -> tuple[Floats, Floats] | None:
        """Return boxes (x1, y1, x2, y2) and scores of the persons of a test sample, or None if no model uses them."""
        return None

    def enable_drawing(self, config: Config, folder: str) -> None:
        """Enable saving of visualizations during tests.

        Args:
            config: Config, changed in place.
            folder: Folder name inside the log folder of the run.

        Raises:
            ValueError: If the config has no visualization hook.
        """
        hook = config.get('default_hooks', {}).get('visualization')
        if hook is None:
            raise ValueError(f'--show-dir requires default_hooks.visualization in the config of {self.name}, got none')
        hook.update(dict.fromkeys(self.drawing, True), interval=1)
        if self.drawing_folder:
            hook[self.drawing_folder] = folder
            return
        for backend in config.visualizer.vis_backends:
            if backend.type == 'LocalVisBackend':
                backend.img_save_dir = folder

    def visualization_folders(self, config: Config, log_dir: Path) -> list[Path]:
        """Return the folders in which a test may have saved visualizations.

        Args:
            config: Config of the test.
            log_dir: Log folder of the run.
        """
        hook = config.get('default_hooks', {}).get('visualization') or {}
        named = hook.get(self.drawing_folder) if self.drawing_folder else None
        if named or not any(hook.get(entry) for entry in self.drawing):
            return [log_dir / named] if named else []
        # the folder is an argument of the visualizer
        backends = config.get('visualizer', {}).get('vis_backends') or []
        return [log_dir / 'vis_data' / backend.get('img_save_dir', 'vis_image') for backend in backends]
