"""Description of a model and its evaluation, which records and leaderboard rows share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

_PAIRS = {'2^30': 2**30, '2^20': 2**20, '1e9': 1e9, '1e6': 1e6}


@dataclass(frozen=True, kw_only=True)
class ModelFacts:
    """Model as published tables name it.

    Attributes:
        method: Framework or head, e.g. 'Faster R-CNN'.
        backbone: Backbone with its representation, e.g. 'HRNetV2p-W32', 'ResNet-50-FPN'.
        schedule: Training schedule, e.g. '2x'. Empty if unknown.
        size: Input size of pose models, 'HEIGHTxWIDTH'. Empty for other tasks.
        note: Note that distinguishes the model from others with the same names.
    """

    method: str = ''
    backbone: str = ''
    schedule: str = ''
    size: str = ''
    note: str = ''

    @property
    def width(self) -> str:
        """Width of an HRNet, e.g. 'W32', 'W18-small-v1'. Empty for other networks."""
        found = re.match(r'HRNet\w*-(W\d+(-small-v\d)?)', self.backbone)
        return found[1] if found else ''


@dataclass(frozen=True, kw_only=True)
class DataFacts:
    """Evaluated dataset.

    Attributes:
        data: Name of the dataset in published tables, or of its folder.
        split: Split of the dataset.
        images: Number of evaluated images. None for published rows.
        whole: Whether the images are a complete split of published rows.
    """

    data: str
    split: str
    images: int | None = None
    whole: bool = True


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Parameters and operations of a model.

    Attributes:
        params: Parameters in millions of ``unit``, or None.
        gflops: Operations in billions of ``unit``, or None.
        unit: Units of both, e.g. 'MACs / 1e9; weights / 1e6'. Empty if not counted.
        counted_at: Image size of the count, 'HEIGHTxWIDTH'. Empty if unknown.
    """

    params: float | None = None
    gflops: float | None = None
    unit: str = ''
    counted_at: str = ''

    @property
    def unit_text(self) -> str:
        """Unit and image size of the count."""
        return f'{self.unit}; at {self.counted_at}' if self.unit and self.counted_at else self.unit

    @property
    def weights_in_millions(self) -> float | None:
        """Parameters / 1e6, converted from ``unit``."""
        return self.params * self._factor('weights') / 1e6 if self.params is not None and self.unit else None

    @property
    def macs_in_billions(self) -> float | None:
        """MACs / 1e9, converted from ``unit``. They include norms and ReLUs if ``unit`` does, about 1%."""
        return self.gflops * self._factor('MACs') / 1e9 if self.gflops is not None and self.unit else None

    def check_unit(self) -> None:
        """Raise ValueError unless ``unit`` names the units of the numbers that it has."""
        _ = self.weights_in_millions, self.macs_in_billions

    def _factor(self, what: str) -> float:
        found = re.search(rf'{what} / ({"|".join(map(re.escape, _PAIRS))})', self.unit)
        if found is None:
            raise ValueError(f"unit must name the unit of {what}, e.g. 'MACs / 1e9; weights / 1e6', got {self.unit!r}")
        return _PAIRS[found[1]]


@dataclass(frozen=True, kw_only=True)
class Scores:
    """Result of an evaluation.

    Attributes:
        metrics: Metric -> value, in the evaluator's unit for records and in percent for rows. None if undefined.
        classes: Metric -> class -> value. None for classes without ground truth.
    """

    metrics: Mapping[str, float | None]
    classes: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Test conditions of a model.

    Attributes:
        test: Test-time augmentation: 'scales, flip', 'flip', 'no flip', or empty.
        ms: Milliseconds per image, or None.
        memory: Peak memory of the test in GB: of the GPU, or of the process without a GPU. None if unknown.
        training_memory: Peak memory per GPU in training in GB, or None.
        batch: Batch size of the test.
        machine: Hardware and version of PyTorch.
        versions: Versions of packages and facts about the hardware.
        pictures: Folder of visualizations. Empty if none.
        analysis: File of the analyses of the results. Empty if none.
    """

    test: str = ''
    ms: float | None = None
    memory: float | None = None
    training_memory: float | None = None
    batch: int = 1
    machine: str = ''
    versions: Mapping[str, str | int | bool | None] = field(default_factory=dict)
    pictures: str = ''
    analysis: str = ''

    @property
    def timed_at(self) -> str:
        """Image size of ``ms``, 'HEIGHTxWIDTH', or empty if ``machine`` does not name it."""
        found = re.search(r'(\d+) x (\d+)', self.machine)
        return f'{found[1]}x{found[2]}' if found and self.ms is not None else ''

    @property
    def machine_text(self) -> str:
        """Hardware, and the batch size if it is not 1."""
        return self.machine if self.batch == 1 else f'{self.machine}, batches of {self.batch}'


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """Evaluation of a model, the base of records and rows.

    Attributes:
        task: Task of the model, e.g. 'detection'.
        data: Evaluated dataset.
        scores: Metrics and classes.
        model: Model as published tables name it.
        cost: Parameters and operations.
        conditions: Test conditions.
    """

    task: str
    data: DataFacts
    scores: Scores
    model: ModelFacts = field(default_factory=ModelFacts)
    cost: Cost = field(default_factory=Cost)
    conditions: Conditions = field(default_factory=Conditions)
