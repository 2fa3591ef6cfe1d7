"""The table of published checkpoints, ``published.csv``: what each file is, and what its network expects."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Published:
    """A row: a file that somebody has published.

    Attributes:
        task: What its network is for.
        publisher: 'official' (the authors' codes), 'open-mmlab', 'timm', 'mmdet', 'mmpose', 'mmseg' or 'mmpretrain'.
        model: For people.
        arch: Of :class:`~hrnet_plugin.models.HRNet`.
        data: What it was trained on.
        figures: As published; empty if there are none.
        images: Order of colours, and normalisation where it is not ImageNet's.
        upsampling: In the fusion, with which the weights were trained.
        config: Name of one of this package's configs for the same network and data, or a host's, such as
            'mmseg::hrnet/....py', in which the backbone's type is all to change; empty if there is neither.
        sha256: First eight digits of the file's digest, where its name has them.
        address: For ``init_cfg``, or for people where it is a page; a file name alone where it lies in a shared folder.
    """

    task: str
    publisher: str
    model: str
    arch: str
    data: str
    figures: str
    images: str
    upsampling: str
    config: str
    sha256: str
    address: str

    @property
    def text(self) -> str:
        """For people, in a line."""
        words = f'{self.model}, {self.data} ({self.publisher})'
        return f'{words}: {self.figures}' if self.figures else words


@cache
def published() -> tuple[Published, ...]:
    """All rows, by task and publisher."""
    with (Path(__file__).parent / 'published.csv').open(newline='', encoding='utf-8') as file:
        return tuple(Published(**row) for row in csv.DictReader(file))


def with_digest(sha256: str) -> Published | None:
    """The published file with a digest, or None if no file's name says that it has this one."""
    return next((row for row in published() if row.sha256 and sha256.startswith(row.sha256)), None)
