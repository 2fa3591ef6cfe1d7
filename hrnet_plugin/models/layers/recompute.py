"""Activation checkpointing that updates batch norm statistics once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from hrnet_plugin.tracing import is_tracing


@contextmanager
def frozen_statistics(owner: nn.Module) -> Iterator[None]:
    """Keep the running statistics of batch norms in ``owner`` unchanged, without changing their outputs.

    The momentum is zero in this context. Disabling the statistics instead would change the tensors that are saved for
    the backward pass, which ``torch.utils.checkpoint`` does not allow.
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


def recompute_in_backward(owner: nn.Module, function: Callable[..., Tensor],
                          *args: Tensor | Sequence[Tensor]) -> Tensor:
    """Return ``function(*args)``, with activations recomputed in the backward pass instead of saved.

    The running statistics of batch norms in ``owner`` are updated once, in the forward pass.
    """
    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        return nullcontext(), frozen_statistics(owner)

    return checkpoint(function, *args, use_reentrant=False, context_fn=contexts)


def needs_gradient(*feats: Tensor) -> bool:
    """Return True if any of ``feats`` requires a gradient. Return False during tracing."""
    return not is_tracing() and any(x.requires_grad for x in feats)
