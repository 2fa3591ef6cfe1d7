"""Finding a module's weights inside a checkpoint of a larger model, and saying what fits and what does not."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

# counts steps, is in some files and not in others, and changes no output
_COUNTER = 'num_batches_tracked'
# entry of a network's metadata: the interpolation that its weights were trained with
UPSAMPLING = 'upsampling'


@dataclass(frozen=True)
class Part:
    """What a checkpoint holds of a module.

    Attributes:
        prefix: What the module's names begin with in the checkpoint.
        weights: The module's tensors in the checkpoint, under the module's names, with the module's metadata.
        total: Number of tensors that the module has.
        missing: Names of its tensors that the checkpoint lacks, but for norms' counts of steps.
        unused: Names of tensors in the checkpoint's copy of the module that the module lacks.
        beside: Parts of the checkpoint's model beside the module.
        upsampling: Interpolation that the weights were trained with, where the checkpoint says so.
    """

    prefix: str
    weights: OrderedDict[str, Tensor]
    total: int
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    beside: tuple[str, ...]
    upsampling: str | None


def find_part(own: Mapping[str, Tensor], state_dict: Mapping[str, Tensor]) -> Part:
    """The weights of a module in a checkpoint.

    Args:
        own: The module's state dict.
        state_dict: That of the checkpoint, whose names may have any prefix before the module's.

    Raises:
        ValueError: If no name fits, two prefixes fit equally well, or a tensor has another shape.
    """
    prefix = _prefix(own, state_dict)
    weights = OrderedDict((key, state_dict[prefix + key]) for key in own if prefix + key in state_dict)
    for key, tensor in weights.items():
        if tensor.shape != own[key].shape:
            raise ValueError(f'{prefix}{key} must have the shape {tuple(own[key].shape)}, got {tuple(tensor.shape)}: '
                             'the checkpoint is of another width or kind of network than the config')
    metadata = getattr(state_dict, '_metadata', {}).get(prefix[:-1], {})
    weights._metadata = OrderedDict({'': metadata})  # type: ignore[attr-defined]
    others = [key.removeprefix(prefix) for key in state_dict if key.startswith(prefix)]
    roots = {key.split('.')[0] for key in own}
    unused = tuple(key for key in others if key not in own and key.split('.')[0] in roots)
    missing = tuple(key for key in own if key not in weights
                    and not (key.endswith(_COUNTER) and key.replace(_COUNTER, 'running_mean') in weights))
    return Part(prefix, weights, len(own), missing, unused, _beside(prefix, roots, state_dict),
                metadata.get(UPSAMPLING))


def _prefix(own: Mapping[str, Tensor], state_dict: Mapping[str, Tensor]) -> str:
    counts: Counter[str] = Counter()
    for key in state_dict:
        words = key.split('.')
        for i in range(len(words)):
            if '.'.join(words[i:]) in own:
                counts[''.join(f'{word}.' for word in words[:i])] += 1
    if not counts:
        raise ValueError('no tensor of the checkpoint has a name of this network: it has '
                         f'{", ".join(list(own)[:2])}, ... and the checkpoint '
                         f'{", ".join(list(state_dict)[:2]) or "nothing"}, ...')
    (first, most), *rest = counts.most_common(2)
    if rest and rest[0][1] == most:
        raise ValueError(f'the checkpoint holds this network more than once: under {first!r} and {rest[0][0]!r}; '
                         'set prefix')
    return first


def _beside(prefix: str, roots: Collection[str], names: Iterable[str]) -> tuple[str, ...]:
    """First words of the names that are none of the module's, counted from the model of which it is a part."""
    outer = prefix[:prefix[:-1].rfind('.') + 1]
    words = (name.removeprefix(prefix if name.startswith(prefix) else outer).split('.')[0] for name in names)
    module = prefix.removeprefix(outer).rstrip('.')
    return tuple(OrderedDict.fromkeys(word for word in words if word not in roots and word != module))


def branches(names: Collection[str], of: Iterable[str]) -> list[str]:
    """A short description of some names: each branch of the tree ``of`` all names that lies in ``names`` as a whole."""
    tree: dict[str, Counter[bool]] = {}
    chosen = set(names)
    for name in {*of, *names}:
        for branch in _ancestors(name):
            tree.setdefault(branch, Counter())[name in chosen] += 1
    whole = {branch for branch, count in tree.items() if not count[False]}
    shortest = OrderedDict((next(branch for branch in _ancestors(name) if branch in whole), None) for name in names)
    return list(shortest)


def _ancestors(name: str) -> Iterator[str]:
    """Of 'a.b.c': 'a', 'a.b', 'a.b.c'."""
    words = name.split('.')
    return ('.'.join(words[:i]) for i in range(1, len(words) + 1))
