"""Initial weights from a checkpoint of any task: all of them, or an error that says which are not there."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from mmengine.logging import print_log
from mmengine.model import update_init_info
from torch import Tensor, nn

from hrnet_plugin.checkpoints.addresses import resolve_checkpoint
from hrnet_plugin.checkpoints.body import describe, split_body
from hrnet_plugin.checkpoints.convert import backbone_only, to_plugin
from hrnet_plugin.checkpoints.families.recognition import Recognized, recognize
from hrnet_plugin.checkpoints.file import Checkpoint, read
from hrnet_plugin.checkpoints.part import UPSAMPLING, MatchReport, branches, find_part
from hrnet_plugin.checks import check_bool
from hrnet_plugin.config_types import ConfigEntry
from hrnet_plugin.registry import WEIGHT_INITIALIZERS


@WEIGHT_INITIALIZERS.register_module()
class Pretrained:
    """``init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint=...)``: a network's weights out of any checkpoint.

    mmengine's 'Pretrained' leaves out what does not fit and says so in the log at most. This one recognizes what the
    file is (see :mod:`hrnet_plugin.checkpoints.families`), finds the network in it, and loads it completely, or not at
    all. Nothing that is in the file runs.

    Args:
        checkpoint: Path, ``https://``, ``open-mmlab://msra/hrnetv2_w32``, ``timm://hrnet_w48.ms_in1k`` or
            ``hf://owner/repository/file``; or several of the same weights, which are tried in turn.
        allow_partial: Whether tensors that the checkpoint lacks may keep their random initial values.
        prefix: What the network's names begin with, where a checkpoint holds several networks.
        sha256: What the file's digest must be, or begin with (eight digits or more).

    Raises:
        TypeError, ValueError: If an argument is wrong, or, when called, if the checkpoint does not fit.
        OSError: When called, if the file cannot be read or fetched.
    """

    comes_last = True  # of all entries of a network's init_cfg

    def __init__(self, checkpoint: str | Sequence[str], allow_partial: bool = False, prefix: str | None = None,
                 sha256: str | None = None) -> None:
        addresses = [checkpoint] if isinstance(checkpoint, str) else checkpoint
        if not isinstance(addresses, Sequence) or not addresses or not all(
                isinstance(address, str) and address for address in addresses):
            raise TypeError(f'checkpoint must be a path or an address, or several, got {checkpoint!r}')
        check_bool('allow_partial', allow_partial)
        if prefix is not None and not isinstance(prefix, str):
            raise TypeError(f'prefix must be a text or None, got {prefix!r}')
        if sha256 is not None and (not isinstance(sha256, str) or not re.fullmatch('[0-9a-f]{8,64}', sha256)):
            raise ValueError(f'sha256 must be 8 to 64 hexadecimal digits, got {sha256!r}')
        self.addresses, self.allow_partial, self.prefix, self.sha256 = addresses, allow_partial, prefix, sha256

    def __call__(self, module: nn.Module) -> None:
        """Load a module's weights and log what was loaded.

        Raises:
            TypeError: If the module is not :class:`HRNet`. mmengine initialises the parts of others afterwards, and
                what was loaded would be lost.
            ValueError: If the file is no checkpoint, or of another network, or lacks a tensor of the module while
                ``allow_partial`` is not set; the message names them. The module is then as it was.
        """
        if not getattr(module, 'loads_checkpoints_last', False):
            raise TypeError("init_cfg of type 'hrnet_plugin.Pretrained' is for hrnet_plugin.HRNet, got one of "
                            f"{type(module).__name__}; its init_cfg may be of mmengine's type 'Pretrained'")
        path, address = resolve_checkpoint(self.addresses, self.sha256)
        checkpoint = read(path, address)
        found = recognize(checkpoint, self.prefix)
        own = module.state_dict()
        _check_same_network(address, found, own)
        weights, notes = network_of(checkpoint, found)
        try:
            part = find_part(own, weights)
        except ValueError as error:
            raise ValueError(f'{address}: {error}') from None
        if part.missing and not self.allow_partial:
            names = ', '.join(branches(part.missing, own))
            raise ValueError(
                f'{address} must hold all {part.total} tensors of {type(module).__name__}, got {len(part.weights)}; '
                f'{len(part.missing)} are missing: {names}. To leave these as they were initialised: '
                'init_cfg.allow_partial=True')
        # the module compares them with its own
        part.weights._metadata = OrderedDict({'': notes})  # type: ignore[attr-defined]
        module.load_state_dict(part.weights, strict=False)
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=f'{type(self).__name__}: load from {address}')
        print_log(f'{type(module).__name__}: {report(part, found, notes)}{ignored(checkpoint, found)}; from {address}',
                  logger='current')


def _check_same_network(address: str, found: Recognized, own: Mapping[str, Tensor]) -> None:
    wanted = describe(own)
    if found.body.stages != wanted.stages:
        arch = '' if found.body.arch is None else f' backbone.arch={found.body.arch!r} is that of the checkpoint'
        raise ValueError(f'{address} holds {found.body.text}, and the network of the config is {wanted.text}.{arch}')


def network_of(checkpoint: Checkpoint, found: Recognized) -> tuple[OrderedDict[str, Tensor], ConfigEntry]:
    """The network's own tensors under its own names, and the notes about it."""
    ours = backbone_only(to_plugin(checkpoint, found)[0])
    weights = OrderedDict((name.removeprefix('backbone.'), tensor) for name, tensor in ours.tensors.items())
    return weights, ours.notes['backbone']


def report(part: MatchReport, found: Recognized, notes: ConfigEntry) -> str:
    """What was loaded, in a sentence."""
    share = len(part.weights) / part.total
    text = (f'loaded {len(part.weights)} of {part.total} backbone tensors ({share:.0%}), {found.body.text} of the '
            f'family "{found.family.name}"')
    if UPSAMPLING in notes:
        text += f', trained with {notes[UPSAMPLING]} upsampling'
    for what, names in (('initialised otherwise', part.missing), ('in the file and not in this network', part.unused)):
        if names:
            text += f'; {what}: {len(names)} ({", ".join(branches(names, (*part.weights, *names)))})'
    return text


def ignored(checkpoint: Checkpoint, found: Recognized) -> str:
    """The parts of a checkpoint's model beside the network, for the end of a sentence."""
    _, outside = split_body(checkpoint.tensors, found.body_prefix)
    words = dict.fromkeys(name.removeprefix(found.root).split('.')[0] for name in outside)
    task = f' ({found.family.task})' if found.family.host else ''
    return f'; ignored: {", ".join(words)}{task}' if words else ''
