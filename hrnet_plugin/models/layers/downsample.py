"""How a map is brought to a coarser resolution without weights."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class BilinearDownsampling(nn.Module):
    """Bilinear interpolation, in one step, to the size that ``halvings`` convolutions of stride 2 give.

    Args:
        halvings: How many times the size is halved, rounding up.
    """

    def __init__(self, halvings: int) -> None:
        super().__init__()
        self.halvings = halvings

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, C, H, W)`` to ``(N, C, ceil(H / 2**halvings), ceil(W / 2**halvings))``."""
        size = [-(-length // 2**self.halvings) for length in x.shape[-2:]]
        return F.interpolate(x, size=size, mode='bilinear', align_corners=False)

    def extra_repr(self) -> str:
        return f'halvings={self.halvings}'
