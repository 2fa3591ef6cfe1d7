"""Selection and ranking of leaderboard rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hrnet_plugin.evaluation.leaderboard.entry import Entry
from hrnet_plugin.evaluation.leaderboard.metrics import METRICS, lower_is_better


@dataclass(frozen=True)
class Board:
    """Ranking of comparable rows, which were evaluated on the same split of the same dataset.

    Attributes:
        task: Task of the models.
        data: Name of the dataset.
        split: Split of the dataset.
        whole: Whether the rows were evaluated on a complete published split.
        metric: Metric of the ranking.
        entries: Rows from best to worst, then those without the metric.
    """

    task: str
    data: str
    split: str
    whole: bool
    metric: str
    entries: tuple[Entry, ...]

    @property
    def title(self) -> str:
        words = f'{self.task}, {self.data} {self.split}'.rstrip()
        words = words if self.whole else f'{words} (not a complete published split)'
        return f'{words}, by {self.metric} (lower is better)' if self.metric in self.lower else words

    @property
    def metrics(self) -> tuple[str, ...]:
        """Metrics of at least one row that tables show. A ranking's metric that is not one of the task's is first."""
        names = METRICS[self.task]
        names = names if self.metric in names else (self.metric, *names)
        return tuple(name for name in names if any(name in entry.scores.metrics for entry in self.entries))

    @property
    def lower(self) -> tuple[str, ...]:
        """Subset of ``metrics`` for which a lower value is better."""
        return tuple(filter(lower_is_better, self.metrics))


def select(entries: Iterable[Entry], filters: Mapping[str, Sequence[str]]) -> list[Entry]:
    """Select the rows that match all filters. Case is ignored.

    Args:
        entries: Rows of any tasks.
        filters: Key of ``Entry.columns`` -> allowed values. An empty list allows any value.

    Raises:
        ValueError: If an allowed value occurs in no row. The message lists the values of the rows.
    """
    entries = list(entries)
    chosen = entries
    tasks = [('task', task) for task in METRICS]  # valid even without rows
    for name, allowed in filters.items():
        if not allowed:
            continue
        known = {str(entry.columns[name]).casefold(): str(entry.columns[name]) for entry in entries}
        unknown = [word for word in allowed if word.casefold() not in known and (name, word) not in tasks]
        if unknown:
            values = ', '.join(sorted(filter(None, known.values())))
            raise ValueError(f'{name} must be one of {values}, got {unknown[0]!r}')
        matching = {word.casefold() for word in allowed}
        chosen = [entry for entry in chosen if str(entry.columns[name]).casefold() in matching]
    return chosen


def rank(entries: Iterable[Entry], metric: str | None = None) -> list[Board]:
    """Group comparable rows into boards and rank each. Boards are sorted by task, then by descending number of rows.

    Args:
        entries: Rows of any tasks.
        metric: Metric of the ranking. Default: the first of the task's metrics that a row has, or else the most
            frequent metric of the rows.

    Raises:
        ValueError: If no row has the metric. The message lists the metrics of the rows.
    """
    groups: dict[tuple[str, str, str, bool], list[Entry]] = {}
    for entry in entries:
        groups.setdefault((entry.task, entry.data.data, entry.data.split, entry.data.whole), []).append(entry)
    known = {name for group in groups.values() for entry in group for name in entry.scores.metrics}
    if metric is not None and groups and metric not in known:
        raise ValueError(f'metric must be one of {", ".join(sorted(known))}, got {metric!r}')
    boards = [_board(key, group, metric) for key, group in groups.items()]
    tasks = list(METRICS)
    return sorted(boards, key=lambda board: (tasks.index(board.task), -len(board.entries), board.title))


def _board(key: tuple[str, str, str, bool], entries: Sequence[Entry], metric: str | None) -> Board:
    metric = metric or _default_metric(METRICS[key[0]], entries)
    sign = 1 if lower_is_better(metric) else -1

    def sort_key(entry: Entry) -> tuple[bool, float]:
        return metric not in entry.scores.metrics, sign * (entry.scores.metrics.get(metric) or 0)

    return Board(*key, metric, tuple(sorted(entries, key=sort_key)))  # stable: published order in a tie


def _default_metric(names: Sequence[str], entries: Sequence[Entry]) -> str:
    """Return the first of a task's metrics that a row has, or else the metric of most rows."""
    counts = Counter(name for entry in entries for name in entry.scores.metrics)
    frequent = max(counts, key=lambda name: counts[name], default=names[0])  # the first in a tie
    return next((name for name in names if name in counts), frequent)
