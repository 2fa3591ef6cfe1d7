"""Selection and ranking of leaderboard rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from hrnet_plugin.evaluation.leaderboard.entry import LOCAL, Entry
from hrnet_plugin.evaluation.leaderboard.metrics import METRICS, named_metric, sort_names

_DIRECTIONS = {'lower': 'lower is better', 'unknown': 'unknown direction, highest first'}


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
        direction = named_metric(self.task, self.metric).direction
        if direction == 'higher' or self.metric not in self.metrics:
            return words
        return f'{words}, by {self.metric} ({_DIRECTIONS[direction]})'

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Metrics of at least one row that tables show. A ranking's metric that is not a published one is first."""
        known = {name for entry in self.entries for name in entry.scores.metrics}
        names = sort_names(self.task, {name for name in known if named_metric(self.task, name).is_shown})
        return tuple(names if self.metric in METRICS[self.task] or self.metric not in known else
                     (self.metric, *(name for name in names if name != self.metric)))

    @cached_property
    def lower(self) -> tuple[str, ...]:
        """Subset of ``metrics`` for which a lower value is better."""
        return tuple(name for name in self.metrics if named_metric(self.task, name).direction == 'lower')

    @cached_property
    def has_local(self) -> bool:
        """True if a row is a local result."""
        return any(entry.source == LOCAL for entry in self.entries)

    def size_note(self, entry: Entry, name: str) -> str:
        """Return the image size of a number if it is not the expected one, e.g. 'at 511x511', or an empty string.

        The expected size is the input size of the row's model, or else the size of most rows. An unknown size has no
        note.

        Args:
            entry: Row of the board.
            name: 'gflops' or 'ms'. Other numbers do not depend on the image size.
        """
        size = _image_size(entry, name)
        return f'at {size}' if size and size != (entry.model.size or self._usual_sizes[name]) else ''

    @cached_property
    def _usual_sizes(self) -> dict[str, str]:
        """Number -> image size of most rows whose size is known, or an empty string."""
        counts = {name: Counter(_image_size(entry, name) for entry in self.entries) for name in ('gflops', 'ms')}
        return {name: max(filter(None, sizes), key=sizes.__getitem__, default='') for name, sizes in counts.items()}

    def column_title(self, name: str) -> str:
        """Return the name of a metric, with its unit if that is not percent."""
        return named_metric(self.task, name).title

    def metric_text(self, entry: Entry, name: str) -> str:
        """Return a metric of a row with the decimals of its unit, or an empty string."""
        value = entry.scores.metrics.get(name)
        return '' if value is None else named_metric(self.task, name).format(value)


def _image_size(entry: Entry, name: str) -> str:
    """Return the image size of a row's operations or time, or an empty string if it is unknown or none."""
    if name == 'gflops':
        return entry.cost.counted_at if entry.cost.gflops is not None else ''
    return entry.conditions.timed_at if name == 'ms' else ''


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
    """Group comparable rows into boards and rank each.

    Boards with local results are first. Boards are then sorted by task and by descending number of rows.

    Args:
        entries: Rows of any tasks.
        metric: Metric of the ranking. Default: the first metric of published tables that a row has, or else the most
            frequent metric of the rows. Metrics of unknown direction are last, and their highest value ranks first.

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
    return sorted(boards, key=lambda board: (not board.has_local, tasks.index(board.task), -len(board.entries),
                                               board.title))


def _board(key: tuple[str, str, str, bool], entries: Sequence[Entry], metric: str | None) -> Board:
    task = key[0]
    metric = metric or _default_metric(task, entries)
    sign = 1 if named_metric(task, metric).direction == 'lower' else -1

    def sort_key(entry: Entry) -> tuple[bool, float]:
        return metric not in entry.scores.metrics, sign * (entry.scores.metrics.get(metric) or 0)

    return Board(*key, metric, tuple(sorted(entries, key=sort_key)))  # stable: published order in a tie


def _default_metric(task: str, entries: Sequence[Entry]) -> str:
    """Return the first published metric of a task that a row has, or else the metric of most rows, known ones first."""
    counts = Counter(name for entry in entries for name in entry.scores.metrics)
    for name in METRICS[task]:
        if name in counts:
            return name
    found = {name: named_metric(task, name) for name in sort_names(task, counts)}
    ranked = sorted(found, key=lambda name: (found[name].direction == 'unknown', found[name].is_detail, -counts[name]))
    return ranked[0] if ranked else METRICS[task][0]
