"""Recognition of the HRNet in a checkpoint, and of the family of its state-dict keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from hrnet_plugin.checkpoints.backbone import NetworkInfo, describe, find_backbones, split_backbone, split_prefix
from hrnet_plugin.checkpoints.families import FAMILIES, Family
from hrnet_plugin.checkpoints.file import Checkpoint
from hrnet_plugin.checkpoints.rules import matches, matches_any


@dataclass(frozen=True)
class Recognized:
    """Family and network of a checkpoint.

    Attributes:
        family: First family that matches.
        root: Prefix of all keys of the model, e.g. 'module.'.
        network: Architecture of the backbone.
    """

    family: Family
    root: str
    network: NetworkInfo

    @property
    def backbone_prefix(self) -> str:
        """Prefix of the backbone's keys in the checkpoint."""
        return self.root + self.family.backbone_prefix


def recognize(checkpoint: Checkpoint, prefix: str | None = None) -> Recognized:
    """Find the network and the family of a checkpoint by its keys and shapes.

    Args:
        checkpoint: Checkpoint with the keys of its file.
        prefix: Prefix of the network's keys. Required if the checkpoint has several networks.

    Raises:
        ValueError: If there is no HRNet, or if there are several and ``prefix`` is not the prefix of one.
    """
    chosen = _choose_prefix(checkpoint, prefix)
    try:
        network = describe(checkpoint.tensors, chosen)
    except ValueError as error:
        raise ValueError(f'{checkpoint.source} {error}') from None
    family, root = find_family(checkpoint.tensors, chosen)
    return Recognized(family, root, network)


def _choose_prefix(checkpoint: Checkpoint, prefix: str | None) -> str:
    prefixes = find_backbones(checkpoint.tensors)
    if not prefixes:
        first = ', '.join(list(checkpoint.tensors)[:3])
        raise ValueError(f'{checkpoint.source} must contain an HRNet, got keys of another network: {first}, ...')
    if prefix is not None and prefix not in prefixes:
        raise ValueError(f'prefix must be one of {", ".join(map(repr, prefixes))} for {checkpoint.source}, '
                         f'got {prefix!r}')
    if prefix is None and len(prefixes) > 1:
        raise ValueError(f'{checkpoint.source} contains several HRNets. Set prefix to one of '
                         f'{", ".join(map(repr, prefixes))}')
    return prefixes[0] if prefix is None else prefix


def find_family(tensors: Mapping[str, Tensor], prefix: str) -> tuple[Family, str]:
    """Return the first family that matches, and the prefix of the whole model.

    Args:
        tensors: Tensors of the checkpoint.
        prefix: Prefix of the backbone's keys.
    """
    for family in FAMILIES:
        root = prefix.removesuffix(family.backbone_prefix)
        if (prefix.endswith(family.backbone_prefix) and (not root or root.endswith('.'))
                and _matches(family, split_prefix(tensors, root)[0])):
            return family, root
    raise AssertionError('the last family matches every network')


def _matches(family: Family, tensors: Mapping[str, Tensor]) -> bool:
    _, heads = split_backbone(tensors, family.backbone_prefix)
    return (all(any(matches(marker, name) for name in heads) for marker in family.markers)
            and not any(matches_any(family.absent, name) for name in tensors)
            and all(tensors[name].size(0) in sizes for name, sizes in family.classes.items()))
