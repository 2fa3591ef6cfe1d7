"""What an evaluation leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Record:
    """An evaluation of a model.

    Attributes:
        task: 'detection', 'pose' or 'segmentation'.
        config: Name of the config, without its folder and ``.py``.
        config_text: The config with all that it inherits, as mmengine writes it; empty if it is not known.
        config_sha256: Of its entries but those that say where and with what logs it is run; empty if not known.
        checkpoint: Address of the weights; empty if it is not known.
        checkpoint_sha256: Of their file; empty if it is not at hand.
        data: Name of the data set.
        split: Of it.
        images: How many were evaluated.
        whole: Whether those are all of a split that published rows are measured on.
        metrics: Name -> value as the evaluation gave it, a fraction or per cent; None where it is not defined.
        classes: Metric -> class -> value; None where a class has nothing to be found.
        facts: What else is known: method, backbone, schedule, note, test, size, params, gflops, unit, ms, memory,
            machine, versions, pictures. Of JSON's types.
        time: Of the evaluation, UTC, ISO 8601; written by the store if it is empty.
        number: In its store; given by the store.
    """

    task: str
    config: str
    data: str
    split: str
    images: int
    whole: bool
    metrics: Mapping[str, float | None]
    config_text: str = ''
    config_sha256: str = ''
    checkpoint: str = ''
    checkpoint_sha256: str = ''
    classes: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    time: str = ''
    number: int | None = None
