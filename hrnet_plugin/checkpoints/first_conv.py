"""Conversion of a checkpoint's first convolution to images with other channels.

The converted network computes the outputs of the checkpoint's network on images with the checkpoint's channels:

- Fewer channels than in the checkpoint: each missing channel is the mean of the given ones. Its weight is added to the
  others in equal shares. With one channel, the weight is the sum over all channels, and the outputs are those for the
  gray image repeated in every channel.
- More channels than in the checkpoint: the network starts without the additional ones. Their weights are zeros, and
  receive gradients like the others.
- More channels than the one of a gray checkpoint: the gray image is the mean of all channels.

The magnitude of all activations is therefore that of the checkpoint, for any number of channels. Frozen norms require
this. The rule of timm and segmentation_models.pytorch repeats the weights and scales them by 3 / N. It weakens the
response to color by the same factor, and adds the additional channels to all features before training starts.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from hrnet_plugin.config_types import ConfigEntry
from hrnet_plugin.models.checkpoint_metadata import COLORS, with_channel_order

if TYPE_CHECKING:
    from hrnet_plugin.models import HRNet

#: Values of the argument ``first_conv`` of :class:`~hrnet_plugin.checkpoints.Pretrained`.
FIRST_CONV_MODES = ('exact', 'adapt')
#: Values of its argument ``channel_order``.
CHANNEL_ORDERS = ('RGB', 'BGR')
_KEY = 'conv1.weight'
IMAGES = 'images'  # metadata entry: channel order of the images, and their std if it is 1


def check_same_channels(weights: OrderedDict[str, Tensor], network: HRNet) -> None:
    """Raise ValueError unless a checkpoint and a network have the same number of image channels."""
    expected = weights[_KEY].size(1)
    if network.in_channels != expected:
        raise ValueError(f'backbone.in_channels must be {expected}, as in the checkpoint, got {network.in_channels}. '
                         "Set init_cfg.first_conv='adapt' to convert the first convolution")


def adapt_first_conv(weights: OrderedDict[str, Tensor], metadata: ConfigEntry, network: HRNet,
                     channel_order: str | None) -> tuple[OrderedDict[str, Tensor], ConfigEntry, str]:
    """Convert the first convolution of a checkpoint to the images of a network.

    Args:
        weights: State dict of the checkpoint's backbone.
        metadata: Metadata of the checkpoint's backbone.
        network: Network that loads the weights.
        channel_order: Order of the first three channels of the images, or None for that of the data preprocessor.

    Returns:
        The state dict and metadata for the network, and a description of the conversion, '' if there is none.

    Raises:
        ValueError: If the network has no plain convolutions, if additional channels would never be used because the
            stem is frozen, or if ``channel_order`` has no effect.
    """
    weight = weights[_KEY]
    old, new = weight.size(1), network.in_channels
    if old < COLORS:  # of images without an order
        metadata = {name: value for name, value in metadata.items() if name != IMAGES}
    stored, order = _order(metadata.get(IMAGES)), channel_order or _order(network.image_format)
    if channel_order is not None:
        _check_order(channel_order, stored, new)
    is_reversed = new >= COLORS and None not in (stored, order) and stored != order
    if new == old and not is_reversed:
        return weights, metadata, ''
    _check_network(network, old)
    if is_reversed:
        weight = torch.cat([weight[:, :COLORS].flip(1), weight[:, COLORS:]], dim=1)
        metadata = {**metadata, IMAGES: with_channel_order(str(metadata[IMAGES]), str(order))}
    facts = [_rule(old, new)] if new != old else []
    if new >= COLORS and stored is not None:
        facts.append(f'channel order {order or stored}' + (f' ({stored} in the checkpoint)' if is_reversed else ''))
    text = f'from {old} to {new} channels: {", ".join(facts)}'
    return OrderedDict(weights, **{_KEY: adapt_channels(weight, new)}), metadata, text


def adapt_channels(weight: Tensor, channels: int) -> Tensor:
    """Convert the weight of a convolution to another number of input channels.

    >>> adapt_channels(torch.tensor([1., 2., 6.]).view(1, 3, 1, 1), 2).flatten()
    tensor([4., 5.])

    Args:
        weight: Weight, shape (O, M, kH, kW).
        channels: New number of input channels, N.

    Returns:
        Weight, shape (O, N, kH, kW), in at least single precision.
    """
    old = weight.size(1)
    weight = weight.to(torch.promote_types(weight.dtype, torch.float32))
    if channels > old == 1:
        return weight.expand(-1, channels, -1, -1) / channels
    if channels > old:
        return torch.cat([weight, weight.new_zeros(len(weight), channels - old, *weight.shape[2:])], dim=1)
    return weight[:, :channels] + weight[:, channels:].sum(1, keepdim=True) / channels


def _rule(old: int, new: int) -> str:
    if new > old:
        return 'gray is the mean of all channels' if old == 1 else 'weights of additional channels start at zero'
    return 'sum of all channels' if new == 1 else 'missing channels are the mean of the others'


def _check_network(network: HRNet, old: int) -> None:
    if not network.plain_convs:
        raise ValueError(f"backbone.conv_cfg must be None for init_cfg.first_conv='adapt', got {network.conv_cfg!r}. "
                         'The conversion is exact for plain convolutions only')
    if network.in_channels > old > 1 and network.frozen_stages >= 0:
        raise ValueError(f"backbone.frozen_stages must be -1 for init_cfg.first_conv='adapt' from {old} to "
                         f'{network.in_channels} channels, got {network.frozen_stages}. Weights of additional channels '
                         'start at zero and must be trained')


def _check_order(channel_order: str, stored: str | None, channels: int) -> None:
    """Raise ValueError if the input channels cannot be converted to the given order."""
    if channels < COLORS:
        reason = f'backbone.in_channels={channels}'
    elif stored is None:
        reason = 'a checkpoint whose channel order is unknown'
    else:
        return
    raise ValueError(f'init_cfg.channel_order must be None with {reason}, got {channel_order!r}. Without it, the '
                     'channels keep their order')


def _order(image_format: object) -> str | None:
    order = str(image_format).split(', ')[0]
    return order if order in CHANNEL_ORDERS else None
