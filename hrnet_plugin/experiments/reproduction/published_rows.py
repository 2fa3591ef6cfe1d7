"""Published rows with a released checkpoint, and the reasons not to reproduce some of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from hrnet_plugin.checkpoints.published import HELD_OUT, TEST_NAMES, Published, published
from hrnet_plugin.evaluation.leaderboard.entry import Entry
from hrnet_plugin.experiments.reproduction.row import Row
from hrnet_plugin.hosts import host_of_task

#: Suffixes of files. An address without one is that of a web page, from which the file is downloaded by hand.
CHECKPOINT_SUFFIXES = ('.pth', '.pt', '.tar', '.pkl', '.safetensors')
# preprocessing in checkpoints/published.csv -> entries of the config, see docs/reference/checkpoints.md
_PREPROCESSING = {
    'BGR, std 1': ('model.data_preprocessor.mean=[102.9801,115.9465,122.7717]',
                   'model.data_preprocessor.std=[1.0,1.0,1.0]', 'model.data_preprocessor.bgr_to_rgb=False')}
# repository of a row -> entries of the config: its FCOS heads have biases before their norms
_HEADS = {'HRNet-FCOS': ('model.bbox_head.conv_bias=True', )}
# repositories whose boxes are one pixel wider by their definition, see docs/reference/checkpoint_formats.md
_WIDER_BOXES = ('HRNet-Object-Detection', 'HRNet-MaskRCNN-Benchmark')


@dataclass(frozen=True, kw_only=True)
class PublishedRow:
    """Published figures of a released checkpoint.

    Attributes:
        entry: Row of the leaderboard.
        row: Row to reproduce.
        obstacle: Reason not to reproduce it. Empty if it can be reproduced.
    """

    entry: Entry
    row: Row
    obstacle: str


def published_rows(entries: Iterable[Entry]) -> list[PublishedRow]:
    """Return the rows with a released checkpoint, in the order of ``entries``.

    Args:
        entries: Published rows of the leaderboard.
    """
    checkpoints = published()
    by_name = {checkpoint.key or checkpoint.file_name: checkpoint for checkpoint in checkpoints}
    found = ((entry, by_name.get(entry.key or entry.weights)) for entry in entries if entry.key or entry.weights)
    return [PublishedRow(entry=entry, row=_row(entry, checkpoint, checkpoints), obstacle=_obstacle(entry, checkpoint))
            for entry, checkpoint in found if checkpoint is not None]


def is_file_address(address: str) -> bool:
    """Return True if an address leads to a file and not to a web page about it."""
    scheme = urlsplit(address).scheme
    return bool(scheme) and (scheme not in ('http', 'https') or urlsplit(address).path.endswith(CHECKPOINT_SUFFIXES))


def _row(entry: Entry, checkpoint: Published, checkpoints: Sequence[Published]) -> Row:
    stem, test = checkpoint.key or checkpoint.file_name.removesuffix('.pth'), entry.conditions.test
    is_named = checkpoint.address.endswith(CHECKPOINT_SUFFIXES)
    return Row(
        name=f'{stem}+{TEST_NAMES[test]}' if test else stem, config=checkpoint.config, address=checkpoint.address,
        file=checkpoint.file_name if is_named else f'{checkpoint.key}.pth', sha256=checkpoint.sha256,
        expected={name: value for name, value in entry.scores.metrics.items() if value is not None},
        data=entry.data.data, split=entry.data.split, test=test,
        options=(*_PREPROCESSING.get(checkpoint.images, ()), *_HEADS.get(entry.place, ())),
        ms=entry.conditions.ms, machine=entry.conditions.machine, note=_note(entry, checkpoint, checkpoints))


def _obstacle(entry: Entry, checkpoint: Published) -> str:
    split = (entry.data.data, entry.data.split)
    if split in HELD_OUT:
        return f'the annotations of {" ".join(split)} are not public'
    if '::' in checkpoint.config:
        return f'the config is one of {checkpoint.config.partition("::")[0]}, which is not shipped'
    if not checkpoint.config:
        return 'no config of this network and dataset is shipped'
    return '' if split in host_of_task(entry.task).splits else f'the size of {" ".join(split)} is unknown'


def _note(entry: Entry, checkpoint: Published, checkpoints: Sequence[Published]) -> str:
    others = [other.key for other in checkpoints if other.address == checkpoint.address and other != checkpoint]
    notes = [f'the source has the same address for {", ".join(others)}'] if others else []
    if entry.place in _WIDER_BOXES:
        notes.append('boxes were one pixel wider by definition')
    return '; '.join(notes)
