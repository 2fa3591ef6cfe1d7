"""Programs of torch.export in torch."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray

from hrnet_plugin.prediction.metadata import METADATA_KEY
from hrnet_plugin.prediction.runtimes.runtime import Outputs, Runtime, check_names, invalid_model, read_metadata

_MAX_METADATA_BYTES = 2**24


class TorchExportRuntime(Runtime):
    """Program of torch.export on the CPU. Loading a program can run any code: see SECURITY.md."""

    suffixes = ('.pt2', )
    package = 'torch'

    def __init__(self, files: Mapping[str, bytes], source: str) -> None:
        import torchvision  # noqa: F401  (registers NMS and RoIAlign)
        with invalid_model(source, 'a program of torch.export'):
            text = _find_metadata(files['.pt2'])
        self.metadata = read_metadata(text, source)  # before the program is loaded
        with invalid_model(source, 'a program of torch.export'):
            program = torch.export.load(io.BytesIO(files['.pt2']))
            self._module = program.module()
        check_names(source, self.metadata, program.graph_signature.user_inputs, self.metadata.outputs)

    def run(self, images: NDArray[np.float32]) -> Outputs:
        """Predict on images of shape (B, C, H, W)."""
        with torch.inference_mode():
            outputs = self._module(torch.from_numpy(images))
        return dict(zip(self.metadata.outputs, (output.numpy() for output in outputs)))


def _find_metadata(content: bytes) -> str | None:
    """Return the metadata of a program without loading it."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for info in archive.infolist():
            if info.filename.partition('/')[2] == f'extra/{METADATA_KEY}' and info.file_size <= _MAX_METADATA_BYTES:
                return archive.read(info).decode()
    return None
