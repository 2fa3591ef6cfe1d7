"""Row of the leaderboard, published or measured."""

from __future__ import annotations

from dataclasses import dataclass

from hrnet_plugin.evaluation.leaderboard.facts import Evaluated

LOCAL = 'own'  # source of local results in CSV files, on the page and for --source


@dataclass(frozen=True, kw_only=True)
class Entry(Evaluated):
    """Row of the leaderboard.

    Attributes:
        source: 'paper', 'official' (repositories of the authors), 'mmdet', 'mmpose', 'mmseg', or 'own' (local results).
        place: Table, repository or folder in the source. Config name for local results.
        weights: Name of the published file.
        store: Name of the store of a local result.
        number: Record number in the store, or None.
        refused_visualizations: Recorded folder of visualizations that the page does not read. Empty if none.
    """

    source: str
    place: str
    weights: str = ''
    store: str = ''
    number: int | None = None
    refused_visualizations: str = ''

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
