"""Row of the leaderboard, published or measured."""

from __future__ import annotations

from dataclasses import dataclass

from hrnet_plugin.evaluation.leaderboard.facts import Evaluated

OWN = 'own'


@dataclass(frozen=True, kw_only=True)
class Entry(Evaluated):
    """Row of the leaderboard.

    Attributes:
        source: 'paper', 'official' (repositories of the authors), 'mmdet', 'mmpose', 'mmseg', or 'own'.
        place: Table, repository or folder in the source. Name of the config for local results.
        weights: Name of the published file.
        store: Name of the store of a local result.
        number: Number in the store, or None.
        refused_pictures: Folder of visualizations that a record names and the page does not read. Empty if none.
    """

    source: str
    place: str
    weights: str = ''
    store: str = ''
    number: int | None = None
    refused_pictures: str = ''

    @property
    def columns(self) -> dict[str, str | float | None]:
        """Column of CSV files or filter of ``hrnet leaderboard`` -> value, without metrics and classes."""
        model, data, cost, conditions = self.model, self.data, self.cost, self.conditions
        return dict(
            task=self.task, source=self.source, place=self.place, method=model.method, backbone=model.backbone,
            data=data.data, split=data.split, schedule=model.schedule, note=model.note, size=model.size,
            test=conditions.test, params=cost.params, gflops=cost.gflops, unit=cost.unit_text, ms=conditions.ms,
            memory=conditions.memory, training_memory=conditions.training_memory, machine=conditions.machine_text,
            weights=self.weights, store=self.store, number=self.number, images=data.images, whole=data.whole,
            pictures=conditions.pictures, width=model.width)
