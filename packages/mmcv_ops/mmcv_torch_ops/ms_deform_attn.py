"""Multi-scale deformable attention on PyTorch's grid sampling."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from mmcv_torch_ops.backend import widen
from mmcv_torch_ops.eager import eager, nondeterministic


@eager
def ms_deform_attn_forward(value: Tensor, value_spatial_shapes: Tensor, value_level_start_index: Tensor,
                           sampling_locations: Tensor, attention_weights: Tensor, im2col_step: int) -> Tensor:
    """Sum bilinear samples of the feature maps of all levels, weighted by attention.

    Args:
        value: Flattened feature maps of all levels, shape (N, K, M, D) for M heads of D channels.
        value_spatial_shapes: Height and width of each level, int64, shape (L, 2).
        value_level_start_index: Index of each level's first pixel among the K, int64, shape (L,).
        sampling_locations: Locations (x, y) in [0, 1] of a feature map, shape (N, Q, M, L, P, 2).
        attention_weights: Weight of each sample, shape (N, Q, M, L, P).
        im2col_step: Not used.

    Returns:
        Attended features, shape (N, Q, M * D).
    """
    values, locations, weights = widen(value), widen(sampling_locations), widen(attention_weights)
    batch, _, heads, channels = value.shape
    queries = locations.shape[1]
    output = values.new_zeros(batch * heads, channels, queries)
    if output.numel():
        for level, (pixels, shape) in enumerate(_levels(value_spatial_shapes, value_level_start_index)):
            samples = _sample(_feature_map(values[:, pixels], shape), _grid(locations, level))
            output += samples.mul_(_level_weights(weights, level)).sum(-1)
    return output.view(batch, heads * channels, queries).transpose(1, 2).to(value.dtype).contiguous()


@eager
def ms_deform_attn_backward(value: Tensor, value_spatial_shapes: Tensor, value_level_start_index: Tensor,
                            sampling_locations: Tensor, attention_weights: Tensor, grad_output: Tensor,
                            grad_value: Tensor, grad_sampling_loc: Tensor, grad_attn_weight: Tensor,
                            im2col_step: int) -> None:
    """Compute the gradients of ``ms_deform_attn_forward``.

    They are added to ``grad_value``, ``grad_sampling_loc`` and ``grad_attn_weight``, which have the shapes of their
    tensors. ``grad_output`` has the shape of the output, (N, Q, M * D). The other arguments are those of
    ``ms_deform_attn_forward``.
    """
    if not grad_output.numel():
        return
    values, locations, weights = widen(value), widen(sampling_locations), widen(attention_weights)
    batch, _, heads, channels = value.shape
    grad = widen(grad_output).transpose(1, 2).reshape(batch * heads, channels, -1, 1)
    for level, (pixels, shape) in enumerate(_levels(value_spatial_shapes, value_level_start_index)):
        features, grid = _feature_map(values[:, pixels], shape), _grid(locations, level)
        grad_weights = (_sample(features, grid) * grad).sum(1)
        grad_features, grad_grid = _sample_backward(grad * _level_weights(weights, level), features, grid)
        grad_value[:, pixels] += _unflatten(grad_features.flatten(2), batch).permute(0, 3, 1, 2)
        grad_sampling_loc[:, :, :, level] += 2 * _unflatten(grad_grid, batch).transpose(1, 2)
        grad_attn_weight[:, :, :, level] += _unflatten(grad_weights, batch).transpose(1, 2)


def _levels(spatial_shapes: Tensor, start_index: Tensor) -> Iterator[tuple[slice, tuple[int, int]]]:
    """Yield for each level the range of its pixels, and its height and width."""
    for (height, width), start in zip(spatial_shapes.tolist(), start_index.tolist()):
        yield slice(start, start + height * width), (height, width)


def _feature_map(values: Tensor, shape: tuple[int, int]) -> Tensor:
    """Turn the values of a level, (N, H * W, M, D), into feature maps, (N * M, D, H, W)."""
    return values.permute(0, 2, 3, 1).flatten(0, 1).unflatten(2, shape)


def _grid(locations: Tensor, level: int) -> Tensor:
    """Turn locations in [0, 1], (N, Q, M, L, P, 2), into a level's grid in [-1, 1], (N * M, Q, P, 2)."""
    return 2 * locations[:, :, :, level].transpose(1, 2).flatten(0, 1) - 1


def _level_weights(weights: Tensor, level: int) -> Tensor:
    """Select a level's attention weights, (N, Q, M, L, P), as (N * M, 1, Q, P)."""
    return weights[:, :, :, level].transpose(1, 2).flatten(0, 1)[:, None]


def _unflatten(tensor: Tensor, batch: int) -> Tensor:
    """Split the first dimension, (N * M, ...), into batch and heads, (N, M, ...)."""
    return tensor.unflatten(0, (batch, -1))


def _sample(features: Tensor, grid: Tensor) -> Tensor:
    """Sample feature maps (N * M, D, H, W) at a grid (N * M, Q, P, 2) bilinearly, as (N * M, D, Q, P)."""
    return F.grid_sample(features, grid, mode='bilinear', padding_mode='zeros', align_corners=False)


def _sample_backward(grad: Tensor, features: Tensor, grid: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the gradients of ``_sample`` with respect to feature maps and grid."""
    bilinear = zeros = 0
    with nondeterministic(grad.device):
        grads: tuple[Tensor, Tensor] = torch.ops.aten.grid_sampler_2d_backward(
            grad, features, grid, bilinear, zeros, False, [True, True])
    return grads
