"""Which rows are shown, and in what order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hrnet_plugin.evaluation.leaderboard.entry import Entry
from hrnet_plugin.evaluation.leaderboard.metrics import METRICS, lower_is_better


@dataclass(frozen=True)
class Board:
    """Rows that can be compared: measured on the same split of the same data set, all of it or not.

    Attributes:
        task: Of all of them.
        data: Name of the data set.
        split: Of it.
        whole: Whether on all images of a split that published rows are measured on.
        metric: By which they are ranked.
        entries: The best first; those without the metric last.
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
        words = words if self.whole else f'{words} (not a whole published split)'
        return f'{words}, by {self.metric} (lower is better)' if self.metric in self.lower else words

    @property
    def metrics(self) -> tuple[str, ...]:
        """Those that tables show and at least one row has; first the ranking's, if it is not one of the task's."""
        names = METRICS[self.task]
        names = names if self.metric in names else (self.metric, *names)
        return tuple(name for name in names if any(name in entry.scores.metrics for entry in self.entries))

    @property
    def lower(self) -> tuple[str, ...]:
        """Those of ``metrics`` by which a lower value is better."""
        return tuple(filter(lower_is_better, self.metrics))


def select(entries: Iterable[Entry], words: Mapping[str, Sequence[str]]) -> list[Entry]:
    """The rows that have one of the words, whatever the case, for every property that is named.

    Args:
        entries: Of any task.
        words: Property of ``Entry`` -> allowed values; any value if empty.

    Raises:
        ValueError: If a word is no row's; the message has those that there are.
    """
    entries = list(entries)
    chosen = entries
    tasks = [('task', task) for task in METRICS]  # of which there may be no row
    for name, allowed in words.items():
        if not allowed:
            continue
        known = {str(entry.columns[name]).casefold(): str(entry.columns[name]) for entry in entries}
        strange = [word for word in allowed if word.casefold() not in known and (name, word) not in tasks]
        if strange:
            there = ', '.join(sorted(filter(None, known.values())))
            raise ValueError(f'{name} must be one of {there}, got {strange[0]!r}')
        wanted = {word.casefold() for word in allowed}
        chosen = [entry for entry in chosen if str(entry.columns[name]).casefold() in wanted]
    return chosen


def rank(entries: Iterable[Entry], metric: str | None = None) -> list[Board]:
    """Rows in boards: those with published rows first, the largest first.

    Args:
        entries: Of any task.
        metric: By which all are ranked. By default the first of the task's metrics that a row of the board has, or the
            most frequent metric of its rows.

    Raises:
        ValueError: If no row has the metric; the message has those that there are.
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
    metric = metric or _usual_metric(METRICS[key[0]], entries)
    sign = 1 if lower_is_better(metric) else -1

    def place(entry: Entry) -> tuple[bool, float]:
        return metric not in entry.scores.metrics, sign * (entry.scores.metrics.get(metric) or 0)

    return Board(*key, metric, tuple(sorted(entries, key=place)))  # stable: published order among equals


def _usual_metric(names: Sequence[str], entries: Sequence[Entry]) -> str:
    """Return the first of a task's metrics that a row has, such as PCKh, or the metric that most rows have."""
    counts = Counter(name for entry in entries for name in entry.scores.metrics)
    frequent = max(counts, key=lambda name: counts[name], default=names[0])  # the first of equals
    return next((name for name in names if name in counts), frequent)
