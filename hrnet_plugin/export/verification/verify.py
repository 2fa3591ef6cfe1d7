"""Evaluation of a PyTorch model and its exported model on the same images."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope

from hrnet_plugin.evaluation.comparison.comparison import Interval
from hrnet_plugin.export.verification.data import VerificationData
from hrnet_plugin.export.verification.intervals import image_areas, label_interval, object_intervals, save_results
from hrnet_plugin.export.verification.quiet import quiet
from hrnet_plugin.prediction.predictor import Predictor
from hrnet_plugin.prediction.sources import InputImage
from hrnet_plugin.prediction.torch_predictor import TorchPredictor
from hrnet_plugin.results.prediction import Prediction

_TIMED = 100  # samples on which the PyTorch model is timed
_WARM_UP = 5  # samples excluded from the median time, if there are more


@dataclass(frozen=True, kw_only=True)
class Verification:
    """Evaluation before the export (PyTorch) and after it. Pairs are (before, after).

    Attributes:
        task: 'detection', 'pose' or 'segmentation'.
        samples: Number of samples: images, or persons for pose estimators.
        metrics: Key of the evaluator -> pair of values. None if the evaluator does not return it.
        intervals: Name of a metric -> confidence interval of the difference, after minus before.
        milliseconds: Median time of a sample from the read image to the prediction.
    """

    task: str
    samples: int
    metrics: Mapping[str, tuple[Any, Any]]
    intervals: Mapping[str, Interval]
    milliseconds: tuple[float, float]


def verify(data: VerificationData, model: TorchPredictor, exported: Predictor) -> Verification:
    """Evaluate a PyTorch model and an exported model on test data.

    The PyTorch model is evaluated as in a test of the host. The predictions of the exported model get the same
    evaluators.

    Args:
        data: Test data.
        model: Model of the config.
        exported: Exported model.

    Raises:
        OSError, ValueError: If an image cannot be read, or the annotations have no objects.
    """
    with tempfile.TemporaryDirectory() as folder, quiet(), torch.no_grad():
        evaluators = data.make_evaluator(), data.make_evaluator()
        for name, evaluator in zip(('before', 'after'), evaluators):
            save_results(data.host, evaluator, Path(folder) / name)
        images, times = _process(data, model, exported, evaluators)
        areas = [image_areas(data.host, evaluator) for evaluator in evaluators]
        with DefaultScope.overwrite_default_scope(data.config.get('default_scope')):
            before, after = (evaluator.evaluate(len(data)) for evaluator in evaluators)
        intervals = label_interval(*areas) or object_intervals(data.host, *evaluators, images)
    return Verification(
        task=data.host.task, samples=len(data), intervals=intervals, milliseconds=(times[0], times[1]),
        metrics={key: (before.get(key), after.get(key)) for key in {**before, **after}})


def _process(data: VerificationData, model: TorchPredictor, exported: Predictor, evaluators: Sequence[Evaluator]
             ) -> tuple[set[int], list[float]]:
    """Pass the predictions of both models to their evaluators, and return IDs of images and median times."""
    images: set[int] = set()
    times: tuple[list[float], list[float]] = [], []
    for batch in data.batches():
        clean = batch['data_samples'][0].clone()  # without the outputs of PyTorch
        evaluators[0].process(data_samples=model.test_step(batch), data_batch=batch)
        image = data.load(clean)
        if len(times[0]) < _TIMED:
            times[0].append(_predict(model, image)[1])
        prediction, seconds = _predict(exported, image)
        times[1].append(seconds)
        data.host.set_prediction(clean, prediction)
        evaluators[1].process(data_samples=[clean], data_batch=batch)
        images.add(clean.metainfo.get('img_id', 0))
    return images, [1000 * median(each[_WARM_UP:] or each) for each in times]


def _predict(predictor: Predictor, image: InputImage) -> tuple[Prediction, float]:
    start = time.perf_counter()
    prediction, = predictor.predict_batch([image])
    return prediction, time.perf_counter() - start
