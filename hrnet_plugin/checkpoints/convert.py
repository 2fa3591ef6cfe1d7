"""Lossless conversion of checkpoints between the state-dict keys of families and ours.

The backbone is converted separately from the necks and heads, which this module calls heads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from hrnet_plugin.checkpoints.backbone import StateDict, add_prefix, split_backbone, split_prefix
from hrnet_plugin.checkpoints.changes import apply_changes, fold_bias, revert_changes, unfold_bias
from hrnet_plugin.checkpoints.families import FAMILIES, Family
from hrnet_plugin.checkpoints.families.family import SAME_KEYS
from hrnet_plugin.checkpoints.families.recognition import Recognized, find_family
from hrnet_plugin.checkpoints.file import Checkpoint, Metadata
from hrnet_plugin.checkpoints.rules import matches_any, our_names, their_names

HOSTS = ('mmdet', 'mmpose', 'mmseg')
LAYOUTS = (*HOSTS, 'official', 'timm', 'mmpretrain')
_BACKBONE = 'backbone.'


def to_plugin(checkpoint: Checkpoint, found: Recognized) -> tuple[Checkpoint, list[str]]:
    """Convert a checkpoint to our keys.

    Args:
        checkpoint: Checkpoint with the keys of its file.
        found: Family and network of the checkpoint.

    Returns:
        The converted checkpoint, and the keys without a counterpart. Its metadata includes that of the family. Its
        ``kept`` includes the tensors that cannot be computed when converting back.
    """
    family, kept = found.family, dict(checkpoint.kept)
    model, outside = split_prefix(checkpoint.tensors, found.root)
    outside, model = (_keep_leftovers(tensors, family, kept) for tensors in (outside, model))
    backbone, heads = split_backbone(model, family.backbone_prefix)
    backbone = apply_changes(backbone, family.backbone_changes, kept)
    heads, unmapped = _heads_to_ours(heads, family, kept)
    ours = StateDict({**add_prefix(backbone, _BACKBONE), **heads})
    unknown = [*outside, *(found.root + name for name in unmapped)]
    return Checkpoint(checkpoint.source, ours, _merge_metadata(checkpoint, found), kept), unknown


def _keep_leftovers(tensors: Mapping[str, Tensor], family: Family, kept: dict[str, Tensor]) -> StateDict:
    """Copy the tensors of ``family.leftovers`` to ``kept`` and return the others."""
    leftovers = {name: tensor for name, tensor in tensors.items() if matches_any(family.leftovers, name)}
    kept.update(leftovers)
    return StateDict((name, tensor) for name, tensor in tensors.items() if name not in leftovers)


def _heads_to_ours(heads: StateDict, family: Family, kept: dict[str, Tensor]) -> tuple[StateDict, list[str]]:
    """Return the heads with our keys, and their keys without a counterpart."""
    for bias, mean in family.their_biases:
        fold_bias(heads, kept, bias, mean)
    names = our_names(family.head_rules, heads)
    unmapped = [name for name in heads if name not in names]
    changed = apply_changes({name: heads[name] for name in names}, family.head_changes, kept)
    ours = StateDict((names[name], tensor) for name, tensor in changed.items())
    for bias, mean in family.our_biases:
        unfold_bias(ours, kept, bias, mean)
    return ours, unmapped


def _merge_metadata(checkpoint: Checkpoint, found: Recognized) -> Metadata:
    """Return the metadata of the family, updated by that of the file."""
    family = found.family
    metadata: Metadata = {'backbone': dict(family.metadata),
                          **{head: dict(facts) for head, facts in family.head_metadata.items()}}
    for module, facts in checkpoint.metadata.items():
        if module == found.backbone_prefix.rstrip('.'):
            metadata['backbone'].update(facts)
        elif family.head_rules == SAME_KEYS and module.startswith(found.root):
            metadata.setdefault(module.removeprefix(found.root), {}).update(facts)
    return metadata


def backbone_only(checkpoint: Checkpoint) -> Checkpoint:
    """Return the backbone of a checkpoint with our keys."""
    tensors = add_prefix(split_prefix(checkpoint.tensors, _BACKBONE)[0], _BACKBONE)
    return replace(checkpoint, tensors=tensors, metadata={'backbone': checkpoint.metadata.get('backbone', {})}, kept={})


def from_plugin(checkpoint: Checkpoint, host: str, layout: str) -> Checkpoint:
    """Convert a checkpoint with our keys to another layout.

    Args:
        checkpoint: Checkpoint from :func:`to_plugin`.
        host: Package of the model, as in :class:`Family`.
        layout: One of :data:`LAYOUTS`.

    Raises:
        ValueError: If the layout has no keys for the heads.
    """
    _, heads = split_prefix(checkpoint.tensors, _BACKBONE)
    if layout in HOSTS and (not heads or host in ('', layout)):
        return checkpoint
    unmapped = list(heads)
    for family in _candidates(host, layout, bool(heads)):
        names = their_names(family.head_rules, heads)
        if len(names) == len(heads):
            converted = _to_family(checkpoint, family)
            if find_family(converted.tensors, family.backbone_prefix)[0] is family:
                return converted
        else:
            unmapped = min(unmapped, [name for name in heads if name not in names], key=len)
    raise _unmapped_error(checkpoint.source, layout, unmapped)


def _candidates(host: str, layout: str, has_heads: bool) -> Iterator[Family]:
    for family in FAMILIES:
        if layout in family.layouts and (family.host == host if has_heads else not family.markers):
            yield family


def _unmapped_error(source: str, layout: str, unmapped: Sequence[str]) -> ValueError:
    words = ', '.join(dict.fromkeys('.'.join(name.split('.')[:3]) for name in unmapped))
    return ValueError(f'{source} has necks or heads without keys in the layout {layout!r} ({words[:200]}). Add '
                      '--backbone to write the backbone alone')


def _to_family(checkpoint: Checkpoint, family: Family) -> Checkpoint:
    kept = dict(checkpoint.kept)
    backbone, heads = split_prefix(checkpoint.tensors, _BACKBONE)
    backbone = revert_changes(backbone, family.backbone_changes, kept)
    heads = _heads_to_theirs(heads, family, kept)
    leftovers = {name: tensor for name, tensor in kept.items() if matches_any(family.leftovers, name)}
    theirs = StateDict({**add_prefix(backbone, family.backbone_prefix), **heads, **leftovers})
    # converting back needs the biases that this family lacks
    still_kept = {name: x for name, x in kept.items() if family.our_biases and name not in theirs}
    return Checkpoint(checkpoint.source, theirs, {'': checkpoint.metadata.get('backbone', {})}, still_kept)


def _heads_to_theirs(heads: StateDict, family: Family, kept: dict[str, Tensor]) -> StateDict:
    """Return the heads with the family's keys. All of them must have a counterpart."""
    for bias, mean in family.our_biases:
        fold_bias(heads, kept, bias, mean)
    names = their_names(family.head_rules, heads)
    theirs = StateDict((names[name], tensor) for name, tensor in heads.items())
    theirs = revert_changes(theirs, family.head_changes, kept)
    for bias, mean in family.their_biases:
        unfold_bias(theirs, kept, bias, mean)
    return theirs
