"""Export to programs of torch.export."""

from __future__ import annotations

import io
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram
from torch.fx.experimental import _config

from hrnet_plugin.export.model import ExportableModel
from hrnet_plugin.export.targets.target import Target
from hrnet_plugin.prediction.metadata import METADATA_KEY, ExportMetadata
from hrnet_plugin.prediction.metadata_json import metadata_to_json
from hrnet_plugin.prediction.runtimes.pt2 import TorchExportRuntime

_EXAMPLE_SIZE = (384, 512)  # several pixels at the coarsest pyramid level, so that reshapes get their general form


class TorchExportTarget(Target):
    """Program of torch.export, run by torch without this package."""

    name = 'pt2'
    runtime = TorchExportRuntime
    packages = ()

    def export(self, model: ExportableModel, images: Tensor, metadata: ExportMetadata) -> dict[str, bytes]:
        """Export a model with torch.export."""
        if metadata.resizing.mode != 'person':  # crops have one size
            images = images.new_zeros(1, images.shape[1], *_EXAMPLE_SIZE)
        file = io.BytesIO()
        program = export_program(model, images)
        torch.export.save(program, file, extra_files={METADATA_KEY: metadata_to_json(metadata)})
        return {self.runtime.suffixes[0]: file.getvalue()}


def export_program(model: nn.Module, images: Tensor) -> ExportedProgram:
    """Export a model with dynamic batch size, height and width.

    Args:
        model: Model in eval mode.
        images: Example input, shape (B, C, H, W). Only C, H and W have an effect.
    """
    images = images[:1].repeat(2, 1, 1, 1)  # torch.export takes a size of 1 for a constant
    sizes = dict.fromkeys((0, 2, 3), Dim.DYNAMIC)
    with torch.no_grad(), _general_sizes():
        program = torch.export.export(model, (images, ), dynamic_shapes=(sizes, ))
    # the remaining guards compare sizes with the example, e.g. even heights before average pooling
    program._guards_code = []
    return program


def _general_sizes() -> AbstractContextManager[object]:
    """Return a context in which torch.export does not distinguish sizes of 0 and 1 from others."""
    config: Any = _config
    exists = hasattr(config, 'backed_size_oblivious')  # older versions of torch lack it
    return config.patch(backed_size_oblivious=True) if exists else nullcontext()
