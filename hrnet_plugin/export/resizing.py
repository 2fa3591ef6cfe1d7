"""Conversion of images to the input of a model, as the test pipeline of its config does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mmengine.config import Config

from hrnet_plugin.config_files import find_test_dataset
from hrnet_plugin.export.adapters.adapter import UnsupportedModel
from hrnet_plugin.hosts import config_image_channels, type_name
from hrnet_plugin.prediction.metadata import Resizing

if TYPE_CHECKING:
    from mmengine.config import ConfigDict

_LOADERS = ('LoadImageFromFile', 'LoadImage', 'LoadAnnotations')
_OTHER_DECODERS = ('tifffile', )  # their channel order is that of the file


def test_transforms(config: Config) -> Sequence[ConfigDict]:
    """Return the configs of the transforms for test images.

    Raises:
        ValueError: If the config has no or several test datasets, or no pipeline.
    """
    dataset = find_test_dataset(config) if config.get('test_dataloader') else {}
    transforms: Sequence[ConfigDict] = dataset.get('pipeline') or config.get('test_pipeline') or ()
    if not transforms:
        raise ValueError('config must have a test_dataloader with the pipeline of the model, got none')
    return transforms


def find_resizing(config: Config) -> Resizing:
    """Return the resizing of a config's test pipeline.

    Raises:
        UnsupportedModel: If exported files cannot describe a transform of the pipeline, e.g. several scales.
    """
    resizing = Resizing(mode='none')
    for transform in test_transforms(config):
        name = type_name(transform['type'])
        if name in _READERS:
            resizing = _READERS[name](transform, resizing)
        elif name not in _LOADERS and not name.startswith('Pack'):
            raise _unsupported(f'the transform {name}')
    return resizing


def channel_order(config: Config) -> str:
    """Return the channel order of an exported model's input: 'RGB', or 'file' if the order in files is unknown.

    Args:
        config: Config of the model.
    """
    if config_image_channels(config.model) != 3:
        return 'file'
    try:
        loader = test_transforms(config)[0]
    except ValueError:  # a network without a pipeline
        return 'RGB'
    return 'file' if loader.get('imdecode_backend') in _OTHER_DECODERS else 'RGB'


def _read_resize(transform: ConfigDict, before: Resizing) -> Resizing:
    scale, backend = transform.get('scale'), transform.get('backend', 'cv2')
    is_size = isinstance(scale, (list, tuple)) and len(scale) == 2 and all(isinstance(side, int) for side in scale)
    if before.mode != 'none':
        raise _unsupported('several transforms that resize')
    if not is_size:
        raise _unsupported(f'Resize with scale={scale!r} and scale_factor={transform.get("scale_factor")!r}')
    if transform.get('interpolation', 'bilinear') != 'bilinear' or backend not in ('cv2', 'pillow'):
        raise _unsupported(f'Resize with interpolation={transform.get("interpolation")!r} by {backend!r}')
    mode, size = 'fixed', (int(scale[0]), int(scale[1]))
    if transform.get('keep_ratio', False):
        mode, size = 'keep_ratio', (max(size), min(size))
    return Resizing(mode=mode, size=size, backend=backend)


def _read_box(transform: ConfigDict, before: Resizing) -> Resizing:
    return Resizing(mode='none', box_padding=float(transform.get('padding', 1.25)))


def _read_affine(transform: ConfigDict, before: Resizing) -> Resizing:
    width, height = transform['input_size']
    return Resizing(mode='person', size=(int(width), int(height)), box_padding=before.box_padding,
                    use_udp=bool(transform.get('use_udp', False)))


def _unsupported(what: str) -> UnsupportedModel:
    return UnsupportedModel(f'test pipeline must load an image, resize it once to one scale and pack it, got {what}. '
                            'Set test_dataloader.dataset.pipeline, or export backbone and neck: --part network')


_READERS: dict[str, Callable[[Any, Resizing], Resizing]] = {
    'Resize': _read_resize, 'GetBBoxCenterScale': _read_box, 'TopdownAffine': _read_affine}
