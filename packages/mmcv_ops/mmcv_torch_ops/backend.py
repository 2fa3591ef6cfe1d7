"""Operators of torchvision, and conversions of types and memory formats for all operators."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

try:
    import torchvision  # noqa: F401  (registers torch.ops.torchvision)
except RuntimeError as error:
    raise ImportError(f'torchvision must be built for torch {torch.__version__}, got the error: {error}. '
                      'Install a matching pair of torch and torchvision.') from error

operators: Any = torch.ops.torchvision


def widen(tensor: Tensor) -> Tensor:
    """Make a tensor contiguous, and convert float16 and bfloat16 to float32.

    Kernels read their inputs as contiguous NCHW. Half types are computed in float32, as under autocast, since
    coordinates above 256 pixels have no fractions in bfloat16.
    """
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32)).contiguous()


def pixel_rows(features: Tensor) -> Tensor:
    """Return the pixels of a feature map (N, C, H, W) as rows, shape (N * H * W, C), for embedding bags."""
    return features.permute(0, 2, 3, 1).reshape(-1, features.shape[1])
