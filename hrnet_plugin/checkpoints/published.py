"""Published checkpoints from ``published.csv``, with architecture, preprocessing and scores.

Most scores are looked up in the CSV files of ``evaluation/leaderboard/published/``, by the ``key`` of the checkpoint or
its file name. The column ``figures`` contains the others.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
# file of scores -> column -> name of the metric in descriptions
_METRICS: Mapping[str, Mapping[str, str]] = {
    'detection': {'AP': 'box AP', 'mask AP': 'mask AP'},
    'pose': {'AP': 'AP', 'PCKh': 'PCKh', 'PCKh@0.1': 'PCKh@0.1'},
    'segmentation': {'mIoU': 'mIoU'},
}

#: (dataset, split) of splits without public annotations. Configs are not tested on them.
HELD_OUT = {('COCO', 'test-dev2017'), ('Cityscapes', 'test')}
#: Test-time augmentation in the CSV files -> in tables.
TEST_NAMES = {'scales, flip': 'ms+flip', 'flip': 'flip'}


@dataclass(frozen=True)
class Published:
    """Published checkpoint.

    Attributes:
        task: Task of its network.
        publisher: 'official' (the authors), 'open-mmlab', 'timm', 'mmdet', 'mmpose', 'mmseg' or 'mmpretrain'.
        model: Description for users.
        arch: ``arch`` of :class:`~hrnet_plugin.models.HRNet`.
        data: Training data.
        key: Key of its rows in the leaderboard's CSV files. Empty to look them up by file name.
        figures: Scores in the publisher's unit, or empty.
        images: Channel order, and the normalization if it is not that of ImageNet.
        upsampling: Interpolation mode of the fusion in training.
        config: Config for the same network and data, or empty. It is a name, or 'HOST::PATH' for a config of a host
            that differs in the type of the backbone only.
        sha256: First eight digits of the sha256 if the file name contains them, else empty.
        address: Value of ``init_cfg.checkpoint``, a web page, or a file name if the file is in a shared folder.
    """

    task: str
    publisher: str
    model: str
    arch: str
    data: str
    key: str
    figures: str
    images: str
    upsampling: str
    config: str
    sha256: str
    address: str

    @property
    def file_name(self) -> str:
        """Last part of the address."""
        return self.address.rpartition('/')[2]

    @property
    def text(self) -> str:
        """Description in one line."""
        words = f'{self.model}, {self.data} ({self.publisher})'
        return f'{words}: {self.figures}' if self.figures else words


@cache
def published() -> tuple[Published, ...]:
    """Return all rows, sorted by task and publisher."""
    return read_published(PACKAGE)


def read_published(package: Path) -> tuple[Published, ...]:
    """Read the rows and look up their scores.

    Args:
        package: Folder of ``hrnet_plugin`` or of a copy.
    """
    # read as files, because this package must not import evaluation
    scores = _read_scores(package / 'evaluation' / 'leaderboard' / 'published')
    rows = (Published(**row) for row in read_csv(package / 'checkpoints' / 'published.csv'))
    return tuple(replace(row, figures=row.figures or _figures(row, scores)) for row in rows)


def read_csv(file: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with file.open(newline='', encoding='utf-8') as lines:
        return list(csv.DictReader(lines))


def find_by_digest(sha256: str) -> Published | None:
    """Return the published checkpoint with a sha256, or None if it is unknown."""
    return next((row for row in published() if row.sha256 and sha256.startswith(row.sha256)), None)


def _read_scores(folder: Path) -> dict[str, list[tuple[str, str, str]]]:
    """Return key or file name -> (metric, value, conditions) of each score."""
    scores: dict[str, list[tuple[str, str, str]]] = {}
    for task, names in _METRICS.items():
        for row in read_csv(folder / f'{task}.csv'):
            scores.setdefault(row['key'] or row['weights'], []).extend(_row_scores(row, names))
    for row in read_csv(folder / 'unranked.csv'):
        scores.setdefault(row['key'], []).append((row['metric'], row['value'], ''))
    return scores


def _row_scores(row: Mapping[str, str], names: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    held_out = ' on test' if (row['data'], row['split']) in HELD_OUT else ''
    test = f' ({TEST_NAMES[row["test"]]})' if row.get('test') else ''
    # mmpose publishes fractions
    return ((name, str(Decimal(row[column]).scaleb(-2)) if row['source'] == 'mmpose' else row[column], held_out + test)
            for column, name in names.items() if row[column])


def _figures(row: Published, scores: Mapping[str, Sequence[tuple[str, str, str]]]) -> str:
    key = row.key or row.file_name
    return ', '.join(_name_once(scores.get(key, ()))) if key else ''


def _name_once(scores: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    last = ''
    for name, value, conditions in scores:
        yield f'{value}{conditions}' if name == last else f'{name} {value}{conditions}'
        last = name
