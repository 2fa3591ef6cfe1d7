"""A row of the leaderboard, published or measured."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

OWN = 'own'
_PAIRS = {'2^30': 2**30, '2^20': 2**20, '1e9': 1e9, '1e6': 1e6}


@dataclass(frozen=True)
class Entry:
    """What is known of a model's figures.

    Attributes:
        task: 'detection', 'pose' or 'segmentation'.
        source: 'paper', 'official' (the authors' repositories), 'mmdet', 'mmpose', 'mmseg', or 'own'.
        place: Where there: a table, a repository, a folder of configs; a config's name of an own one.
        method: Framework or head.
        backbone: With what reads it: 'HRNetV2p-W32', 'ResNet-50-FPN'.
        schedule: Length of the training, as the field writes it; empty where nothing is said.
        data: Name of the data set.
        split: Of it.
        note: What else sets it apart from rows with the same names.
        size: Of a person's image, 'HEIGHTxWIDTH'; empty for other tasks.
        test: 'scales, flip' or 'flip' where predictions of several images are averaged; empty if not.
        metrics: Name -> per cent.
        params: Weights in the unit's millions, or None.
        gflops: Operations in the unit's billions, or None.
        unit: In which both were counted; empty where nothing was.
        ms: Milliseconds for an image, or None.
        memory: Peak of a device's memory, or without one of the process's, in a test, in GB, or None.
        training_memory: GB while the model is trained, for one device, or None.
        machine: On which the time was measured, and in what batches, if of more than one image.
        weights: Name of the published file.
        store: Of an own record: name of the file.
        number: Of the record in it, or None.
        images: How many an own row was measured on, or None.
        whole: Whether those are all of the split's. Published rows are.
        classes: Class -> AP, in per cent.
        pictures: Folder of visualizations that the page shows; empty without.
        refused_pictures: Folder that a record names and the page does not read; empty without.
    """

    task: str
    source: str
    place: str
    method: str
    backbone: str
    data: str
    split: str
    schedule: str = ''
    note: str = ''
    size: str = ''
    test: str = ''
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: float | None = None
    gflops: float | None = None
    unit: str = ''
    ms: float | None = None
    memory: float | None = None
    training_memory: float | None = None
    machine: str = ''
    weights: str = ''
    store: str = ''
    number: int | None = None
    images: int | None = None
    whole: bool = True
    classes: Mapping[str, float] = field(default_factory=dict)
    pictures: str = ''
    refused_pictures: str = ''

    @property
    def width(self) -> str:
        """HRNet's: 'W32', 'W18-small-v1'; empty for other networks."""
        found = re.match(r'HRNet\w*-(W\d+(-small-v\d)?)', self.backbone)
        return found[1] if found else ''

    @property
    def weights_in_millions(self) -> float | None:
        """Weights / 1e6, whatever the unit."""
        return None if self.params is None else self.params * _factor(self.unit, 'weights') / 1e6

    @property
    def macs_in_billions(self) -> float | None:
        """Multiply-adds / 1e9, whatever the unit; with norms and ReLUs where that unit has them, about a per cent."""
        return None if self.gflops is None else self.gflops * _factor(self.unit, 'MACs') / 1e9


def _factor(unit: str, what: str) -> float:
    found = re.search(rf'{what} / (2\^\d+|1e\d)', unit)
    if found is None:
        raise ValueError(f"unit must say in what {what} were counted, as 'MACs / 1e9; weights / 1e6', got {unit!r}")
    return _PAIRS[found[1]]
