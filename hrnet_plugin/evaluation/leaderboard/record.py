"""Record of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass

from hrnet_plugin.evaluation.leaderboard.facts import Evaluated


@dataclass(frozen=True, kw_only=True)
class Record(Evaluated):
    """Evaluation of a model in a result store.

    Attributes:
        config: Name of the config, without folder and ``.py``.
        config_text: Complete config as mmengine dumps it. Empty if unknown.
        config_sha256: SHA-256 of the config without paths and logging. Empty if unknown.
        checkpoint: Path or URL of the checkpoint. Empty if unknown.
        checkpoint_sha256: SHA-256 of the checkpoint. Empty if it is not a local file.
        time: Time of the evaluation in UTC, ISO 8601. The store sets it if it is empty.
        number: Record number, which the store sets.
    """

    config: str
    config_text: str = ''
    config_sha256: str = ''
    checkpoint: str = ''
    checkpoint_sha256: str = ''
    time: str = ''
    number: int | None = None
