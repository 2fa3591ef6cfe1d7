"""Initialization of a network from a checkpoint of any task, with an error if tensors are missing."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from mmengine.logging import print_log
from mmengine.model import update_init_info
from torch import Tensor, nn

from hrnet_plugin.checkpoints.addresses import resolve_checkpoint
from hrnet_plugin.checkpoints.backbone import describe, split_backbone
from hrnet_plugin.checkpoints.convert import backbone_only, to_plugin
from hrnet_plugin.checkpoints.families.recognition import Recognized, recognize
from hrnet_plugin.checkpoints.file import Checkpoint, read
from hrnet_plugin.checkpoints.first_conv import (
    CHANNEL_ORDERS,
    FIRST_CONV_MODES,
    IMAGES,
    adapt_first_conv,
    check_same_channels,
)
from hrnet_plugin.checkpoints.match import UPSAMPLING, MatchReport, match_state_dict, summarize_names
from hrnet_plugin.checks import check_bool, check_choice
from hrnet_plugin.config_types import ConfigEntry
from hrnet_plugin.models.checkpoint_metadata import with_channel_order
from hrnet_plugin.registry import WEIGHT_INITIALIZERS

if TYPE_CHECKING:
    from hrnet_plugin.models import HRNet


@WEIGHT_INITIALIZERS.register_module()
class Pretrained:
    """Initializer from any checkpoint: ``init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint=...)``.

    mmengine's 'Pretrained' skips tensors that do not match, and logs them at most. This initializer recognizes the
    family of the checkpoint (see :mod:`hrnet_plugin.checkpoints.families`) and finds the backbone in it. It loads all
    tensors, or raises an error. No code in the file is executed.

    Args:
        checkpoint: Path, ``https://``, ``open-mmlab://msra/hrnetv2_w32``, ``timm://hrnet_w48.ms_in1k`` or
            ``hf://owner/repository/file``. Or a list of addresses of the same checkpoint, tried in order.
        allow_partial: Whether tensors that the checkpoint lacks may keep their initial values. Default: False.
        prefix: Prefix of the backbone's keys, e.g. 'teacher.'. Required if the checkpoint has several HRNets.
        sha256: Expected sha256 of the file, or at least its first eight digits.
        first_conv: 'exact', or 'adapt' to convert the first convolution to images with another number or order of
            channels. The magnitude of the outputs is preserved. To one channel, the weights are summed. To fewer
            channels, missing ones are the mean of the given ones. To more channels, the weights of additional ones
            start at zero. From one channel, gray is the mean of all channels. Default: 'exact'.
        channel_order: Order of the first three channels of the images, 'RGB' or 'BGR', for ``first_conv='adapt'``.
            Default: None, which means that of the data preprocessor. Images with more than three channels are BGR by
            default. The order is that of the checkpoint if the data preprocessor does not normalize. An order requires
            at least three channels and a checkpoint of known order.

    Raises:
        TypeError, ValueError: If an argument is invalid, or, when called, if the checkpoint does not match.
        OSError: When called, if the file cannot be read or downloaded.
    """

    comes_last = True  # runs after all other entries of init_cfg

    def __init__(self, checkpoint: str | Sequence[str], allow_partial: bool = False, prefix: str | None = None,
                 sha256: str | None = None, *, first_conv: str = 'exact', channel_order: str | None = None) -> None:
        addresses = [checkpoint] if isinstance(checkpoint, str) else checkpoint
        if not isinstance(addresses, Sequence) or not addresses or not all(
                isinstance(address, str) and address for address in addresses):
            raise TypeError(f'checkpoint must be a path or address, or a list of them, got {checkpoint!r}')
        check_bool('allow_partial', allow_partial)
        if prefix is not None and not isinstance(prefix, str):
            raise TypeError(f'prefix must be a string or None, got {prefix!r}')
        if sha256 is not None and (not isinstance(sha256, str) or not re.fullmatch('[0-9a-f]{8,64}', sha256)):
            raise ValueError(f'sha256 must be 8 to 64 hexadecimal digits, got {sha256!r}')
        check_choice('first_conv', first_conv, FIRST_CONV_MODES)
        if channel_order is not None:
            check_choice('channel_order', channel_order, CHANNEL_ORDERS)
            if first_conv != 'adapt':
                raise ValueError(f"first_conv must be 'adapt' with channel_order, got {first_conv!r}")
        self.addresses, self.allow_partial, self.prefix, self.sha256 = addresses, allow_partial, prefix, sha256
        self.first_conv, self.channel_order = first_conv, channel_order

    def __call__(self, module: nn.Module) -> None:
        """Load a module's weights and log what was loaded.

        Raises:
            TypeError: If the module is not :class:`HRNet`. mmengine would initialize the submodules of another module
                afterwards, and overwrite the loaded weights.
            ValueError: If the file is not a checkpoint or of another network. Without ``allow_partial`` also if it
                lacks tensors of the module, which the message lists. The module is not changed in these cases.
        """
        if not getattr(module, 'loads_checkpoints_last', False):
            raise TypeError("init_cfg of type 'hrnet_plugin.Pretrained' requires hrnet_plugin.HRNet, got "
                            f"{type(module).__name__}. Use mmengine's type 'Pretrained' instead")
        network = cast('HRNet', module)
        path, address = resolve_checkpoint(self.addresses, self.sha256)
        checkpoint = read(path, address)
        found = recognize(checkpoint, self.prefix)
        own = module.state_dict()
        _check_same_network(address, found, own)
        weights, metadata = extract_network(checkpoint, found)
        adapted = ''
        try:
            if self.first_conv == 'adapt':
                weights, metadata, adapted = adapt_first_conv(weights, metadata, network, self.channel_order)
            else:
                check_same_channels(weights, network)
            match = match_state_dict(own, weights)
        except ValueError as error:
            raise ValueError(f'{address}: {error}') from None
        if match.missing and not self.allow_partial:
            names = ', '.join(summarize_names(match.missing, own))
            raise ValueError(
                f'{address} must have all {match.total} tensors of {type(module).__name__}, got {len(match.weights)}; '
                f'{len(match.missing)} are missing: {names}. To keep their initial values, set '
                'init_cfg.allow_partial=True')
        if self.channel_order is not None:
            network.image_format = with_channel_order(network.image_format or str(metadata[IMAGES]), self.channel_order)
        # the module compares the metadata with its own
        match.weights._metadata = OrderedDict({'': metadata})  # type: ignore[attr-defined]
        module.load_state_dict(match.weights, strict=False)
        if hasattr(module, '_params_init_info'):
            update_init_info(module, init_info=f'{type(self).__name__}: load from {address}')
        text = describe_match(match, found, metadata) + describe_ignored(checkpoint, found)
        text += f'; first convolution adapted {adapted}' if adapted else ''
        print_log(f'{type(module).__name__}: {text}; from {address}', logger='current')


def _check_same_network(address: str, found: Recognized, own: Mapping[str, Tensor]) -> None:
    expected = describe(own)
    if found.network.stages != expected.stages:
        arch = '' if found.network.arch is None else f' Set backbone.arch={found.network.arch!r} to load it'
        raise ValueError(f'{address} contains {found.network.text}, but the config has {expected.text}.{arch}')


def extract_network(checkpoint: Checkpoint, found: Recognized) -> tuple[OrderedDict[str, Tensor], ConfigEntry]:
    """Return the backbone's tensors with the keys of :class:`HRNet`, and its metadata."""
    ours = backbone_only(to_plugin(checkpoint, found)[0])
    weights = OrderedDict((name.removeprefix('backbone.'), tensor) for name, tensor in ours.tensors.items())
    return weights, ours.metadata['backbone']


def describe_match(match: MatchReport, found: Recognized, metadata: ConfigEntry) -> str:
    """Describe the loaded tensors in one sentence."""
    share = len(match.weights) / match.total
    text = (f'loaded {len(match.weights)} of {match.total} backbone tensors ({share:.0%}), {found.network.text} of the '
            f'family "{found.family.name}"')
    if UPSAMPLING in metadata:
        text += f', trained with {metadata[UPSAMPLING]} upsampling'
    for what, names in (('not in the checkpoint', match.missing), ('not in this network', match.unused)):
        if names:
            text += f'; {what}: {len(names)} ({", ".join(summarize_names(names, (*match.weights, *names)))})'
    return text


def describe_ignored(checkpoint: Checkpoint, found: Recognized) -> str:
    """List the modules of a checkpoint besides the backbone, as the end of a sentence."""
    _, outside = split_backbone(checkpoint.tensors, found.backbone_prefix)
    words = dict.fromkeys(name.removeprefix(found.root).split('.')[0] for name in outside)
    task = f' ({found.family.task})' if found.family.host else ''
    return f'; ignored: {", ".join(words)}{task}' if words else ''
