"""What a checkpoint holds of a network, and what not."""

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
class MatchReport:
    """Comparison of a checkpoint with a network.

    Attributes:
        weights: The network's tensors in the checkpoint.
        total: Number of tensors that the network has.
        missing: Names of its tensors that the checkpoint lacks, but for norms' counts of steps.
        unused: Names of tensors in the checkpoint's network that this one lacks.
    """

    weights: OrderedDict[str, Tensor]
    total: int
    missing: tuple[str, ...]
    unused: tuple[str, ...]


def find_part(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> MatchReport:
    """Compare a network's state dict with that of a checkpoint, under the same names.

    Raises:
        ValueError: If a tensor has another shape.
    """
    weights = OrderedDict((key, tensors[key]) for key in own if key in tensors)
    for key, tensor in weights.items():
        if tensor.shape != own[key].shape:
            raise ValueError(f'{key} must have the shape {tuple(own[key].shape)}, got {tuple(tensor.shape)}: the '
                             'checkpoint is of another kind of network than the config')
    missing = tuple(key for key in own if key not in weights
                    and not (key.endswith(_COUNTER) and key.replace(_COUNTER, 'running_mean') in weights))
    return MatchReport(weights, len(own), missing, tuple(key for key in tensors if key not in own))


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
