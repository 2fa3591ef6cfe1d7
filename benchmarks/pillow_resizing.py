"""Difference of predictions when Pillow resizes images instead of OpenCV.

    python benchmarks/pillow_resizing.py model.onnx data/sample/val2017

The model is an exported detector. ``transform`` is Image.transform as in the program of docs/how-to, and ``resize`` is
Image.resize, which smooths an image that becomes smaller. Pixels are compared on a scale from 0 to 255. A detection is
matched if OpenCV has one of the same class with an IoU of at least 0.5.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torchvision.ops import box_iou

from hrnet_plugin.array_types import Pixels
from hrnet_plugin.cli.output import print_text
from hrnet_plugin.prediction.exported_outputs import detections
from hrnet_plugin.prediction.image_files import read_pixels
from hrnet_plugin.prediction.metadata import ExportMetadata
from hrnet_plugin.prediction.resizing import resize_image, to_input
from hrnet_plugin.prediction.runtimes.formats import open_runtime
from hrnet_plugin.prediction.runtimes.runtime import Runtime
from hrnet_plugin.results.prediction import Prediction

MIN_SCORE, MIN_IOU = 0.3, 0.5


def transform(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize by bilinear interpolation without smoothing. The size is (width, height)."""
    step = (pixels.shape[1] / size[0], pixels.shape[0] / size[1])
    return np.asarray(Image.fromarray(pixels).transform(
        size, Image.Transform.AFFINE, (step[0], 0, 0, 0, step[1], 0), Image.Resampling.BILINEAR))


def resize(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    """Resize by bilinear interpolation with smoothing. The size is (width, height)."""
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))


def detect(runtime: Runtime, resized: Pixels, image: Pixels) -> Prediction:
    """Return the detections with a score of at least MIN_SCORE."""
    metadata: ExportMetadata = runtime.metadata
    scale = np.array([resized.shape[1] / image.shape[1], resized.shape[0] / image.shape[0]], np.float32)
    outputs = runtime.run(to_input(resized[None], metadata))
    return detections(outputs, 0, '', (image.shape[0], image.shape[1]), scale, metadata).above(MIN_SCORE)


def compare(expected: Prediction, found: Prediction) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the largest difference of coordinates and that of the score for each matched detection."""
    iou = box_iou(torch.tensor(expected.boxes), torch.tensor(found.boxes)).numpy()
    iou[expected.labels[:, None] != found.labels[None]] = 0
    pairs = [(i, int(row.argmax())) for i, row in enumerate(iou) if row.size and row.max() >= MIN_IOU]
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    return (np.abs(expected.boxes[first] - found.boxes[second]).max(1, initial=0),
            np.abs(expected.scores[first] - found.scores[second]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('model', help='exported detector')
    parser.add_argument('folder', type=Path, help='folder with images')
    args = parser.parse_args()
    runtime = open_runtime(args.model)
    names = sorted(path for path in args.folder.iterdir() if path.suffix in ('.png', '.jpg'))
    variants: dict[str, Callable[[Pixels, tuple[int, int]], Pixels]] = dict(transform=transform, resize=resize)
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in variants}
    for path in names:
        image = read_pixels(str(path), 3)
        resized = resize_image(image, runtime.metadata.resizing)
        expected = detect(runtime, resized, image)
        for name, function in variants.items():
            other = function(image, resized.shape[1::-1])
            difference = np.abs(resized.astype(int) - other)
            found = detect(runtime, other, image)
            rows[name].append((difference.mean(), difference.max(), len(expected), len(found),
                               *compare(expected, found)))
    for name, values in rows.items():
        mean, most, numbers, others, boxes, scores = zip(*values)
        boxes, scores = np.concatenate(boxes), np.concatenate(scores)
        print_text(f'{name}: {len(values)} images, pixels differ by {np.mean(mean):.3f} (at most {max(most)}); '
                   f'{sum(numbers)} detections of OpenCV, {sum(others)} here, {len(boxes)} matched; boxes differ by '
                   f'{boxes.mean() if len(boxes) else 0:.3f} px (at most {boxes.max(initial=0):.3f}), scores by '
                   f'{scores.mean() if len(scores) else 0:.4f} (at most {scores.max(initial=0):.4f})')


if __name__ == '__main__':
    main()
