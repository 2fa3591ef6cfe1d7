"""Evaluation of two files of boxes, masks or keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hrnet_plugin.evaluation.analysis.analyze import analyze
from hrnet_plugin.evaluation.coco_evaluation import collect_metrics, read_annotations, read_results, run_evaluation
from hrnet_plugin.evaluation.comparison.errors import count_errors
from hrnet_plugin.evaluation.comparison.inputs import check_options, find_kind, find_results
from hrnet_plugin.evaluation.comparison.keypoint_errors import count_keypoint_errors
from hrnet_plugin.evaluation.comparison.matches import class_matches
from hrnet_plugin.evaluation.comparison.model import Model
from hrnet_plugin.evaluation.comparison.precisions import MeanPrecision, image_precisions
from hrnet_plugin.evaluation.tested_images import evaluated_images

if TYPE_CHECKING:
    from hrnet_plugin.evaluation.comparison.segmentation import LabelOptions
    from hrnet_plugin.evaluation.matching.array_evaluation import ArrayEvaluation


def evaluate_files(annotations: str | Path, paths: Sequence[Path], kind: str | None, *,
                   subset: str | Path | None, sigmas: Sequence[float] | None,
                   labels: LabelOptions | None, score_threshold: float) -> list[Model]:
    """Evaluate files of results on the same images. Arguments and errors are those of ``compare``."""
    truth = read_annotations(annotations)
    files = [find_results(path, kind) for path in paths]
    results = [read_results(file) for file in files]
    kind = kind or find_kind(results)
    check_options(kind, sigmas=sigmas, labels=labels)
    images = evaluated_images(truth, files, subset)
    return [_model_of(run_evaluation(truth, each, kind, images=images, sigmas=sigmas), annotations, score_threshold)
            for each in results]


def _model_of(evaluation: ArrayEvaluation, annotations: str | Path, score_threshold: float) -> Model:
    """Collect what comparisons use of an evaluation."""
    kind, metrics, matches = evaluation.params.iouType, collect_metrics(evaluation), class_matches(evaluation)
    statistic = MeanPrecision(matches)
    if not statistic.objects.any():
        labeled = ' with labeled keypoints' if kind == 'keypoints' else ''
        raise ValueError(f'annotations must have objects{labeled}, got none in {annotations}')
    errors, keypoints = count_keypoint_errors(evaluation) if kind == 'keypoints' else (count_errors(evaluation), {})
    predicted = {result['image_id'] for result in evaluation.results}
    covered = {k for k, number in enumerate(evaluation.params.imgIds) if number in predicted}
    images = [str(evaluation.cocoGt.imgs[number].get('file_name', number)) for number in evaluation.params.imgIds]
    return Model(kind=kind, images=images, covered=frozenset(covered), statistic=statistic,
                 image_scores=image_precisions(matches), metrics=metrics.metrics, classes=metrics.classes,
                 errors=errors, keypoints=keypoints, analysis=analyze(evaluation, score_threshold))
