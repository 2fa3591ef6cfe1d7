"""Changes of a module since it was compiled."""

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
    """What a module was when it was compiled. It is compared at every call, in loops that are not Python's."""

    def __init__(self, module: nn.Module) -> None:
        parts = list(module.modules())
        # empty ones are left out: what is added there changes nothing without another change
        self._owned: list[dict[str, Any]] = [
            owned for part in parts for owned in (part._modules, part._parameters, part._buffers) if owned]
        self._hooks = [hooks for part in parts[1:] for hooks in (
            part._forward_hooks, part._forward_pre_hooks, part._backward_hooks, part._backward_pre_hooks)]
        self._layers = parts[1:]
        self._attributes = [part.__dict__ for part in parts[1:]]
        self._convs = [part.__dict__ for part in parts if isinstance(part, _ConvNd)]
        self._norms = [part.__dict__ for part in parts if isinstance(part, _NormBase)]
        # held, so that no other object gets the identity of one that is replaced
        self._held = list(chain.from_iterable(map(dict.values, self._owned)))
        self._tensors = [x for x in self._held if isinstance(x, Tensor) and x.is_floating_point()]
        # with num_batches_tracked, which alone shows that a norm's statistics were updated
        self._counted = [x for x in self._held if isinstance(x, Tensor) and not x.is_inference()]
        weights = [x.detach() for x in self._tensors if x.device.type == 'cpu' and x.dim() > 1 and x.numel()]
        self._samples = [x.as_strided((), (), x.storage_offset()) for x in weights if x.dtype == weights[0].dtype]
        self._fingerprint = self._new_fingerprint()
        self._sampled = self._sample()

    def is_current(self) -> bool:
        """Return True if submodules, weights and modes are what they were and there are no hooks."""
        return (not any(self._hooks) and self._fingerprint == self._new_fingerprint()
                and torch.equal(self._sampled, self._sample()))

    def _new_fingerprint(self) -> list[Any]:
        """Return values that change with a submodule, a weight or a mode. The thread count determines layouts."""
        return [torch.get_num_threads(), *map(id, chain.from_iterable(map(dict.values, self._owned))),
                *map(Tensor.data_ptr, self._tensors), *map(attrgetter('_version'), self._counted),
                *map(attrgetter('training'), self._layers), *map(len, self._attributes),
                *map(_GEOMETRY, self._convs), *map(itemgetter('eps'), self._norms)]

    def _sample(self) -> Tensor:
        """Return one value per weight on the CPU, which shows writes through ``.data``, as EMA hooks make them."""
        return torch.stack(self._samples) if self._samples else torch.zeros(0)
