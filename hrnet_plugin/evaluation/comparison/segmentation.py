"""Evaluation of two sets of label maps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hrnet_plugin.array_types import Ints
from hrnet_plugin.evaluation.analysis.analysis import Analysis, Confusion
from hrnet_plugin.evaluation.comparison.areas import ImageAreas, count_label_confusions, make_areas
from hrnet_plugin.evaluation.comparison.inputs import SEMANTIC
from hrnet_plugin.evaluation.comparison.label_counts import LabelRules, count_classes, count_labels
from hrnet_plugin.evaluation.comparison.label_maps import LabelMaps, check_names
from hrnet_plugin.evaluation.comparison.model import Model


@dataclass(frozen=True, kw_only=True)
class LabelOptions:
    """Files and labels of semantic segmentation.

    Attributes:
        classes: Names of the classes. Default: the labels up to the largest one that occurs.
        ignore_index: Label of ground-truth pixels that are not evaluated. Predictions of it count if it is a class.
        reduce_zero_label: Whether to ignore label 0 and to reduce the others by 1, as mmseg does for ADE20K. Files of
            label maps that mmseg's ``IoUMetric`` writes are reduced, too.
        label_map: Ground-truth label -> label of a config that has other classes than its dataset.
        suffixes: Ends of the file names of predictions and ground truth. The rest is the same for each image.
    """

    classes: Sequence[str] | None = None
    ignore_index: int = 255
    reduce_zero_label: bool = False
    label_map: Mapping[int, int] = field(default_factory=dict)
    suffixes: tuple[str, str] = ('.png', '.png')


def evaluate_label_maps(annotations: str | Path, paths: Sequence[Path], options: LabelOptions) -> list[Model]:
    """Evaluate label maps of the same images.

    Args:
        annotations: Folder of the ground-truth label maps.
        paths: Folders of predicted label maps, or files of ``hrnet test --out``.
        options: Files and labels.

    Raises:
        FileNotFoundError: If a folder or file does not exist.
        ValueError: If a label map is missing, has another size than its ground truth, or has an invalid label.
    """
    rules = LabelRules(len(options.classes) if options.classes else None, options.ignore_index,
                       options.reduce_zero_label, options.label_map)
    truth = LabelMaps(annotations, options.suffixes[1])
    counts, names = [], []
    for path in paths:
        maps = LabelMaps(path, options.suffixes[0])
        names = check_names(truth, maps)
        counts.append(count_labels(truth, maps, names, rules))
    classes = options.classes or [str(k) for k in range(count_classes(counts, rules))]
    areas = [make_areas(model, len(classes)) for model in counts]
    if not any(model.objects.any() for model in areas):
        raise ValueError(f'ground truth must have labeled pixels, got none in {annotations}')
    return [_model_of(measured, names, classes, count_label_confusions(model, len(classes)))
            for measured, model in zip(areas, counts)]


def _model_of(measured: ImageAreas, names: Sequence[str], classes: Sequence[str], confusions: Ints) -> Model:
    ious = [_defined(float(value)) for value in measured.class_ious]
    return Model(
        kind=SEMANTIC, images=names, covered=frozenset(range(len(names))), statistic=measured,
        image_scores=measured.image_scores(),
        metrics={name: _defined(value) for name, value in measured.metrics.items()}, classes=dict(zip(classes, ious)),
        analysis=Analysis(kind=SEMANTIC, images=len(names), classes=list(classes), precision=ious,
                          objects=confusions[:-1].sum(axis=1).tolist(),
                          predictions=confusions[:, :-1].sum(axis=0).tolist(),
                          confusion=Confusion(overlap=None, score=None, counts=confusions.tolist())))


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value
