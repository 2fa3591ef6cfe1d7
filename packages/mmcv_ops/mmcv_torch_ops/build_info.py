"""Build information for ``mmcv.ops`` and the environment reports of OpenMMLab."""

from __future__ import annotations

import torch

from mmcv_torch_ops.version import ORIGIN


def get_compiler_version() -> str:
    """Return the origin of the operators in place of a compiler version."""
    return f'none ({ORIGIN})'


def get_compiling_cuda_version() -> str:
    """Return the CUDA version of PyTorch, or 'not available' for a CPU build."""
    return torch.version.cuda or 'not available'
