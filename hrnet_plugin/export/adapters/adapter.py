"""Base class of the adapters."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from hrnet_plugin.prediction.metadata import Sliding


class UnsupportedModel(ValueError):
    """Error that states in one line why a model cannot be exported as a whole."""


class Adapter(nn.Module):
    """Whole model as a function of tensors. The modules of the host compute all convolutions.

    All operations have a form in ONNX opset 17 and in torch.export, and allow any batch size and image size.

    Args:
        model: Model of a host in eval mode.

    Attributes:
        outputs: Name of each output of :meth:`forward` -> names of its dynamic axes.
        mask_threshold: Minimum probability of pixels in masks, or of label 1 with one output channel, or None.
        align_corners: Interpolation of ``logits``. Segmentation only.
        sliding: Windows of segmentors that predict crops, or None.
    """

    outputs: Mapping[str, Mapping[int, str]] = {}
    mask_threshold: float | None = None
    align_corners = False
    sliding: Sliding | None = None

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    @classmethod
    def accepts(cls, model: nn.Module) -> bool:
        """Return True if this adapter is for the model's kind of heads."""
        raise NotImplementedError

    def forward(self, images: Tensor, size: tuple[int, int]) -> tuple[Tensor, ...]:
        """Predict.

        Args:
            images: Normalized images, shape (B, C, H, W), padded to the model's size divisor.
            size: Height and width before the padding.

        Returns:
            Tensors in the order of :attr:`outputs`.
        """
        raise NotImplementedError
