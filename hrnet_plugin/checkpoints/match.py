"""Comparison of a checkpoint with the state dict of a module."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

# buffer that some checkpoints lack and that does not affect outputs
_COUNTER = 'num_batches_tracked'
# metadata entry: interpolation mode of the fusion in training
UPSAMPLING = 'upsampling'


@dataclass(frozen=True)
class MatchReport:
    """Result of comparing a checkpoint with a module.

    Attributes:
        weights: Tensors of the checkpoint that the module has.
        total: Number of tensors of the module.
        missing: Keys of the module that the checkpoint lacks, without ``num_batches_tracked``.
        unused: Keys of the checkpoint that the module lacks.
    """

    weights: OrderedDict[str, Tensor]
    total: int
    missing: tuple[str, ...]
    unused: tuple[str, ...]


def match_state_dict(own: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> MatchReport:
    """Compare the state dict of a module with that of a checkpoint.

    Args:
        own: State dict of the module.
        tensors: State dict of the checkpoint.

    Raises:
        ValueError: If a tensor has another shape, or complex numbers.
    """
    weights = OrderedDict((key, tensors[key]) for key in own if key in tensors)
    for key, tensor in weights.items():
        if tensor.shape != own[key].shape:
            raise ValueError(f'{key} must have the shape {tuple(own[key].shape)}, got {tuple(tensor.shape)}: the '
                             'checkpoint belongs to another network than the config')
        if tensor.is_complex() and not own[key].is_complex():  # torch would drop the imaginary part
            raise ValueError(f'{key} must have real numbers, got {tensor.dtype}')
    missing = tuple(key for key in own if key not in weights
                    and not (key.endswith(_COUNTER) and key.replace(_COUNTER, 'running_mean') in weights))
    return MatchReport(weights, len(own), missing, tuple(key for key in tensors if key not in own))


def summarize_names(names: Collection[str], of: Iterable[str]) -> list[str]:
    """Summarize names by the shortest prefixes whose names are all included.

    >>> summarize_names(['a.x.1', 'a.x.2', 'c'], of=['a.x.1', 'a.x.2', 'a.y.1', 'c'])
    ['a.x', 'c']

    Args:
        names: Names to summarize.
        of: All names, of which a prefix must include no others.
    """
    tree: dict[str, Counter[bool]] = {}
    chosen = set(names)
    for name in {*of, *names}:
        for prefix in _prefixes(name):
            tree.setdefault(prefix, Counter())[name in chosen] += 1
    complete = {prefix for prefix, count in tree.items() if not count[False]}
    shortest = OrderedDict((next(prefix for prefix in _prefixes(name) if prefix in complete), None) for name in names)
    return list(shortest)


def _prefixes(name: str) -> Iterator[str]:
    """Return e.g. 'a', 'a.b' and 'a.b.c' for 'a.b.c'."""
    words = name.split('.')
    return ('.'.join(words[:i]) for i in range(1, len(words) + 1))
