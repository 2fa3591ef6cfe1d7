"""Export to programs of torch.export."""

from __future__ import annotations

import io

import torch
from torch import Tensor
from torch.export import Dim

from hrnet_plugin.export.model import ExportableModel
from hrnet_plugin.export.targets.target import Target
from hrnet_plugin.prediction.metadata import METADATA_KEY, ExportMetadata
from hrnet_plugin.prediction.metadata_json import metadata_to_json
from hrnet_plugin.prediction.runtimes.pt2 import TorchExportRuntime

_EXAMPLE_SIZE = (384, 512)  # several pixels at the coarsest pyramid level, for the same reason


class TorchExportTarget(Target):
    """Program of torch.export, run by torch without this package."""

    name = 'pt2'
    runtime = TorchExportRuntime
    packages = ()

    def export(self, model: ExportableModel, images: Tensor, metadata: ExportMetadata) -> dict[str, bytes]:
        """Export a model with torch.export."""
        if metadata.resizing.mode != 'person':  # crops have one size
            images = images.new_zeros(1, images.shape[1], *_EXAMPLE_SIZE)
        images = images[:1].repeat(2, 1, 1, 1)  # torch.export takes a size of 1 for a constant
        sizes = dict.fromkeys((0, 2, 3), Dim.DYNAMIC)
        file = io.BytesIO()
        with torch.no_grad():
            program = torch.export.export(model, (images, ), dynamic_shapes=(sizes, ))
        torch.export.save(program, file, extra_files={METADATA_KEY: metadata_to_json(metadata)})
        return {self.runtime.suffixes[0]: file.getvalue()}
