"""Row to reproduce: a checkpoint, the test of it, and the expected figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from hrnet_plugin.checkpoints.published import TEST_NAMES

#: Main metrics. They determine whether a row agrees with the expected figures.
MAIN_METRICS = ('AP', 'mask AP', 'mIoU', 'PCKh')


@dataclass(frozen=True, kw_only=True)
class Row:
    """Row to reproduce, published or of the user.

    Attributes:
        name: Unique name, which is also that of the row's folder.
        config: Name of a shipped config, or path of any config.
        address: Absolute path or address of the checkpoint. Otherwise its name in a shared folder.
        file: Name of the checkpoint in a folder of downloaded files.
        expected: Metric -> value in the unit of tables, e.g. {'AP': 36.9}.
        sha256: First digits of the checkpoint's sha256. Empty if unknown.
        data: Dataset in published tables. Empty to accept any dataset.
        split: Split of the dataset.
        images: Number of tested images. None for all images of a published split.
        test: Test-time augmentation, as in :class:`~hrnet_plugin.evaluation.leaderboard.facts.Conditions`.
        options: Entries of the config to change, each 'KEY=VALUE'.
        ms: Published time per image in milliseconds, or None.
        machine: Hardware of ``ms``.
        note: Known difference from the published test. Empty if none.
    """

    name: str
    config: str
    address: str
    file: str
    expected: Mapping[str, float]
    sha256: str = ''
    data: str = ''
    split: str = ''
    images: int | None = None
    test: str = ''
    options: tuple[str, ...] = ()
    ms: float | None = None
    machine: str = ''
    note: str = ''

    @property
    def deciding(self) -> tuple[str, ...]:
        """Metrics that determine the verdict: the main ones, or else the first one."""
        main = tuple(name for name in MAIN_METRICS if name in self.expected)
        return main or tuple(self.expected)[:1]

    @property
    def uses_tta(self) -> bool:
        """Return True if the test requires ``hrnet test --tta``."""
        return self.test in TEST_NAMES

    @property
    def names(self) -> tuple[str, str, str]:
        """Names by which the row can be selected: its own, that of the config and that of the checkpoint."""
        return self.name, Path(self.config).name.removesuffix('.py'), self.file
