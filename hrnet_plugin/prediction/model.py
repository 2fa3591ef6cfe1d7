"""Models of hosts for prediction: config, weights and test dataset."""

from __future__ import annotations

import torch
from mmengine.config import Config
from mmengine.model import BaseModel, revert_sync_batchnorm
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.checkpoints.complete import load_complete


def load_model(config: Config, checkpoint: str, *, device: torch.device | str = 'cpu') -> BaseModel:
    """Build the model of a config in eval mode, with all weights from a checkpoint. No code in it is executed.

    If the checkpoint has class names, they are in the attribute ``dataset_meta`` of the model.

    Args:
        config: Config of a host.
        checkpoint: Path or address of a checkpoint of any family.
        device: Torch device.

    Raises:
        OSError: If the checkpoint cannot be read.
        ValueError: If the config has no model, or the checkpoint belongs to another one.
    """
    if config.get('model') is None:
        raise ValueError('config must have the entry model, got none')
    with DefaultScope.overwrite_default_scope(config.get('default_scope')):
        model = MODELS.build(config.model)
    names = load_complete(model, checkpoint)
    if names.classes:  # as the inferencers of the hosts
        model.dataset_meta = dict(classes=names.classes, palette=names.palette)
    return revert_sync_batchnorm(model).to(device).eval()


def choose_device(device: str | None) -> torch.device:
    """Return a torch device. None is the first GPU if there is one, else the CPU.

    Raises:
        ValueError: If this machine has no such device.
    """
    if device is None:
        return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
    try:
        torch.empty(0, device=device).cpu()  # meta tensors have no values
        return torch.device(device)
    except (AssertionError, RuntimeError) as error:  # torch without CUDA raises the former
        reason = str(error).splitlines()[0]
        raise ValueError(f'device must be one of this machine, such as cpu, got {device!r}: {reason}') from None
