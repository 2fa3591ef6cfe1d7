"""Rows of the leaderboard for tests."""

from __future__ import annotations

from dataclasses import fields

from hrnet_plugin.evaluation.leaderboard.entry import Entry
from hrnet_plugin.evaluation.leaderboard.facts import Conditions, Cost, DataFacts, ModelFacts, Scores

#: Text that plotly would parse as markup
MARKUP = '<a href="https://nowhere.invalid/a">a</a><span style="cursor:url(https://nowhere.invalid/b),auto">b</span>&lt;'
_PARTS = dict(model=ModelFacts, data=DataFacts, scores=Scores, cost=Cost, conditions=Conditions)


def make_entry(**values):
    """Return a row from values whose names are unique among all facts."""
    made = {}
    for part, kind in _PARTS.items():
        made[part] = kind(**{field.name: values.pop(field.name) for field in fields(kind) if field.name in values})
    return Entry(**made, **values)


def collect_warnings(monkeypatch, module):
    """Return the list that gets the log messages of a module."""
    texts: list[str] = []
    monkeypatch.setattr(module, 'print_log', lambda text, **options: texts.append(text))
    return texts
