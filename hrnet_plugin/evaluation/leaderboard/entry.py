"""Row of the leaderboard, published or measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hrnet_plugin.evaluation.leaderboard.facts import Evaluated

LOCAL = 'own'  # source of local results in CSV files, on the page and for --source


@dataclass(frozen=True, kw_only=True)
class Entry(Evaluated):
    """Row of the leaderboard.

    Attributes:
        source: 'paper', 'official' (repositories of the authors), 'mmdet', 'mmpose', 'mmseg', or 'own' (local results).
        place: Table, repository or folder in the source. Config name for local results.
        config: Name of the shipped config of a published row. Config name for local results. Empty if none.
        links: 'source', 'paper' and 'checkpoint' -> https address. Empty for local results.
        weights: Name of the published file.
        key: Key of the checkpoint in ``checkpoints/published.csv``. Empty to look it up by ``weights``.
        store: Name of the store of a local result.
        number: Record number in the store, or None.
        refused_visualizations: Recorded folder of visualizations that the page does not read. Empty if none.
    """

    source: str
    place: str
    config: str = ''
    links: Mapping[str, str] = field(default_factory=dict)
    weights: str = ''
    key: str = ''
    store: str = ''
    number: int | None = None
    refused_visualizations: str = ''

    @property
    def group(self) -> str:
        """Key of the model and its test, which rows of one model by several sources share on a board.

        All notes distinguish models, since they name differences in training. Results with other test-time
        augmentation are not comparable. An unknown schedule is not that of any other row, except unknown ones.
        """
        model = self.model
        return '|'.join((model.method, model.backbone, model.schedule, model.size, model.note, self.conditions.test))

    @property
    def columns(self) -> dict[str, str | float | None]:
        """Values by CSV column or filter of ``hrnet leaderboard``, without metrics and classes."""
        model, data, cost, conditions = self.model, self.data, self.cost, self.conditions
        return dict(
            task=self.task, source=self.source, place=self.place, method=model.method, backbone=model.backbone,
            data=data.data, split=data.split, schedule=model.schedule, note=model.note, size=model.size,
            test=conditions.test, params=cost.params, gflops=cost.gflops, unit=cost.unit_text, ms=conditions.ms,
            memory=conditions.memory, training_memory=conditions.training_memory, machine=conditions.machine_text,
            weights=self.weights, store=self.store, number=self.number, images=data.images, whole=data.whole,
            pictures=conditions.pictures, width=model.width)
