"""Whole checkpoints from one family's layout to ours, and from ours to another's, with nothing lost on the way."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from hrnet_plugin.checkpoints.body import Body, describe, find_bodies, is_body
from hrnet_plugin.checkpoints.changes import absorb, release
from hrnet_plugin.checkpoints.families import FAMILIES, Family
from hrnet_plugin.checkpoints.file import Checkpoint, Notes
from hrnet_plugin.checkpoints.rules import Rule, matches, matches_any

HOSTS = ('mmdet', 'mmpose', 'mmseg')
LAYOUTS = (*HOSTS, 'official', 'timm', 'mmpretrain')
_BACKBONE = 'backbone.'


@dataclass(frozen=True)
class Recognised:
    """What a checkpoint is.

    Attributes:
        family: Its row in the table.
        root: What stands before all names of the model, such as 'module.'.
        body: The network in it.
    """

    family: Family
    root: str
    body: Body


def recognise(checkpoint: Checkpoint, prefix: str | None = None) -> Recognised:
    """Find a checkpoint's network and family, from names and shapes.

    Args:
        checkpoint: As it was read.
        prefix: What the network's names begin with, where there is more than one network.

    Raises:
        ValueError: If there is no HRNet, or there are several and ``prefix`` names none.
    """
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
    chosen = prefixes[0] if prefix is None else prefix
    try:
        body = describe(checkpoint.tensors, chosen)
    except ValueError as error:
        raise ValueError(f'{checkpoint.source} {error}') from None
    family, root = _family(checkpoint.tensors, chosen)
    return Recognised(family, root, body)


def _family(tensors: Mapping[str, Tensor], prefix: str) -> tuple[Family, str]:
    for family in FAMILIES:
        root = prefix.removesuffix(family.body)
        if prefix.endswith(family.body) and (not root or root.endswith('.')):
            inside = {name.removeprefix(root): tensor for name, tensor in tensors.items() if name.startswith(root)}
            if _fits(family, inside):
                return family, root
    raise AssertionError('the last row fits every network')


def _fits(family: Family, tensors: Mapping[str, Tensor]) -> bool:
    heads = [name for name in tensors if not _of_body(name, family)]
    return (all(any(matches(marker, name) for name in heads) for marker in family.markers)
            and not any(matches_any(family.absent, name) for name in tensors)
            and all(tensors[name].size(0) in rows for name, rows in family.classes.items()))


def _of_body(name: str, family: Family) -> bool:
    return name.startswith(family.body) and is_body(name.removeprefix(family.body))


def to_plugin(checkpoint: Checkpoint, found: Recognised) -> tuple[Checkpoint, list[str]]:
    """A checkpoint under our names.

    Returns:
        The checkpoint, with the family's facts in its notes and, in ``kept``, what cannot be computed back; and the
        names that have no counterpart here.
    """
    family = found.family
    tensors: OrderedDict[str, Tensor] = OrderedDict()
    kept = dict(checkpoint.kept)
    unknown = []
    inside = OrderedDict()
    for name, tensor in checkpoint.tensors.items():
        if name.startswith(found.root):
            inside[name.removeprefix(found.root)] = tensor
        elif matches_any(family.leftovers, name):
            kept[name] = tensor
        else:
            unknown.append(name)
    for bias, mean in family.biases:
        absorb(inside, kept, bias, mean)
    for name, tensor in inside.items():
        ours = _ours(name, family)
        if matches_any(family.leftovers, name):
            kept[name] = tensor
        elif ours is None:
            unknown.append(found.root + name)
        else:
            tensors[ours] = _changed(name, tensor, family, kept)
    for bias, mean in family.our_biases:
        release(tensors, kept, bias, mean)
    return Checkpoint(checkpoint.source, tensors, _notes(checkpoint, found), kept), unknown


def _ours(name: str, family: Family) -> str | None:
    if _of_body(name, family):
        return _BACKBONE + name.removeprefix(family.body)
    return _first(rule.forward(name) for rule in family.rules)


def _theirs(name: str, family: Family) -> str | None:
    if name.startswith(_BACKBONE):
        return family.body + name.removeprefix(_BACKBONE)
    return _first(rule.backward(name) for rule in family.rules)


def _first(names: Iterable[str | None]) -> str | None:
    return next((name for name in names if name is not None), None)


def _changed(name: str, tensor: Tensor, family: Family, kept: dict[str, Tensor]) -> Tensor:
    for change in family.changes:
        if change.applies(name):
            changed = change.forward(tensor)
            if not _same(change.backward(changed), tensor):
                kept[name] = tensor
            return changed
    return tensor


def _restored(name: str, tensor: Tensor, family: Family, kept: Mapping[str, Tensor]) -> Tensor:
    for change in family.changes:
        if change.applies(name):
            # as it was, unless it was trained since
            return kept[name] if name in kept and _same(change.forward(kept[name]), tensor) else change.backward(tensor)
    return tensor


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and torch.equal(a, b)


def _notes(checkpoint: Checkpoint, found: Recognised) -> Notes:
    """The family's, over which the file's own win."""
    notes: Notes = {'backbone': dict(found.family.notes), **{k: dict(v) for k, v in found.family.head_notes.items()}}
    body = (found.root + found.family.body).rstrip('.')
    for module, entries in checkpoint.notes.items():
        if module == body or (not body and not module):
            notes['backbone'].update(entries)
        elif found.family.rules == (Rule('*', '*'), ) and module.startswith(found.root):
            notes.setdefault(module.removeprefix(found.root), {}).update(entries)
    return notes


def backbone_only(checkpoint: Checkpoint) -> Checkpoint:
    """Of a checkpoint under our names, the network alone."""
    tensors = OrderedDict((name, x) for name, x in checkpoint.tensors.items() if name.startswith(_BACKBONE))
    return replace(checkpoint, tensors=tensors, notes={'backbone': checkpoint.notes.get('backbone', {})}, kept={})


def from_plugin(checkpoint: Checkpoint, host: str, layout: str) -> Checkpoint:
    """A checkpoint under our names, in another layout.

    Args:
        checkpoint: As :func:`to_plugin` gives it.
        host: Whose model it is, as in :class:`Family`.
        layout: One of :data:`LAYOUTS`.

    Raises:
        ValueError: If the layout has no names for its heads.
    """
    heads = [name for name in checkpoint.tensors if not name.startswith(_BACKBONE)]
    if layout in HOSTS and (not heads or host in ('', layout)):
        return checkpoint
    nameless = heads
    for family in FAMILIES:
        if layout in family.layouts and (family.host == host if heads else not family.markers):
            renamed = {ours: _theirs(ours, family) for ours in checkpoint.tensors}
            without = [ours for ours, name in renamed.items() if name is None]
            if not without:
                converted = _backward(checkpoint, family, {k: v for k, v in renamed.items() if v is not None})
                if _family(converted.tensors, family.body)[0] is family:
                    return converted
            elif len(without) < len(nameless):
                nameless = without
    words = ', '.join(dict.fromkeys('.'.join(name.split('.')[:3]) for name in nameless))
    raise ValueError(f'{checkpoint.source} has necks or heads for which the layout {layout!r} has no names '
                     f'({words[:200]}): --backbone writes the backbone alone')


def _backward(checkpoint: Checkpoint, family: Family, renamed: Mapping[str, str]) -> Checkpoint:
    tensors = OrderedDict(checkpoint.tensors)
    kept = dict(checkpoint.kept)
    for bias, mean in family.our_biases:
        absorb(tensors, kept, bias, mean)
    theirs: OrderedDict[str, Tensor] = OrderedDict()
    for ours, tensor in tensors.items():
        theirs[renamed[ours]] = _restored(renamed[ours], tensor, family, kept)
    for bias, mean in family.biases:
        release(theirs, kept, bias, mean)
    left = {name: x for name, x in kept.items() if matches_any(family.leftovers, name)}
    theirs.update(left)
    ours_only = {name: x for name, x in kept.items() if family.our_biases and name not in theirs}
    return Checkpoint(checkpoint.source, theirs, {'': checkpoint.notes.get('backbone', {})}, ours_only)
