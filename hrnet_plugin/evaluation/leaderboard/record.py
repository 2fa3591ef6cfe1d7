"""Record of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass

from hrnet_plugin.evaluation.leaderboard.facts import Evaluated


@dataclass(frozen=True, kw_only=True)
class Record(Evaluated):
    """Evaluation of a model, as the store has it.

    Attributes:
        config: Name of the config, without folder and ``.py``.
        config_text: Whole config, as mmengine dumps it. Empty if it is not known.
        config_sha256: Digest of the config's entries without paths and logging. Empty if it is not known.
        checkpoint: Address of the checkpoint. Empty if it is not known.
        checkpoint_sha256: Digest of the file. Empty if it is not at hand.
        time: Time of the evaluation, UTC, ISO 8601. The store sets it if it is empty.
        number: Number in the store, which sets it.
    """

    config: str
    config_text: str = ''
    config_sha256: str = ''
    checkpoint: str = ''
    checkpoint_sha256: str = ''
    time: str = ''
    number: int | None = None
