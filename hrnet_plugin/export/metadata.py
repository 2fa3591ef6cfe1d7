"""Metadata of exported models from config, model and checkpoint."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from mmengine.config import Config
from torch import nn

from hrnet_plugin.config_files import build_lazily, find_test_dataset
from hrnet_plugin.evaluation.environment import package_versions
from hrnet_plugin.evaluation.leaderboard.runner_record import config_digest, file_digest
from hrnet_plugin.export.adapters.adapter import Adapter
from hrnet_plugin.export.resizing import channel_order, find_resizing
from hrnet_plugin.hosts import config_image_channels, host_of_config
from hrnet_plugin.prediction.metadata import ExportMetadata, Resizing


def describe_export(config: Config, model: nn.Module, checkpoint: str, adapter: Adapter, part: str) -> ExportMetadata:
    """Return the metadata of a model.

    Args:
        config: Config of the model.
        model: Model of a host with the weights.
        checkpoint: Path or address of the checkpoint.
        adapter: Adapter of the model.
        part: 'model' or 'network'.

    Raises:
        UnsupportedModel: If exported files cannot describe the test pipeline of a whole model.
    """
    metadata = ExportMetadata(
        task='network', model=type(model).__name__, config=Path(config.filename or 'config').stem,
        channels=config_image_channels(config.model), channel_order=channel_order(config),
        outputs=tuple(adapter.outputs), resizing=Resizing(mode='none'),
        hashes=dict(config=config_digest(config), checkpoint=file_digest(checkpoint), weights=weights_digest(model)),
        versions=package_versions())
    if part == 'network':
        return replace(metadata, resizing=_resizing_of_network(config))
    host = host_of_config(config)
    dataset = build_lazily(find_test_dataset(config), config.get('default_scope'))
    return replace(metadata, task=host.task, resizing=find_resizing(config), meta=host.dataset_meta(dataset, model),
                   mask_threshold=adapter.mask_threshold, align_corners=adapter.align_corners, sliding=adapter.sliding)


def weights_digest(model: nn.Module) -> str:
    """Compute the SHA-256 of names, shapes and values of a model's state dict."""
    state = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        state.update(f'{name} {tensor.dtype} {tuple(tensor.shape)}\n'.encode())
        state.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return state.hexdigest()


def _resizing_of_network(config: Config) -> Resizing:
    try:
        return find_resizing(config)
    except ValueError:
        return Resizing(mode='none')
