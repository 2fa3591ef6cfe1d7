"""Detection of changes to a compiled module."""

from __future__ import annotations

from itertools import chain
from operator import attrgetter, itemgetter
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

_GEOMETRY = itemgetter('stride', 'padding', 'dilation', 'groups')


class ModuleState:
    """Snapshot of a module when it was compiled. Every call compares it, so all loops run in C."""

    def __init__(self, module: nn.Module) -> None:
        parts = list(module.modules())
        # an addition to an empty dict has no effect without another change
        self._owned: list[dict[str, Any]] = [
            owned for part in parts for owned in (part._modules, part._parameters, part._buffers) if owned]
        self._hooks = [hooks for part in parts[1:] for hooks in (
            part._forward_hooks, part._forward_pre_hooks, part._backward_hooks, part._backward_pre_hooks)]
        self._layers = parts[1:]
        self._attributes = [part.__dict__ for part in parts[1:]]
        self._convs = [part.__dict__ for part in parts if isinstance(part, _ConvNd)]
        self._norms = [part.__dict__ for part in parts if isinstance(part, _NormBase)]
        # references keep the ids of replaced objects from being reused
        self._held = list(chain.from_iterable(map(dict.values, self._owned)))
        self._tensors = [x for x in self._held if isinstance(x, Tensor) and x.is_floating_point()]
        # includes num_batches_tracked, the only sign of updated running statistics
        self._counted = [x for x in self._held if isinstance(x, Tensor) and not x.is_inference()]
        weights = [x.detach() for x in self._tensors if x.device.type == 'cpu' and x.dim() > 1 and x.numel()]
        self._samples = [x.as_strided((), (), x.storage_offset()) for x in weights if x.dtype == weights[0].dtype]
        self._fingerprint = self._new_fingerprint()
        self._sampled = self._sample()

    def is_current(self) -> bool:
        """Return True if submodules, weights and modes are unchanged and there are no hooks."""
        return (not any(self._hooks) and self._fingerprint == self._new_fingerprint()
                and torch.equal(self._sampled, self._sample()))

    def _new_fingerprint(self) -> list[Any]:
        """Return values that change with a submodule, weight or mode, or the thread count, which affects prepacking."""
        return [torch.get_num_threads(), *map(id, chain.from_iterable(map(dict.values, self._owned))),
                *map(Tensor.data_ptr, self._tensors), *map(attrgetter('_version'), self._counted),
                *map(attrgetter('training'), self._layers), *map(len, self._attributes),
                *map(_GEOMETRY, self._convs), *map(itemgetter('eps'), self._norms)]

    def _sample(self) -> Tensor:
        """Return one element per CPU weight, to detect writes through ``.data``, e.g. of EMA hooks."""
        return torch.stack(self._samples) if self._samples else torch.zeros(0)
