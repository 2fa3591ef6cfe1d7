"""Shapes of outputs by shapes of inputs."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Size, Tensor

_MAX_SHAPES = 256


class ShapeCache:
    """Output shapes of a function for the latest input shapes. With them, outputs can be allocated in advance."""

    def __init__(self) -> None:
        self._shapes: dict[tuple[Size, ...], tuple[Size, ...]] = {}

    def find(self, inputs: Sequence[Tensor]) -> tuple[Size, ...] | None:
        """Return the output shapes for inputs, or None if they are unknown."""
        return self._shapes.get(tuple(x.shape for x in inputs))

    def store(self, inputs: Sequence[Tensor], outs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Store the output shapes for inputs, and return the outputs."""
        if len(self._shapes) >= _MAX_SHAPES:
            self._shapes.clear()
        self._shapes[tuple(x.shape for x in inputs)] = tuple(out.shape for out in outs)
        return outs
