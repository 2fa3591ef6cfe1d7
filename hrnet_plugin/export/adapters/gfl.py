"""Adapter of Generalized Focal Loss detectors."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from hrnet_plugin.export.adapters.dense import DenseAdapter


class GFLAdapter(DenseAdapter):
    """Single-stage detector whose head predicts by mmdet's ``GFLHead``, i.e. from distributions of distances."""

    head_type: ClassVar[str] = 'GFLHead'

    def _has_background(self) -> bool:
        """Return False, because scores are sigmoids that include the quality of the box."""
        return False

    def _encode_size(self) -> int:
        """Return the number of channels per encoded box, i.e. bins of four distributions."""
        return 4 * (int(self.head.reg_max) + 1)

    def _read_encoded(self, level: int, priors: Tensor, encoded: Tensor) -> tuple[Tensor, Tensor]:
        """Return the centers of the priors and the expected distances in pixels."""
        probabilities = encoded.unflatten(-1, (4, -1)).softmax(-1)
        distances = (probabilities * self.head.integral.project).sum(-1) * self.head.prior_generator.strides[level][0]
        return (priors[..., :2] + priors[..., 2:]) / 2, distances
