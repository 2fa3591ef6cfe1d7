"""RoIs without padding, and their features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from hrnet_plugin.export.adapters.adapter import UnsupportedModel
from hrnet_plugin.export.adapters.host_types import has_methods
from hrnet_plugin.export.operators import roi_align


class RoIs(NamedTuple):
    """Boxes of all images in one tensor, without padding.

    Attributes:
        boxes: Image index and box (x1, y1, x2, y2) in pixels, shape (R, 5).
        slots: Index of each box in the padded boxes, whose batch and box axes are flattened, shape (R,).
    """

    boxes: Tensor
    slots: Tensor

    def reorder(self, order: Tensor) -> RoIs:
        """Return the RoIs at the indices ``order``."""
        return RoIs(self.boxes[order], self.slots[order])


def select_rois(boxes: Tensor, is_valid: Tensor) -> RoIs:
    """Return the valid boxes.

    Args:
        boxes: Padded boxes (x1, y1, x2, y2) in pixels, shape (B, N, 4).
        is_valid: Mask of the boxes that are no padding, shape (B, N).
    """
    images, indices = is_valid.nonzero().unbind(1)
    rois = torch.cat([images[:, None].to(boxes.dtype), boxes[images, indices]], 1)
    return RoIs(rois, images * boxes.shape[1] + indices)


def pad_rois(values: Tensor, rois: RoIs, like: Tensor, fill: float = 0.) -> Tensor:
    """Return values of RoIs at the places of the padded boxes.

    Args:
        values: Values, shape (R, ...).
        rois: RoIs, in the order of the values.
        like: Tensor of shape (B, N, ...).
        fill: Value of the padding.

    Returns:
        Values, shape (B, N, ...).
    """
    padded = values.new_full((like.shape[0] * like.shape[1], *values.shape[1:]), fill)
    padded[rois.slots] = values
    return padded.view(like.shape[0], like.shape[1], *values.shape[1:])


@dataclass(frozen=True)
class RoIPooling:
    """Features of RoIs, each from the level of the pyramid for its size.

    Attributes:
        scales: Size of each level's feature map divided by that of the image.
        finest_scale: RoIs of at least twice this size are not pooled from the first level. The bounds of the other
            levels double.
        output_size: Height and width of the result.
        sampling_ratio: Samples per bin and direction. 0 for as many as the bin has pixels.
        aligned: Whether pixel centers are at half coordinates.
    """

    scales: tuple[float, ...]
    finest_scale: float
    output_size: tuple[int, int]
    sampling_ratio: int
    aligned: bool

    @classmethod
    def read(cls, extractor: Any) -> RoIPooling:
        """Return the pooling of mmdet's SingleRoIExtractor.

        Raises:
            UnsupportedModel: If a layer is no RoIAlign with average pooling.
        """
        layers = list(extractor.roi_layers)
        for layer in layers:
            if not has_methods(layer, 'RoIAlign', 'forward') or layer.pool_mode != 'avg':
                raise UnsupportedModel(f'roi_layer must be RoIAlign with average pooling, got {layer}. Export the '
                                       'network by --part network')
        first = layers[0]
        return cls(tuple(layer.spatial_scale for layer in layers), extractor.finest_scale, tuple(first.output_size),
                   first.sampling_ratio, first.aligned)

    def __call__(self, feats: Sequence[Tensor], rois: RoIs) -> tuple[Tensor, Tensor]:
        """Pool features, grouped by level. No tensor of all features is written twice.

        Args:
            feats: Feature maps of the pyramid, each of shape (B, C, H, W). Further levels are ignored.
            rois: RoIs.

        Returns:
            Features, shape (R, C, *output_size), and the index of the RoI of each, shape (R,).
        """
        groups = self._group_by_level(rois.boxes)
        pooled = [
            roi_align(feat, rois.boxes[group], self.output_size, scale, self.sampling_ratio, self.aligned)
            for feat, scale, group in zip(feats, self.scales, groups)]
        return torch.cat(pooled), torch.cat(groups)

    def _group_by_level(self, boxes: Tensor) -> list[Tensor]:
        """Return the indices of the RoIs of each level."""
        widths, heights = (boxes[:, 3:] - boxes[:, 1:3]).unbind(1)
        relative = torch.sqrt(widths * heights) / self.finest_scale + 1e-6
        levels = torch.zeros_like(relative, dtype=torch.long)
        for level in range(1, len(self.scales)):
            levels = levels + (relative >= 2. ** level)
        return [(levels == level).nonzero()[:, 0] for level in range(len(self.scales))]
