"""Check of the channels of a batch against data preprocessor and backbone."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.model import ImgDataPreprocessor, is_model_wrapper
from torch import Tensor, nn


def image_channels(batch: Mapping[str, Any] | Sequence[Any] | Tensor) -> int | None:
    """Return the channels of the images in a batch or sample, or None if there are no images.

    Args:
        batch: Result of a dataset or dataloader with ``inputs``: images of shape (C, H, W) or (N, C, H, W), or lists of
            them.
    """
    inputs: Any = batch.get('inputs') if isinstance(batch, Mapping) else batch
    while isinstance(inputs, Sequence) and inputs:
        inputs = inputs[0]
    return inputs.shape[-3] if isinstance(inputs, Tensor) and inputs.dim() in (3, 4) else None


def channel_error(channels: int, model: nn.Module) -> str:
    """Return an error message for images that do not match a model, or an empty string.

    Args:
        channels: Channels of the images.
        model: Model of a host, with or without wrapper for distributed training or test-time augmentation.
    """
    model = unwrap_model(model)
    preprocessor, backbone = getattr(model, 'data_preprocessor', None), getattr(model, 'backbone', None)
    wrong = []
    expected = _in_channels(backbone)
    if expected not in (None, channels):
        wrong.append((f'model.backbone.in_channels={expected}', f'model.backbone.in_channels={channels}'))
    for name in ('mean', 'std'):
        values = getattr(preprocessor, name, None)
        if isinstance(values, Tensor) and values.numel() not in (1, channels):
            # mmengine accepts one or three values, mmseg any number
            fix = '1 value' if channels != 3 and isinstance(preprocessor, ImgDataPreprocessor) else f'{channels} values'
            wrong.append((f'{values.numel()} values of model.data_preprocessor.{name}',
                          f'model.data_preprocessor.{name} with {fix}'))
    # mmseg does not convert images without three channels; mmengine selects three channels
    if channels != 3 and preprocessor is not None and getattr(preprocessor, '_channel_conversion', False):
        wrong.append(('model.data_preprocessor.bgr_to_rgb=True', 'model.data_preprocessor.bgr_to_rgb=False'))
    if not wrong:
        return ''
    got, fix = (', '.join(part) for part in zip(*wrong))
    loader = ''
    if expected in (1, 3):
        kind = 'grayscale' if expected == 1 else 'color'
        loader = f". Or load {expected} with color_type='{kind}' in LoadImageFromFile"
    return f'model must accept the images of the pipeline, which have {channels} channels, got {got}. Set {fix}{loader}'


def _in_channels(backbone: nn.Module | None) -> int | None:
    if backbone is None or 'in_channels' not in inspect.signature(type(backbone)).parameters:
        return None  # e.g. a stem that rearranges pixels
    first = next((module for module in backbone.modules() if isinstance(module, nn.Conv2d)), None)
    return None if first is None else first.in_channels


def unwrap_model(model: nn.Module) -> nn.Module:
    """Return the model without wrappers for distributed training and test-time augmentation."""
    while is_model_wrapper(model) or (not hasattr(model, 'backbone') and hasattr(model, 'module')):
        model = model.get_submodule('module')
    return model
