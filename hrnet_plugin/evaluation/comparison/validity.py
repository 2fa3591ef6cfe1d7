"""Check of comparisons in parsed JSON, which may come from anyone."""

from __future__ import annotations

from collections.abc import Callable

from hrnet_plugin.evaluation.analysis.parse import parse_analysis
from hrnet_plugin.evaluation.comparison.comparison import ERROR_TYPES, KEYPOINT_TYPES, KINDS, Interval
from hrnet_plugin.evaluation.detections import is_count, is_finite_number, short
from hrnet_plugin.json_types import Json

_Check = Callable[[Json], bool]


def check_comparison(content: Json) -> None:
    """Raise an error if parsed JSON is not a comparison with valid values and two analyses of its kind.

    Raises:
        ValueError: If a field or an analysis is missing, unknown or invalid.
    """
    kind = content.get('kind') if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f'comparison must be an object whose kind is one of {", ".join(KINDS)}, got {short(kind)}')
    fields = set(KINDS[kind].__dataclass_fields__)
    if set(content) != fields:
        raise ValueError(f'comparison must have the fields of {kind}, got others: '
                         f'{short(sorted(fields.symmetric_difference(content)))}')
    types = KEYPOINT_TYPES if kind == 'keypoints' else ERROR_TYPES
    checks = {**_CHECKS, 'errors': lambda value: _are_errors(value, types)}
    for name in sorted(fields & checks.keys()):
        if not checks[name](content[name]):
            raise ValueError(f'{name} of the comparison must have values of their type, got {short(content[name])}')
    _check_analyses(content['analyses'], kind)


def _check_analyses(analyses: Json, kind: str) -> None:
    if not isinstance(analyses, list) or len(analyses) != 2:
        raise ValueError(f'analyses must be a list of two, got {short(analyses)}')
    one, other = map(parse_analysis, analyses)
    if (one.kind, other.kind) != (kind, kind) or one.classes != other.classes:
        raise ValueError(f'analyses must be of {kind} and have the same classes, got {one.kind} and {other.kind}')


def _are_errors(content: Json, types: tuple[str, ...]) -> bool:
    def is_one(value: Json) -> bool:
        return isinstance(value, dict) and set(value) == {'numbers', 'costs'} and all(
            isinstance(part, dict) and set(part) == set(types) for part in value.values()) and (
            _mapping(is_count)(value['numbers']) and _mapping(is_finite_number)(value['costs']))
    return _pair(is_one)(content)


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_value(value: Json) -> bool:
    return value is None or is_finite_number(value)


def _pair(is_valid: _Check) -> _Check:
    return lambda value: isinstance(value, list) and len(value) == 2 and all(map(is_valid, value))


def _mapping(is_valid: _Check) -> _Check:
    return lambda value: isinstance(value, dict) and all(map(is_valid, value.values()))


def _is_interval(value: Json) -> bool:
    return isinstance(value, dict) and set(value) == set(Interval.__dataclass_fields__) and all(
        map(is_finite_number, value.values()))


def _is_image(value: Json) -> bool:
    return isinstance(value, list) and len(value) == 2 and _is_text(value[0]) and _pair(is_finite_number)(value[1])


_CHECKS: dict[str, _Check] = {
    'names': _pair(_is_text), 'images': is_count, 'covered': _pair(is_count), 'uncovered': is_count,
    'metrics': lambda value: bool(value) and _mapping(_pair(_is_value))(value),
    'interval': _is_interval, 'classes': _mapping(_pair(_is_value)),
    'keypoints': _mapping(_pair(_is_value)),
    'differing': lambda value: isinstance(value, list) and all(map(_is_image, value))}
