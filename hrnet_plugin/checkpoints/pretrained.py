"""Initial weights from a checkpoint of any task: all of them, or an error that says which are not there."""

from __future__ import annotations

from pickle import UnpicklingError
from typing import Any

from mmengine.logging import print_log
from mmengine.model import update_init_info
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from hrnet_plugin.checkpoints.part import Part, branches, find_part
from hrnet_plugin.checks import check_bool
from hrnet_plugin.registry import WEIGHT_INITIALIZERS


@WEIGHT_INITIALIZERS.register_module()
class Pretrained:
    """``init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint=...)``: a network's weights out of any checkpoint.

    mmengine's 'Pretrained' leaves out what does not fit and says so in the log at most. This one finds the network in
    the checkpoint, whatever stands before its names (``backbone.`` in a detector, nothing in an ImageNet file), and
    loads it completely, or not at all.

    Args:
        checkpoint: Path or address, in any form that mmengine knows.
        allow_partial: Whether tensors that the checkpoint lacks may keep their random initial values.
        prefix: What the network's names begin with in the checkpoint; None to find it.
        map_location: Where tensors are read to.

    Raises:
        TypeError, ValueError: If an argument is wrong, or, when called, if the checkpoint does not fit.
    """

    def __init__(self, checkpoint: str, allow_partial: bool = False, prefix: str | None = None,
                 map_location: str = 'cpu') -> None:
        if not isinstance(checkpoint, str) or not checkpoint:
            raise TypeError(f'checkpoint must be a path or an address, got {checkpoint!r}')
        check_bool('allow_partial', allow_partial)
        self.checkpoint, self.allow_partial = checkpoint, allow_partial
        self.prefix, self.map_location = prefix, map_location

    def __call__(self, module: nn.Module) -> None:
        """Load a module's weights and log what was loaded.

        Raises:
            TypeError: If the module is not :class:`HRNet`. mmengine initialises the parts of others afterwards, and
                what was loaded would be lost.
            ValueError: If the checkpoint lacks a tensor of the module and ``allow_partial`` is not set, holds one in
                another shape, or is of a deeper network; the message names them. The module is then as it was.
        """
        if not getattr(module, 'loads_checkpoints_last', False):
            raise TypeError("init_cfg of type 'hrnet_plugin.Pretrained' is for hrnet_plugin.HRNet, got one of "
                            f"{type(module).__name__}; its init_cfg may be of mmengine's type 'Pretrained'")
        own = module.state_dict()
        state_dict = self._read()
        try:
            part = find_part(own, state_dict)
        except ValueError as error:
            raise ValueError(f'{self.checkpoint}: {error}') from None
        # the fusion of outputs that this network does not have may be left over, anything else is another network's
        deeper = [name for name in part.unused if '.fuse_layers.' not in name]
        if deeper:
            names = ', '.join(branches(deeper, (*part.weights, *part.unused)))
            raise ValueError(f'{self.checkpoint} must hold the network of the config, got a deeper one, with {names}: '
                             'arch must be that of the checkpoint')
        if part.missing and not self.allow_partial:
            names = ', '.join(branches(part.missing, own))
            raise ValueError(
                f'{self.checkpoint} must hold all {part.total} tensors of {type(module).__name__}, got '
                f'{len(part.weights)}; {len(part.missing)} are missing: {names}. To leave these as they were '
                'initialised: init_cfg.allow_partial=True')
        module.load_state_dict(part.weights, strict=False)
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=f'{type(self).__name__}: load from {self.checkpoint}')
        print_log(f'{type(module).__name__}: {report(part)} from {self.checkpoint}', logger='current')

    def _read(self) -> Any:
        try:
            checkpoint = CheckpointLoader.load_checkpoint(self.checkpoint, self.map_location)
        except (EOFError, LookupError, RuntimeError, UnpicklingError) as error:
            raise ValueError(f'{self.checkpoint} is no checkpoint that torch reads: '
                             f'{type(error).__name__}: {error}') from None
        if not isinstance(checkpoint, dict):
            raise ValueError(f'{self.checkpoint} must hold a mapping of names to tensors, got '
                             f'{type(checkpoint).__name__}')
        state_dict = checkpoint.get('state_dict', checkpoint)
        if self.prefix is None:
            return state_dict
        chosen = type(state_dict)((key, tensor) for key, tensor in state_dict.items() if key.startswith(self.prefix))
        if not chosen:
            starts = ', '.join(dict.fromkeys(key.split('.')[0] for key in state_dict))
            raise ValueError(f'prefix must be what names in {self.checkpoint} begin with ({starts}), got '
                             f'{self.prefix!r}')
        if hasattr(state_dict, '_metadata'):
            chosen._metadata = state_dict._metadata
        return chosen


def report(part: Part) -> str:
    """What was loaded, in a sentence."""
    text = f'loaded {len(part.weights)} of {part.total} tensors'
    if part.upsampling is not None:
        text += f', trained with {part.upsampling} upsampling'
    for what, names in (('initialised otherwise', part.missing), ('in the file and not in this network', part.unused)):
        if names:
            text += f'; {what}: {len(names)} ({", ".join(branches(names, (*part.weights, *names)))})'
    if part.beside:
        text += f'; left out: {", ".join(part.beside)}'
    return text
