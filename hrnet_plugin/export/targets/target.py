"""Base class of the formats of exported files."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from hrnet_plugin.export.model import ExportableModel
from hrnet_plugin.prediction.metadata import ExportMetadata
from hrnet_plugin.prediction.runtimes.runtime import Outputs, Runtime

#: Function that predicts on images of shape (B, C, H, W) and returns name -> output.
Run = Callable[[NDArray[np.float32]], Outputs]


class Target(ABC):
    """Format of exported files, and its runtime.

    Attributes:
        name: Name for the option ``--to``.
        runtime: Runtime, which defines the suffixes of the files.
        packages: Packages that the export and its check import, and that may be missing.
    """

    name: ClassVar[str]
    runtime: ClassVar[type[Runtime]]
    packages: ClassVar[tuple[str, ...]]

    @abstractmethod
    def export(self, model: ExportableModel, images: Tensor, metadata: ExportMetadata) -> dict[str, bytes]:
        """Export a model with dynamic batch size, height and width.

        Args:
            model: Model in eval mode.
            images: Example input. Its values have no effect.
            metadata: Metadata to store in the file.

        Returns:
            Suffix -> content of the file.
        """

    def load(self, files: Mapping[str, bytes]) -> Run:
        """Load an exported model with the runtime of the format.

        Args:
            files: Suffix -> content of the file.
        """
        return self.runtime(files, 'the exported model').run
