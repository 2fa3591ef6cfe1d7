"""Test pipeline of a config for images without annotations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config, ConfigDict
from mmengine.dataset import Compose
from mmengine.registry import TRANSFORMS

from hrnet_plugin.hosts import config_image_channels, type_name
from hrnet_plugin.image_headers import UnreadableImageError, read_header
from hrnet_plugin.prediction.sources import InputImage

# loaders that OpenCV or Pillow decode for
_FILE_LOADERS = ('LoadImageFromFile', 'LoadImage')
_OTHER_DECODERS = ('tifffile', )


class TestPipeline:
    """Transforms of a test dataset, without those that read annotations.

    Args:
        config: Config of a host.
        dataset: Config of its test dataset.

    Raises:
        ValueError: If the pipeline does not begin with a loader.
    """

    __test__ = False  # no test of pytest

    def __init__(self, config: Config, dataset: ConfigDict) -> None:
        transforms: Sequence[ConfigDict] = dataset.get('pipeline') or config.get('test_pipeline') or ()
        if not transforms or not type_name(transforms[0]['type']).startswith('Load'):
            raise ValueError('the pipeline of test_dataloader must begin with a transform that loads images, got '
                             f'{type_name(transforms[0]["type"]) if transforms else "none"}')
        self._channels = config_image_channels(config.model)
        self._loader: Any = TRANSFORMS.build(transforms[0])
        self._rest = Compose([transform for transform in transforms[1:] if not _reads_annotations(transform)])

    def load(self, image: InputImage) -> dict[str, Any]:
        """Read an image, and return the results of the loader.

        Raises:
            OSError, ValueError: If the file is damaged, or has another number of channels than the model.
        """
        results = self._read(image.name) if image.pixels is None else self._from_pixels(image)
        pixels = results['img']
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        if channels != self._channels:
            order = ' in BGR order' if self._channels == 3 else ''
            raise ValueError(f'{image.name} must have {self._channels} channels{order}, as the model, got {channels}')
        return results

    def __call__(self, results: dict[str, Any], name: str) -> dict[str, Any]:
        """Apply the transforms after the loader, and return 'inputs' and 'data_samples'.

        Args:
            results: Result of the loader, which transforms may change.
            name: Name of the image for messages.

        Raises:
            ValueError: If a transform fails, e.g. because a side of the resized image would have no pixels.
        """
        height, width = results['img'].shape[:2]
        kind = f'{width}x{height} pixels of {results["img"].dtype}'
        try:
            packed = self._rest(results)
        except (OSError, MemoryError):
            raise
        except Exception as error:  # transforms of any package
            raise ValueError(f'{name} must have a size and data type that the pipeline of test_dataloader converts, '
                             f'got {kind}: {error or type(error).__name__}') from error
        if packed is None:
            raise ValueError('the pipeline of test_dataloader must return a sample for each image, got None')
        return packed

    def _read(self, name: str) -> dict[str, Any]:
        loader = self._loader
        try:
            if type(loader).__name__ in _FILE_LOADERS and loader.imdecode_backend not in _OTHER_DECODERS:
                read_header(Path(name))  # OpenCV returns images that are cut off
            results: dict[str, Any] | None = loader(dict(img_path=name, img_id=0))
        except OSError:
            raise
        except UnreadableImageError as error:
            raise ValueError(f'{name} must be a complete image, got {error}') from None
        except Exception as error:  # loaders of any package
            raise ValueError(f'{name} must be an image that the config loads, got {error or type(error).__name__}'
                             ) from None
        if results is None:
            raise ValueError(f'{name} must be an image that the config loads, got none')
        return results

    def _from_pixels(self, image: InputImage) -> dict[str, Any]:
        pixels = np.ascontiguousarray(image.pixels)
        if getattr(self._loader, 'to_float32', False):
            pixels = pixels.astype(np.float32)
        size = pixels.shape[:2]
        return dict(img=pixels, img_path=None, img_id=0, img_shape=size, ori_shape=size)


def _reads_annotations(transform: ConfigDict) -> bool:
    name = type_name(transform['type'])
    return name.startswith('Load') and 'Annotation' in name
