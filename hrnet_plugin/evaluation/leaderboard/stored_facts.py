"""Description of model, cost and conditions as JSON in the store, with the keys of its first version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields

from hrnet_plugin.evaluation.detections import short
from hrnet_plugin.evaluation.leaderboard.facts import Conditions, Cost, ModelFacts
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.json_files import parse_object
from hrnet_plugin.json_types import Json, JsonObject

MAX_TEXT = 4096  # characters of a name, note or path
MAX_NUMBER = 1e15  # larger numbers overflow when they are shown in percent or converted to other units


def write_facts(record: Record) -> str:
    """Convert the facts of a record to JSON.

    Raises:
        ValueError: If a fact has no JSON type, or a number is not finite.
    """
    model, cost, conditions = record.model, record.cost, record.conditions
    facts = {**vars(model), **vars(cost), **vars(conditions)}
    facts['counted at'] = facts.pop('counted_at')
    try:
        return json.dumps({key: value for key, value in facts.items() if value not in ('', None)}, ensure_ascii=False,
                          sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ValueError(f'facts must be of JSON\'s types, got {facts!r}: {error}') from None


def read_facts(text: str) -> tuple[ModelFacts, Cost, Conditions]:
    """Parse the facts of a record. Missing facts get their defaults, and unknown ones are ignored.

    Args:
        text: JSON object.

    Raises:
        ValueError: If the text is not a JSON object, or a fact has the wrong type.
    """
    facts = parse_object(text, 'facts', 'a JSON object')
    versions = facts.get('versions') or {}
    pictures, analysis = facts.get('pictures'), facts.get('analysis')  # may have any type in a foreign store
    cost = Cost(params=_number(facts, 'params'), gflops=_number(facts, 'gflops'), unit=_text(facts, 'unit'),
                counted_at=_text(facts, 'counted at'))
    return (
        ModelFacts(**{field.name: _text(facts, field.name) for field in fields(ModelFacts)}),
        cost,
        Conditions(test=_text(facts, 'test'), machine=_text(facts, 'machine'), ms=_number(facts, 'ms'),
                   memory=_number(facts, 'memory'), training_memory=_number(facts, 'training_memory'),
                   batch=int(_number(facts, 'batch') or 1),
                   versions=dict(versions) if isinstance(versions, Mapping) else {},
                   pictures=pictures if isinstance(pictures, str) else '',
                   analysis=analysis if isinstance(analysis, str) else ''))


def is_stored_number(value: Json) -> bool:
    """Return True for a finite number that does not overflow when it is shown in other units."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -MAX_NUMBER <= value <= MAX_NUMBER


def _text(facts: JsonObject, key: str) -> str:
    value = facts.get(key)
    if value is None:
        return ''
    if not isinstance(value, str):
        raise ValueError(f'fact {key!r} must be text, got {short(value)}')
    if len(value) > MAX_TEXT:
        raise ValueError(f'fact {key!r} must have at most {MAX_TEXT} characters, got {len(value)}')
    # JSON may contain halves of surrogate pairs, and no file in UTF-8 may
    return value.encode('utf-8', 'replace').decode()


def _number(facts: JsonObject, key: str) -> float | None:
    value = facts.get(key)
    if value is None:
        return None
    if not isinstance(value, (int, float)) or not is_stored_number(value):
        raise ValueError(f'fact {key!r} must be a finite number of at most {MAX_NUMBER:.0e}, got {short(value)}')
    return value
