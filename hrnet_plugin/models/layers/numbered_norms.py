"""Norm layers whose state-dict keys depend on their type."""

from __future__ import annotations

from torch import nn

from hrnet_plugin.models.layers.conv import LayerConfig


class NumberedNorms(nn.Module):
    """Module with norm layers named by type and number, such as 'bn1' or 'gn1'.

    They are also available as ``norm1``, ``norm2`` and ``norm3``, as in the upstream networks.
    """

    norm1 = property(lambda self: getattr(self, self.norm1_name))
    norm2 = property(lambda self: getattr(self, self.norm2_name))
    norm3 = property(lambda self: getattr(self, self.norm3_name))

    def add_norm(self, number: int, channels: int, layers: LayerConfig) -> None:
        """Build a norm layer of ``channels`` channels and add it as ``norm{number}``."""
        name, norm = layers.norm(channels, number)
        setattr(self, f'norm{number}_name', name)
        self.add_module(name, norm)
