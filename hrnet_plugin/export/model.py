"""Model to export: preprocessing and adapter as one module."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from hrnet_plugin.export.adapters.adapter import Adapter
from hrnet_plugin.export.preprocess import Preprocessing


class ExportableModel(nn.Module):
    """Function of images in their file's values, for all formats of exported files.

    Args:
        preprocessing: Normalization and padding.
        adapter: Model of a host with its postprocessing.
    """

    def __init__(self, preprocessing: Preprocessing, adapter: Adapter) -> None:
        super().__init__()
        self.preprocessing, self.adapter = preprocessing, adapter

    @property
    def outputs(self) -> Mapping[str, Mapping[int, str]]:
        """Name of each output -> names of its dynamic axes."""
        return self.adapter.outputs

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Predict.

        Args:
            images: Images with values from 0 to 255, shape (B, C, H, W).

        Returns:
            Tensors in the order of :attr:`outputs`.
        """
        height, width = images.shape[-2:]
        return self.adapter(self.preprocessing(images), (height, width))
