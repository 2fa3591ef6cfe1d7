"""Images for the comparison of exported models with PyTorch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hrnet_plugin.array_types import Pixels
from hrnet_plugin.experiments.sample_set.background import draw_background
from hrnet_plugin.experiments.sample_set.person import draw_person
from hrnet_plugin.experiments.sample_set.scene import draw_scene
from hrnet_plugin.prediction.metadata import ExportMetadata

_SEED = 20
# number of images, height and width; the second size is no multiple of 32
_BATCHES = ((1, 256, 320), (1, 235, 333), (2, 192, 224))
_PERSON_HEIGHT = 0.8  # of the crop


@dataclass(frozen=True, eq=False)
class Batch:
    """Images of one size.

    Attributes:
        images: Images in the order of mmcv, uint8, shape (B, H, W, C).
    """

    images: Pixels

    def __str__(self) -> str:
        number, height, width, _ = self.images.shape
        return f'{height}x{width}' if number == 1 else f'{number} x {height}x{width}'


def draw_batches(metadata: ExportMetadata) -> Iterator[Batch]:
    """Yield batches of generated images: two images of different sizes, and two images of one size.

    Pose estimators have one input size, so they get batches of different lengths. Models that predict crops get images
    of at most the size of a crop.

    Args:
        metadata: Description of the exported model.
    """
    rng = np.random.default_rng(_SEED)
    for number, height, width in _BATCHES:
        if metadata.sliding is not None:
            height, width = (min(side, most) for side, most in zip((height, width), metadata.sliding.crop_size))
        if metadata.resizing.mode == 'person' and metadata.resizing.size is not None:
            width, height = metadata.resizing.size
            images = [_draw_person(rng, width, height) for _ in range(number)]
        else:
            images = [draw_scene(rng, width, height).image for _ in range(number)]
        yield Batch(np.stack([_with_channels(image, metadata.channels) for image in images]))


def _draw_person(rng: np.random.Generator, width: int, height: int) -> Pixels:
    image, _ = draw_background(rng, width, height)
    sprite = draw_person(rng, int(_PERSON_HEIGHT * height))
    rows, columns = min(height, sprite.mask.shape[0]), min(width, sprite.mask.shape[1])
    top, left = (height - rows) // 2, (width - columns) // 2
    mask = sprite.mask[:rows, :columns].astype(bool)
    image[top:top + rows, left:left + columns][mask] = sprite.image[:rows, :columns][mask]
    return image.astype(np.uint8)


def _with_channels(image: Pixels, channels: int) -> Pixels:
    """Return an image with another number of channels, which repeat those of the image."""
    return image if channels == 3 else np.take(image, np.arange(channels) % 3, axis=2)
