"""What a forward pass leaves behind for the backward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode


class _Storages(TorchDispatchMode):
    """Notes the storage of every tensor that is made, without keeping it alive."""

    def __init__(self) -> None:
        super().__init__()
        # the weak reference also keeps the storage's address from being given to another
        self.made: dict[int, tuple[StorageWeakRef, int]] = {}

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = function(*args, **(kwargs or {}))
        for x in _tensors(out if isinstance(out, (tuple, list)) else (out, )):
            storage = x.untyped_storage()
            self.made.setdefault(storage._cdata, (StorageWeakRef(storage), storage.nbytes()))
        return out


def kept_bytes(run: Callable[[], Iterable[Tensor]], own: Iterable[Tensor]) -> int:
    """Bytes that are held from after a forward pass until its backward pass.

    Exact, and the same in every run: the sizes of all storages made in the pass that are still alive when the outputs
    are not, but the graph behind them is. It does not matter how they are held.

    Args:
        run: The forward pass.
        own: Tensors that are there anyway, such as weights and images.
    """
    known = {x.untyped_storage()._cdata for x in own}
    with _Storages() as storages:
        outs = run()
    graph = [out.grad_fn for out in outs]
    del outs
    kept = sum(size for address, (reference, size) in storages.made.items()
               if address not in known and not reference.expired())
    del graph
    return kept


def _tensors(values: Iterable[Any]) -> Iterable[Tensor]:
    return (x for x in values if isinstance(x, Tensor))
