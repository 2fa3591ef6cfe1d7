"""Operators of rewritten graphs."""

from __future__ import annotations

from torch import Tensor


def add(left: Tensor | float, right: Tensor | float) -> Tensor | float:
    """Return the sum of two tensors or numbers."""
    return left + right


def add_into(total: Tensor, term: Tensor | float) -> Tensor:
    """Add ``term`` to ``total``, in place where the sum has the shape of ``total``."""
    return total.add_(term) if isinstance(term, Tensor) and total.shape == term.shape else total + term


def relu_into(x: Tensor) -> Tensor:
    """Apply ReLU in place."""
    return x.relu_()
