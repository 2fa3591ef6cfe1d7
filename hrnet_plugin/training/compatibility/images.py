"""Format of the images that the backbone of a model receives."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from hrnet_plugin.models.backbones.hrnet import HRNet
from hrnet_plugin.models.checkpoint_metadata import COLORS, read_image_format, with_channel_order


def image_format_of(backbone: HRNet, preprocessor: nn.Module | None) -> str | None:
    """Return the image format of a backbone in a model.

    Args:
        backbone: Backbone of the model.
        preprocessor: Data preprocessor of the model, or None.

    Returns:
        The format, see :func:`read_image_format`. None if it is unknown, or for fewer than three channels, which have
        no order. ``channel_order`` in the backbone's ``init_cfg`` takes precedence.
    """
    images = read_image_format(preprocessor)
    if images is None or backbone.in_channels < COLORS:
        return None
    order = _given_order(backbone)
    if order is None and backbone.in_channels > COLORS:
        order = 'BGR'  # upstream loaders read BGR, and data preprocessors convert images with three channels only
    return images if order is None else with_channel_order(images, order)


def _given_order(backbone: HRNet) -> str | None:
    given = backbone.init_cfg
    cfgs = [given] if isinstance(given, Mapping) else given or ()
    return next((str(cfg['channel_order']) for cfg in cfgs if cfg.get('channel_order')), None)
