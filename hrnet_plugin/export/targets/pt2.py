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


class TorchExportTarget(Target):
    """Program of torch.export, run by torch without this package."""

    name = 'pt2'
    runtime = TorchExportRuntime
    packages = ()

    def export(self, model: ExportableModel, images: Tensor, metadata: ExportMetadata) -> dict[str, bytes]:
        """Export a model with torch.export."""
        if len(images) == 1:
            images = torch.cat([images, images])  # torch.export takes a size of 1 for a constant
        sizes = dict.fromkeys((0, 2, 3), Dim.DYNAMIC)
        file = io.BytesIO()
        with torch.no_grad():
            program = torch.export.export(model, (images, ), dynamic_shapes=(sizes, ))
        torch.export.save(program, file, extra_files={METADATA_KEY: metadata_to_json(metadata)})
        return {self.runtime.suffixes[0]: file.getvalue()}
