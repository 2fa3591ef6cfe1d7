"""Labels in visualizations: text on a background, inside of the image."""

from __future__ import annotations

from typing import Any, NamedTuple

from PIL import ImageDraw, ImageFont

from hrnet_plugin.results.colors import text_color
from hrnet_plugin.results.dataset_meta import Color

_LEAST_SIZE, _LARGEST_SIZE = 10, 48  # pixels
_PIXELS_PER_SIZE = 40  # of the longer side


class _Label(NamedTuple):
    text: str
    x: float
    y: float
    color: Color
    is_above: bool


class Labels:
    """Labels of an image, which are drawn last.

    Args:
        size: Height and width of the image in pixels.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._height, self._width = size
        self._font = _font(max(_LEAST_SIZE, min(_LARGEST_SIZE, round(max(size) / _PIXELS_PER_SIZE))))
        self._labels: list[_Label] = []

    def add(self, text: str, x: float, y: float, color: Color, *, above: bool = False) -> None:
        """Add a label.

        Args:
            text: Text. Nothing is added if it is empty.
            x, y: Center of the label, or its bottom left corner.
            color: Background.
            above: Whether the point is the bottom left corner.
        """
        if text:
            self._labels.append(_Label(text, x, y, color, above))

    def draw(self, canvas: ImageDraw.ImageDraw) -> None:
        """Draw all labels. Those that exceed the image are moved inside."""
        for label in self._labels:
            left, top, right, bottom = canvas.textbbox((0, 0), label.text, font=self._font)
            width, height = right - left + 2, bottom - top + 2
            x = label.x if label.is_above else label.x - width / 2
            y = label.y - height if label.is_above else label.y - height / 2
            x, y = round(max(0, min(x, self._width - width))), round(max(0, min(y, self._height - height)))
            canvas.rectangle((x, y, x + width - 1, y + height - 1), fill=label.color)
            canvas.text((x + 1 - left, y + 1 - top), label.text, fill=text_color(label.color), font=self._font)


def _font(size: int) -> Any:
    try:
        return ImageFont.load_default(size)
    except TypeError:  # Pillow before 10.1 has one size
        return ImageFont.load_default()
