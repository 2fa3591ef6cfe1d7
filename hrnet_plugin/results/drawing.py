"""Visualizations of predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from hrnet_plugin.array_types import Bools, Pixels
from hrnet_plugin.results.coco import segments
from hrnet_plugin.results.colors import color_of
from hrnet_plugin.results.dataset_meta import Color
from hrnet_plugin.results.images import image_of
from hrnet_plugin.results.text import Labels

if TYPE_CHECKING:
    from hrnet_plugin.results.prediction import Prediction

_MASK_OPACITY, _LABEL_MAP_OPACITY = 0.45, 0.55
_PIXELS_PER_LINE_WIDTH = 350  # of the longer side


def draw(prediction: Prediction, score_threshold: float) -> Pixels:
    """Return a visualization in RGB order, shape (H, W, 3).

    Args:
        prediction: Prediction.
        score_threshold: Minimum score of objects and keypoints.
    """
    pixels = image_of(prediction)
    shown = prediction.above(score_threshold)
    labels = Labels(prediction.size)
    if shown.label_map is not None:
        _draw_label_map(shown, pixels, labels)
    order = [] if shown.scores is None else np.argsort(shown.scores, kind='stable').tolist()  # best ones on top
    for index in order:
        if shown.masks is not None:
            _blend(pixels, shown.masks[index], color_of(shown.meta.palette, _label(shown, index)), _MASK_OPACITY)
    image = Image.fromarray(pixels)
    canvas = ImageDraw.Draw(image)
    width = max(1, round(max(prediction.size) / _PIXELS_PER_LINE_WIDTH))
    for index in order:
        _draw_box(shown, index, canvas, width, labels)
        _draw_keypoints(shown, index, canvas, width, score_threshold)
    labels.draw(canvas)
    return np.array(image)


def _label(prediction: Prediction, index: int) -> int:
    return 0 if prediction.labels is None else int(prediction.labels[index])


def _blend(pixels: Pixels, mask: Bools, color: Color, opacity: float) -> None:
    """Add a color to the pixels of a mask, with an opaque border inside of it."""
    pixels[mask] = (pixels[mask] * (1 - opacity) + np.array(color) * opacity).astype(np.uint8)
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    pixels[mask & ~inner] = color


def _draw_label_map(prediction: Prediction, pixels: Pixels, labels: Labels) -> None:
    if prediction.label_map is None:
        return
    for label, mask in segments(prediction.label_map):
        if prediction.meta.classes and not 0 <= label < len(prediction.meta.classes):
            continue  # ignored pixels
        color = color_of(prediction.meta.palette, label)
        _blend(pixels, mask, color, _LABEL_MAP_OPACITY)
        rows, columns = np.nonzero(mask)
        # the pixel of the class that is nearest to its center, which may be outside of it
        nearest = np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)
        labels.add(prediction.class_name(label), float(columns[nearest]), float(rows[nearest]), color)


def _draw_box(prediction: Prediction, index: int, canvas: ImageDraw.ImageDraw, width: int, labels: Labels) -> None:
    if prediction.boxes is None or prediction.scores is None:
        return
    left, top, right, bottom = map(float, prediction.boxes[index])
    label = _label(prediction, index)
    color = color_of(prediction.meta.palette, label)
    canvas.rectangle((left, top, max(left, right), max(top, bottom)), outline=color, width=width)
    text = f'{prediction.class_name(label)} {prediction.scores[index]:.2f}'.strip()
    labels.add(text, left, top, color, above=True)


def _draw_keypoints(prediction: Prediction, index: int, canvas: ImageDraw.ImageDraw, width: int,
                    score_threshold: float) -> None:
    if prediction.keypoints is None or prediction.keypoint_scores is None:
        return
    meta, points = prediction.meta, prediction.keypoints[index].tolist()
    is_shown = prediction.keypoint_scores[index] >= score_threshold
    for number, (first, second) in enumerate(meta.skeleton):
        if is_shown[first] and is_shown[second]:
            canvas.line((*points[first], *points[second]), fill=color_of(meta.skeleton_colors, number), width=width + 1)
    radius = 1.5 * width
    for number, (x, y) in enumerate(points):
        if is_shown[number]:
            canvas.ellipse((x - radius, y - radius, x + radius, y + radius),
                           fill=color_of(meta.keypoint_colors, number), outline=(0, 0, 0))
