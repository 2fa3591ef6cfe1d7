"""Tests of the check of comparisons that may come from anyone."""

from __future__ import annotations

import pytest

from hrnet_plugin.evaluation.comparison.comparison import DetectionComparison
from hrnet_plugin.evaluation.comparison.validity import check_comparison

VALID = {name: [] for name in DetectionComparison.__dataclass_fields__} | dict(
    kind='bbox', names=['a', 'b'], images=1, covered=[1, 1], uncovered=0, metrics={'AP': [.1, None]}, classes={},
    interval=dict(difference=0., low=0., high=0., better=0., equal=0., draws=1),
    errors=[{part: dict.fromkeys(('classification', 'localization', 'both', 'duplicate', 'background', 'missed'), 0)
             for part in ('numbers', 'costs')}] * 2)


def nested(depth):
    value = None
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize('name', sorted(set(VALID) - {'differing', 'classes'}))
@pytest.mark.parametrize('value', [None, True, -1, 10**400, {}, [None], nested(300), [1] * 100_000, float('nan')],
                         ids=lambda value: repr(value)[:12] if not isinstance(value, list) else f'list {len(value)}')
def test_an_invalid_field_is_named(name, value):
    with pytest.raises(ValueError, match=name) as raised:
        check_comparison({**VALID, name: value})
    assert len(str(raised.value)) < 300
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('value', [None, {'a': None}, {'a': [1]}, {'a': ['x', 1]}, [['a', None]], [[1, [1, 1]]]])
def test_invalid_pairs_are_named(value):
    for name in ('classes', 'differing', 'metrics'):
        with pytest.raises(ValueError, match=f'{name} of the comparison must have values of their type'):
            check_comparison({**VALID, name: value})
