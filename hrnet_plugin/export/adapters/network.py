"""Adapter of backbone and neck."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from hrnet_plugin.export.adapters.adapter import Adapter


class NetworkAdapter(Adapter):
    """Backbone and neck, whose outputs are feature maps.

    Args:
        model: Model of a host in eval mode.
        num_outputs: Number of feature maps.
    """

    def __init__(self, model: nn.Module, *, num_outputs: int) -> None:
        super().__init__(model)
        self.outputs = {f'feature_{i}': {0: 'batch', 2: f'height_{i}', 3: f'width_{i}'} for i in range(num_outputs)}

    @classmethod
    def accepts(cls, model: nn.Module) -> bool:
        """Return True for models with a backbone."""
        return hasattr(model, 'backbone')

    def forward(self, images: Tensor, size: tuple[int, int]) -> tuple[Tensor, ...]:
        """Compute the feature maps of padded images, finest first."""
        model: Any = self.model
        feats = model.extract_feat(images)
        return (feats, ) if isinstance(feats, Tensor) else tuple(feats)
