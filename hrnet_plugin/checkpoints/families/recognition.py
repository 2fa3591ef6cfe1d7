"""Recognition of a checkpoint: its HRNet, and the family that its state-dict keys belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from hrnet_plugin.checkpoints.body import NetworkInfo, describe, find_bodies, split_body, split_prefix
from hrnet_plugin.checkpoints.families import FAMILIES, Family
from hrnet_plugin.checkpoints.file import Checkpoint
from hrnet_plugin.checkpoints.rules import matches, matches_any


@dataclass(frozen=True)
class Recognized:
    """Family and network of a checkpoint.

    Attributes:
        family: The first family that fits.
        root: Prefix of all keys of the model, such as 'module.'.
        body: Description of the backbone.
    """

    family: Family
    root: str
    body: NetworkInfo

    @property
    def body_prefix(self) -> str:
        """Prefix of the backbone's keys in the checkpoint."""
        return self.root + self.family.body_prefix


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
        body = describe(checkpoint.tensors, chosen)
    except ValueError as error:
        raise ValueError(f'{checkpoint.source} {error}') from None
    family, root = find_family(checkpoint.tensors, chosen)
    return Recognized(family, root, body)


def _choose_prefix(checkpoint: Checkpoint, prefix: str | None) -> str:
    prefixes = find_bodies(checkpoint.tensors)
    if not prefixes:
        first = ', '.join(list(checkpoint.tensors)[:3])
        raise ValueError(f'{checkpoint.source} holds no HRNet: no tensor of it has a name of this network; it has '
                         f'{first}, ...')
    if prefix is not None and prefix not in prefixes:
        raise ValueError(f'prefix must be what names of a network in {checkpoint.source} begin with '
                         f'({", ".join(map(repr, prefixes))}), got {prefix!r}')
    if prefix is None and len(prefixes) > 1:
        raise ValueError(f'{checkpoint.source} holds a network more than once: under '
                         f'{" and ".join(map(repr, prefixes))}; set prefix')
    return prefixes[0] if prefix is None else prefix


def find_family(tensors: Mapping[str, Tensor], prefix: str) -> tuple[Family, str]:
    """Return the first family that fits, and the prefix of the whole model.

    Args:
        tensors: Tensors of the checkpoint.
        prefix: Prefix of the backbone's keys.
    """
    for family in FAMILIES:
        root = prefix.removesuffix(family.body_prefix)
        if (prefix.endswith(family.body_prefix) and (not root or root.endswith('.'))
                and _fits(family, split_prefix(tensors, root)[0])):
            return family, root
    raise AssertionError('the last family fits every network')


def _fits(family: Family, tensors: Mapping[str, Tensor]) -> bool:
    _, heads = split_body(tensors, family.body_prefix)
    return (all(any(matches(marker, name) for name in heads) for marker in family.markers)
            and not any(matches_any(family.absent, name) for name in tensors)
            and all(tensors[name].size(0) in sizes for name, sizes in family.classes.items()))
