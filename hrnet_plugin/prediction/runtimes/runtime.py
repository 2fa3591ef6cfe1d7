"""Base class of the runtimes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hrnet_plugin.prediction.metadata import ExportMetadata
from hrnet_plugin.prediction.metadata_json import metadata_from_json

#: Name of the input.
INPUT = 'images'
#: Name -> output of an exported model.
Outputs = Mapping[str, NDArray[Any]]


class Runtime(ABC):
    """Exported model in memory. Each runtime uses as many threads as torch.

    Args:
        files: Suffix -> content of each file of the model.
        source: Name of the first file for messages.

    Attributes:
        suffixes: Suffixes of the files of one model. The user names the first one, and the others are beside it.
        package: Package that runs the model.
        metadata: Description of the model.

    Raises:
        ImportError: If the package is not installed.
        ValueError: If the files are no exported model of the format. The message has one line.
    """

    suffixes: ClassVar[tuple[str, ...]]
    package: ClassVar[str]
    metadata: ExportMetadata

    @abstractmethod
    def __init__(self, files: Mapping[str, bytes], source: str) -> None: ...

    @abstractmethod
    def run(self, images: NDArray[np.float32]) -> Outputs:
        """Predict on images of shape (B, C, H, W)."""


@contextmanager
def invalid_model(source: str, kind: str) -> Iterator[None]:
    """Turn the errors of a package into ValueErrors of one line.

    Args:
        source: Name of the file.
        kind: Format for the message, e.g. 'an ONNX model'.
    """
    try:
        yield
    except (ImportError, MemoryError):
        raise
    except Exception as error:  # packages have their own types
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        cause = lines[-1] if lines else type(error).__name__
        raise ValueError(f'{source} must be {kind}, got: {cause:.300}') from error


def read_metadata(text: str | None, source: str) -> ExportMetadata:
    """Read the metadata of a file.

    Args:
        text: JSON, or None if the file has none.
        source: Name of the file for messages.

    Raises:
        ValueError: If the metadata are missing or invalid.
    """
    if text is None:
        raise ValueError(f'{source} must be a model exported by hrnet_plugin, got one without metadata. Export it with '
                         'hrnet export')
    return metadata_from_json(text, source)


def check_names(source: str, metadata: ExportMetadata, inputs: tuple[str, ...], outputs: tuple[str, ...]) -> None:
    """Raise ValueError unless the inputs and outputs of a model are those of its metadata."""
    if inputs != (INPUT, ) or outputs != metadata.outputs:
        raise ValueError(f'{source} must have the input {INPUT} and the outputs {", ".join(metadata.outputs)}, got '
                         f'{", ".join(inputs):.200} and {", ".join(outputs):.200}. Export it again.')
