"""Translation of checkpoints between the families' state-dict keys and ours, without loss.

The backbone (the body) and the necks and heads (here: the heads) are translated separately and joined afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from torch import Tensor

from hrnet_plugin.checkpoints.body import StateDict, add_prefix, split_body, split_prefix
from hrnet_plugin.checkpoints.changes import apply_changes, fold_bias, revert_changes, unfold_bias
from hrnet_plugin.checkpoints.families import FAMILIES, Family
from hrnet_plugin.checkpoints.families.family import SAME_KEYS
from hrnet_plugin.checkpoints.families.recognition import Recognized, find_family
from hrnet_plugin.checkpoints.file import Checkpoint, Notes
from hrnet_plugin.checkpoints.rules import matches_any, our_names, their_names

HOSTS = ('mmdet', 'mmpose', 'mmseg')
LAYOUTS = (*HOSTS, 'official', 'timm', 'mmpretrain')
_BACKBONE = 'backbone.'


def to_plugin(checkpoint: Checkpoint, found: Recognized) -> tuple[Checkpoint, list[str]]:
    """Translate a checkpoint to our keys.

    Returns:
        The translated checkpoint, and the keys without a counterpart. The notes of the checkpoint include those of the
        family. Its ``kept`` includes the tensors that a translation back cannot compute.
    """
    family, kept = found.family, dict(checkpoint.kept)
    model, outside = split_prefix(checkpoint.tensors, found.root)
    outside, model = (_keep_leftovers(tensors, family, kept) for tensors in (outside, model))
    body, heads = split_body(model, family.body_prefix)
    body = apply_changes(body, family.body_changes, kept)
    heads, nameless = _heads_to_ours(heads, family, kept)
    ours = StateDict({**add_prefix(body, _BACKBONE), **heads})
    unknown = [*outside, *(found.root + name for name in nameless)]
    return Checkpoint(checkpoint.source, ours, _notes(checkpoint, found), kept), unknown


def _keep_leftovers(tensors: Mapping[str, Tensor], family: Family, kept: dict[str, Tensor]) -> StateDict:
    """Copy the family's leftovers to ``kept`` and return the other tensors."""
    leftovers = {name: tensor for name, tensor in tensors.items() if matches_any(family.leftovers, name)}
    kept.update(leftovers)
    return StateDict((name, tensor) for name, tensor in tensors.items() if name not in leftovers)


def _heads_to_ours(heads: StateDict, family: Family, kept: dict[str, Tensor]) -> tuple[StateDict, list[str]]:
    """Return the heads under our keys, and their keys without a counterpart."""
    for bias, mean in family.their_biases:
        fold_bias(heads, kept, bias, mean)
    names = our_names(family.head_rules, heads)
    nameless = [name for name in heads if name not in names]
    changed = apply_changes({name: heads[name] for name in names}, family.head_changes, kept)
    ours = StateDict((names[name], tensor) for name, tensor in changed.items())
    for bias, mean in family.our_biases:
        unfold_bias(ours, kept, bias, mean)
    return ours, nameless


def _notes(checkpoint: Checkpoint, found: Recognized) -> Notes:
    """Return the notes of the family, updated by those of the file."""
    family = found.family
    notes: Notes = {'backbone': dict(family.notes), **{head: dict(facts) for head, facts in family.head_notes.items()}}
    for module, facts in checkpoint.notes.items():
        if module == found.body_prefix.rstrip('.'):
            notes['backbone'].update(facts)
        elif family.head_rules == SAME_KEYS and module.startswith(found.root):
            notes.setdefault(module.removeprefix(found.root), {}).update(facts)
    return notes


def backbone_only(checkpoint: Checkpoint) -> Checkpoint:
    """Return the backbone of a checkpoint with our keys."""
    tensors = add_prefix(split_prefix(checkpoint.tensors, _BACKBONE)[0], _BACKBONE)
    return replace(checkpoint, tensors=tensors, notes={'backbone': checkpoint.notes.get('backbone', {})}, kept={})


def from_plugin(checkpoint: Checkpoint, host: str, layout: str) -> Checkpoint:
    """Translate a checkpoint with our keys to another layout.

    Args:
        checkpoint: Checkpoint that :func:`to_plugin` returned.
        host: Package of the model, as in :class:`Family`.
        layout: One of :data:`LAYOUTS`.

    Raises:
        ValueError: If the layout has no keys for the heads.
    """
    _, heads = split_prefix(checkpoint.tensors, _BACKBONE)
    if layout in HOSTS and (not heads or host in ('', layout)):
        return checkpoint
    nameless = list(heads)
    for family in _candidates(host, layout, bool(heads)):
        names = their_names(family.head_rules, heads)
        if len(names) == len(heads):
            translated = _to_family(checkpoint, family)
            if find_family(translated.tensors, family.body_prefix)[0] is family:
                return translated
        else:
            nameless = min(nameless, [name for name in heads if name not in names], key=len)
    raise _nameless_error(checkpoint.source, layout, nameless)


def _candidates(host: str, layout: str, has_heads: bool) -> Iterator[Family]:
    for family in FAMILIES:
        if layout in family.layouts and (family.host == host if has_heads else not family.markers):
            yield family


def _nameless_error(source: str, layout: str, nameless: Sequence[str]) -> ValueError:
    words = ', '.join(dict.fromkeys('.'.join(name.split('.')[:3]) for name in nameless))
    return ValueError(f'{source} has necks or heads for which the layout {layout!r} has no names ({words[:200]}): '
                      '--backbone writes the backbone alone')


def _to_family(checkpoint: Checkpoint, family: Family) -> Checkpoint:
    kept = dict(checkpoint.kept)
    body, heads = split_prefix(checkpoint.tensors, _BACKBONE)
    body = revert_changes(body, family.body_changes, kept)
    heads = _heads_to_theirs(heads, family, kept)
    leftovers = {name: tensor for name, tensor in kept.items() if matches_any(family.leftovers, name)}
    theirs = StateDict({**add_prefix(body, family.body_prefix), **heads, **leftovers})
    # a translation back needs the biases that this family lacks
    still_kept = {name: x for name, x in kept.items() if family.our_biases and name not in theirs}
    return Checkpoint(checkpoint.source, theirs, {'': checkpoint.notes.get('backbone', {})}, still_kept)


def _heads_to_theirs(heads: StateDict, family: Family, kept: dict[str, Tensor]) -> StateDict:
    """Return the heads under the family's keys. Each must have one."""
    for bias, mean in family.our_biases:
        fold_bias(heads, kept, bias, mean)
    names = their_names(family.head_rules, heads)
    theirs = StateDict((names[name], tensor) for name, tensor in heads.items())
    theirs = revert_changes(theirs, family.head_changes, kept)
    for bias, mean in family.their_biases:
        unfold_bias(theirs, kept, bias, mean)
    return theirs
