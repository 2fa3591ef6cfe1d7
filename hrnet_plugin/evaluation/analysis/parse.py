"""Analyses from parsed JSON, which may come from anyone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np

from hrnet_plugin.evaluation.analysis.analysis import (
    Analysis,
    Confusion,
    Curves,
    Histograms,
    decode_precision,
    decode_scores,
)
from hrnet_plugin.evaluation.detections import SHAPES, is_count, is_finite_number, short
from hrnet_plugin.json_types import Json

KINDS = (*SHAPES, 'semantic')

_Part = TypeVar('_Part', Analysis, Confusion, Curves, Histograms)


def parse_analysis(content: Json) -> Analysis:
    """Return the analysis in parsed JSON.

    Raises:
        ValueError: If a field is missing or unknown, or has the wrong type or shape.
    """
    analysis = _fields(Analysis, content, 'analysis')
    _check(analysis.kind in KINDS, 'kind', f'one of {", ".join(KINDS)}', analysis.kind)
    _check(is_count(analysis.images), 'images', 'a number of images', analysis.images)
    classes = analysis.classes
    _check(_is_list(classes, None, lambda name: isinstance(name, str)), 'classes', 'a list of names', classes)
    number = len(classes)
    _check(_is_list(analysis.precision, number, lambda value: value is None or _is_share(value)), 'precision',
           f'{number} numbers in [0, 1]', analysis.precision)
    for name in ('objects', 'predictions'):
        _check_counts(getattr(analysis, name), (number, ), name)
    detected = analysis.kind in SHAPES
    _check((analysis.curves is not None) == (analysis.histograms is not None) == detected, 'curves and histograms',
           f'{"set" if detected else "null"} for {analysis.kind}', 'others')
    parts: dict[str, Any] = dict(confusion=_parse_confusion(analysis.confusion, number, detected))
    if detected:
        parts.update(curves=_parse_curves(analysis.curves, number),
                     histograms=_parse_histograms(analysis.histograms, number))
    return Analysis(**{**vars(analysis), **parts})


def _parse_confusion(content: Any, classes: int, detected: bool) -> Confusion:
    confusion = _fields(Confusion, content, 'confusion')
    for name in ('overlap', 'score'):
        value = getattr(confusion, name)
        _check(is_finite_number(value) if detected else value is None, name,
               'a number' if detected else 'null for semantic', value)
    _check_counts(confusion.counts, (classes + 1, classes + 1), 'confusion')
    return confusion


def _parse_curves(content: Any, classes: int) -> Curves:
    curves = _fields(Curves, content, 'curves')
    _check(_is_list(curves.thresholds, None, _is_share) and len(curves.thresholds) > 0, 'thresholds',
           'numbers in [0, 1]', curves.thresholds)
    for name, values in (('precision', curves.precision), ('scores', curves.scores)):
        _check(_is_list(values, classes, lambda value: value is None or isinstance(value, str)), f'curves.{name}',
               f'{classes} texts', values)
    for text in (curves.mean, *filter(None, curves.precision)):
        _check(isinstance(text, str), 'curves.mean', 'a text', text)
        _check(len(decode_precision(text)) == len(curves.thresholds), 'curves',
               f'encoded values of {len(curves.thresholds)} thresholds', text)
    for text in filter(None, curves.scores):
        decode_scores(text)
    return curves


def _parse_histograms(content: Any, classes: int) -> Histograms:
    histograms = _fields(Histograms, content, 'histograms')
    _check(is_finite_number(histograms.overlap), 'overlap', 'a number', histograms.overlap)
    edges = histograms.edges
    _check(_is_list(edges, None, is_finite_number) and len(edges) > 1 and bool(np.all(np.diff(edges) > 0)),
           'edges', 'ascending numbers', edges)
    for name in ('true_positives', 'false_positives'):
        _check_counts(getattr(histograms, name), (classes, len(edges) - 1), name)
    return histograms


def _fields(cls: type[_Part], content: Any, name: str) -> _Part:
    """Create a dataclass of unchecked fields."""
    known = {field.name for field in fields(cls)}
    _check(isinstance(content, dict) and set(content) == known, name, f'an object with {", ".join(sorted(known))}',
           sorted(content) if isinstance(content, dict) else content)
    return cls(**content)


def _check_counts(values: Any, shape: Sequence[int], name: str) -> None:
    words = ' x '.join(map(str, shape))
    if len(shape) == 1:
        _check(_is_list(values, shape[0], is_count), name, f'{words} counts', values)
    else:
        _check(_is_list(values, shape[0], lambda row: _is_list(row, shape[1], is_count)), name, f'{words} counts',
               values)


def _check(valid: bool, name: str, expected: str, got: object) -> None:
    if not valid:
        raise ValueError(f'{name} must be {expected}, got {short(got)}')


def _is_list(values: Any, number: int | None, is_valid: Callable[[Any], bool]) -> bool:
    return isinstance(values, list) and number in (None, len(values)) and all(map(is_valid, values))


def _is_share(value: Any) -> bool:
    return is_finite_number(value) and 0 <= value <= 1
