"""Weights remember the interpolation that they were trained with: names and shapes are the same, outputs are not."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log
from torch import nn

from hrnet_plugin.checkpoints.part import UPSAMPLING
from hrnet_plugin.models.layers import Upsampling

_KNOWN = {known.text: known for known in (
    Upsampling('nearest'), Upsampling('bilinear'), Upsampling('bilinear', align_corners=True))}


def note_upsampling(network: nn.Module) -> None:
    """Note ``network.upsampling`` in the metadata of its state dicts, and compare it with that of those it loads.

    Metadata has no tensors, so no name is added. mmengine and torch save and load it; files without are not compared.
    """
    network._register_state_dict_hook(_write)
    network._register_load_state_dict_pre_hook(_compare, with_module=True)


def _write(network: Any, state_dict: Any, prefix: str, metadata: dict[str, Any]) -> None:
    metadata[UPSAMPLING] = network.upsampling.text


def _compare(network: Any, state_dict: Any, prefix: str, metadata: Mapping[str, Any], *unused: Any) -> None:
    trained_with = _KNOWN.get(metadata.get(UPSAMPLING, ''))
    if trained_with not in (None, network.upsampling):
        print_log(
            f'these weights were trained with {trained_with.text} upsampling in the fusion, and the network has '
            f'{network.upsampling.text}: as they are, they give other outputs. For the same ones set '
            f'backbone.upsample={trained_with.cfg!r}; to be trained on, they may stay',
            logger='current', level=logging.WARNING)
