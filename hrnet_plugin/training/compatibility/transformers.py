"""Checks of transformers: DETR and its descendants, MaskFormer and Mask2Former."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from hrnet_plugin.training.compatibility.comparisons import (
    advice_for_number,
    check_channels,
    check_number,
    check_strides,
    strides_of,
)
from hrnet_plugin.training.compatibility.levels import Levels
from hrnet_plugin.training.compatibility.origin import known_part


def check_encoder(name: str, encoder: nn.Module, levels: Levels) -> None:
    """Raise ValueError unless a transformer encoder has the channels and, if deformable, the number of levels."""
    attention, key = _first_attention(encoder, 'self_attn'), f'{name}.layer_cfg.self_attn_cfg'
    _check_number(key, attention, levels)
    check_channels(f'{key}.embed_dims', getattr(attention, 'embed_dims', None), levels)


def check_decoder(name: str, decoder: nn.Module, levels: Levels) -> None:
    """Raise ValueError unless a deformable transformer decoder has the number of levels."""
    _check_number(f'{name}.layer_cfg.cross_attn_cfg', _first_attention(decoder, 'cross_attn'), levels)


def _first_attention(transformer: nn.Module, kind: str) -> nn.Module | None:
    layers = getattr(transformer, 'layers', None)
    return known_part(layers[0], kind) if isinstance(layers, nn.ModuleList) and len(layers) else None


def _check_number(key: str, attention: nn.Module | None, levels: Levels) -> None:
    number = getattr(attention, 'num_levels', None)
    if isinstance(number, int):  # other transformers use the last level
        check_number(f'{key}.num_levels', number, levels, advice_for_number(number, levels))


def check_pixel_decoder(name: str, head: nn.Module, levels: Levels) -> None:
    """Raise ValueError unless the pixel decoder of MaskFormer or Mask2Former has the levels of the backbone."""
    decoder = known_part(head, 'pixel_decoder')
    if decoder is None:
        return
    check_channels(f'{name}.in_channels', _input_channels(decoder), levels)
    strides = strides_of(decoder)
    if strides is not None:
        check_strides(f'{name}.pixel_decoder.strides', strides, levels.strides, levels)


def _input_channels(decoder: nn.Module) -> Sequence[int] | None:
    coarse, fine = (getattr(decoder, f'{kind}_convs', None) for kind in ('input', 'lateral'))
    if isinstance(coarse, nn.ModuleList) and isinstance(fine, nn.ModuleList):  # Mask2Former, coarsest first
        return [conv.conv.in_channels for conv in (*coarse, *fine)][::-1]
    return getattr(decoder, 'in_channels', None)
