"""Colors of classes, keypoints and labels in visualizations."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

from hrnet_plugin.results.dataset_meta import Color

_GOLDEN_RATIO = 0.618034  # hues of consecutive classes differ most
_DARKEST_BACKGROUND = 0.179  # relative luminance at which black and white text have equal contrast


def color_of(palette: Sequence[Color], index: int) -> Color:
    """Return a color of a palette, or a generated one beyond its end."""
    if 0 <= index < len(palette):
        return palette[index]
    red, green, blue = colorsys.hsv_to_rgb(index * _GOLDEN_RATIO % 1, 0.75, 0.95)
    return round(255 * red), round(255 * green), round(255 * blue)


def text_color(background: Color) -> Color:
    """Return black or white, whichever has the higher contrast."""
    linear = [(value / 255) ** 2.2 for value in background]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return (0, 0, 0) if luminance > _DARKEST_BACKGROUND else (255, 255, 255)
