"""Recomputing activations in the backward pass without counting them twice in the norm statistics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from hrnet_plugin.tracing import is_tracing


@contextmanager
def frozen_statistics(owner: nn.Module) -> Iterator[None]:
    """Let the batch norms of ``owner`` normalise as before but leave their running statistics alone.

    Their momentum is zero meanwhile. Turning the statistics off instead would change which tensors are kept for the
    backward pass, and torch's checkpoint insists that they are the same.
    """
    norms = [norm for norm in owner.modules() if isinstance(norm, _BatchNorm) and norm.training]
    kept = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
        if norm.num_batches_tracked is not None:
            norm.num_batches_tracked = norm.num_batches_tracked.clone()
    try:
        yield
    finally:
        for norm, (momentum, count) in zip(norms, kept):
            norm.momentum, norm.num_batches_tracked = momentum, count


def recomputed(owner: nn.Module, function: Callable[..., Tensor], *args: Tensor | Sequence[Tensor]) -> Tensor:
    """``function(*args)``, its inside computed again in the backward pass instead of kept.

    The running statistics of the norms in ``owner`` are updated once, in the forward pass.
    """
    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), frozen_statistics(owner)

    return checkpoint(function, *args, use_reentrant=False, context_fn=contexts)


def needs_gradient(*feats: Tensor) -> bool:
    """Return True if gradients of ``feats`` are computed. False under tracers, which cannot tell."""
    return not is_tracing() and any(x.requires_grad for x in feats)
