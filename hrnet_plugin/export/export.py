"""Export of models to files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from torch import Tensor

from hrnet_plugin.config_files import build_lazily, find_test_dataset
from hrnet_plugin.export.adapters.adapter import Adapter
from hrnet_plugin.export.adapters.network import NetworkAdapter
from hrnet_plugin.export.families import find_adapter
from hrnet_plugin.export.metadata import describe_export
from hrnet_plugin.export.model import ExportableModel
from hrnet_plugin.export.parity.compare import Tally
from hrnet_plugin.export.parity.gate import check_parity
from hrnet_plugin.export.parity.reference import Reference
from hrnet_plugin.export.parity.thresholds import LOWERED, lower_thresholds
from hrnet_plugin.export.preprocess import Preprocessing, reverses_channels
from hrnet_plugin.export.resizing import channel_order
from hrnet_plugin.export.rewriting import rewrite_networks
from hrnet_plugin.export.targets.target import Target
from hrnet_plugin.files import atomic_writes
from hrnet_plugin.hosts import config_image_channels
from hrnet_plugin.prediction.metadata import ExportMetadata
from hrnet_plugin.prediction.model import load_model

#: Parts of a model that can be exported.
PARTS = ('model', 'network')
_EXAMPLE_SIZE = 64  # height and width


@dataclass(frozen=True, kw_only=True)
class ExportReport:
    """Result of an export.

    Attributes:
        files: Written files.
        metadata: Description of the model.
        tally: Results that were compared with PyTorch, and their largest differences.
        sizes: Sizes of the compared images.
        threshold: Score threshold of the comparison. None for that of the config.
    """

    files: tuple[Path, ...]
    metadata: ExportMetadata
    tally: Tally
    sizes: tuple[str, ...]
    threshold: float | None = None


def export_model(config: Config, checkpoint: str, target: Target, out: Path, part: str = 'model') -> ExportReport:
    """Export a model, compare the exported model with PyTorch, and write it if they agree.

    Args:
        config: Config of the model.
        checkpoint: Path or address of the checkpoint.
        target: Format.
        out: File to write, with the first suffix of the format.
        part: 'model', or 'network' for backbone and neck.

    Raises:
        OSError: If the checkpoint cannot be read or a file cannot be written.
        ValueError: If the model cannot be exported, or differs from PyTorch. No file is written.
    """
    with atomic_writes(out.parent) as scratch:
        # at once, so that a folder without write permission is known before the export
        paths = {suffix: out.with_suffix(suffix) for suffix in target.runtime.suffixes}
        scratches = {suffix: scratch(path.name) for suffix, path in paths.items()}
        model = load_model(config, checkpoint)
        files, metadata = _export(config, model, checkpoint, target, part)
        tally, sizes = check_parity(target.load(files), Reference(config, model, metadata), metadata)
        threshold = None
        if metadata.task == 'detection' and not tally.compared.get('detections'):
            threshold, lowered = LOWERED, lower_thresholds(model)
            others, _ = _export(config, lowered, checkpoint, target, part)
            tally, sizes = check_parity(target.load(others), Reference(config, lowered, metadata), metadata)
        for suffix, content in files.items():
            scratches[suffix].write_bytes(content)
    return ExportReport(files=tuple(paths.values()), metadata=metadata, tally=tally, sizes=sizes, threshold=threshold)


def _export(config: Config, model: BaseModel, checkpoint: str, target: Target, part: str
            ) -> tuple[dict[str, bytes], ExportMetadata]:
    """Return the content of the files by suffix, and the metadata in them."""
    exportable = make_exportable(config, model, part)
    metadata = describe_export(config, model, checkpoint, exportable.adapter, part)
    return target.export(exportable, _example(metadata), metadata), metadata


def make_exportable(config: Config, model: Any, part: str) -> ExportableModel:
    """Return a model as a function of images for :class:`~hrnet_plugin.export.targets.Target`.

    Args:
        config: Config of the model.
        model: Model of a host in eval mode. It is not changed.
        part: 'model' or 'network'.

    Raises:
        UnsupportedModel: If no adapter accepts the whole model.
    """
    flips = channel_order(config) == 'RGB' and not reverses_channels(model.data_preprocessor)
    preprocessing = Preprocessing(model.data_preprocessor, flip_channels=flips)
    rewritten: Any = rewrite_networks(model)
    adapter: Adapter
    if part == 'network':
        example = preprocessing(torch.zeros(1, config_image_channels(config.model), _EXAMPLE_SIZE, _EXAMPLE_SIZE))
        with torch.no_grad():
            adapter = NetworkAdapter(rewritten, num_outputs=len(model.extract_feat(example)))
    else:
        # as in the inferencers of the hosts; adapters read the order of mirrored keypoints
        rewritten.dataset_meta = build_lazily(find_test_dataset(config), config.get('default_scope')).metainfo
        adapter = find_adapter(model)(rewritten)
    exportable = ExportableModel(preprocessing, adapter)
    return exportable.eval()


def _example(metadata: ExportMetadata) -> Tensor:
    """Return an input for tracing."""
    width, height = _EXAMPLE_SIZE, 2 * _EXAMPLE_SIZE
    if metadata.resizing.mode == 'person' and metadata.resizing.size is not None:
        width, height = metadata.resizing.size
    return torch.zeros(1, metadata.channels, height, width)
