"""Analyses as CSV files for people, and as JSON files beside the results of a test."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from io import StringIO
from pathlib import Path

from hrnet_plugin.evaluation.analysis.analysis import (
    RECALLS,
    Analysis,
    Curves,
    Histograms,
    decode_precision,
    decode_scores,
)
from hrnet_plugin.evaluation.analysis.parse import parse_analysis
from hrnet_plugin.evaluation.csv_rows import write_rows
from hrnet_plugin.files import atomic_write
from hrnet_plugin.json_files import read_object

_SUFFIX = '.analysis.json'
_WHAT = 'an analysis of this version'
_MEAN = '(mean)'
_BACKGROUND = '(background)'

_Rows = Iterator[Sequence[object]]


def write_analyses(prefix: str | Path, analyses: Mapping[str, Analysis]) -> str:
    """Write the analyses of a model as JSON to the file that belongs to the results of a test.

    Args:
        prefix: Path of the results without '.bbox.json', as in ``outfile_prefix`` of mmdet and mmpose.
        analyses: Kind -> analysis. If there are none, the file of an earlier test is removed.

    Returns:
        Absolute path of the file. Empty without analyses.
    """
    file = Path(f'{prefix}{_SUFFIX}')
    if not analyses:
        file.unlink(missing_ok=True)
        return ''
    with atomic_write(file) as scratch:
        text = json.dumps({kind: asdict(analysis) for kind, analysis in analyses.items()}, allow_nan=False)
        scratch.write_text(f'{text}\n', encoding='utf-8')
    return str(file.resolve())


def is_analysis_file(path: str | Path) -> bool:
    """Return True for the file name of analyses."""
    return str(path).endswith(_SUFFIX)


def read_analyses(file: str | Path) -> dict[str, Analysis]:
    """Read the analyses of a model by kind.

    Raises:
        OSError: If the file is not readable.
        ValueError: If the file is too large or not valid.
    """
    found = read_object(file, _WHAT)
    try:
        return {kind: parse_analysis(each) for kind, each in found.items()}
    except ValueError as error:
        raise ValueError(f'{file} must be {_WHAT}: {error}') from None


def as_tables(analyses: Sequence[tuple[str, Analysis]]) -> dict[str, str]:
    """Return CSV files of the analyses of models on the same images: file name -> text.

    Args:
        analyses: Pairs of the name of a model and its analysis.
    """
    tables: dict[str, _Rows] = {'classes.csv': _class_rows(analyses), 'confusion.csv': _confusion_rows(analyses)}
    curves = [(name, analysis.classes, analysis.curves) for name, analysis in analyses if analysis.curves]
    scores = [(name, analysis.classes, analysis.histograms) for name, analysis in analyses if analysis.histograms]
    if curves:
        tables['precision_recall.csv'] = _curve_rows(curves)
    if scores:
        tables['scores.csv'] = _score_rows(scores)
    return {file: _csv_text(rows) for file, rows in tables.items()}


def _csv_text(rows: _Rows) -> str:
    out = StringIO()
    write_rows(out, rows)
    return out.getvalue()


def _class_rows(analyses: Sequence[tuple[str, Analysis]]) -> _Rows:
    yield 'model', 'class', 'IoU' if analyses[0][1].kind == 'semantic' else 'AP', 'objects', 'predictions'
    for name, analysis in analyses:
        for label, value, *numbers in zip(analysis.classes, analysis.precision, analysis.objects, analysis.predictions):
            yield name, label, '' if value is None else f'{value:.6f}', *numbers


def _confusion_rows(analyses: Sequence[tuple[str, Analysis]]) -> _Rows:
    yield 'model', 'truth', 'predicted', 'number'
    for name, analysis in analyses:
        labels = [*analysis.classes, _BACKGROUND]
        for truth, row in zip(labels, analysis.confusion.counts):
            yield from ((name, truth, predicted, number) for predicted, number in zip(labels, row) if number)


def _curve_rows(models: Sequence[tuple[str, Sequence[str], Curves]]) -> _Rows:
    thresholds = [f'{each:.2f}' for each in models[0][2].thresholds]
    yield 'model', 'class', 'recall', f'score at {thresholds[0]}', *thresholds
    for name, classes, curves in models:
        for label, text, scores in zip((_MEAN, *classes), (curves.mean, *curves.precision), (None, *curves.scores)):
            if text is not None:
                # numbers, since negative ones would be formulas as text
                shown = [None] * len(RECALLS) if scores is None else [float(f'{value:.6g}')
                                                                      for value in decode_scores(scores)]
                for recall, score, values in zip(RECALLS, shown, decode_precision(text).T):
                    yield name, label, recall, score, *(f'{value:.4f}' for value in values)


def _score_rows(models: Sequence[tuple[str, Sequence[str], Histograms]]) -> _Rows:
    yield 'model', 'class', 'from', 'to', 'true positives', 'false positives'
    for name, classes, histograms in models:
        for label, true, false in zip(classes, histograms.true_positives, histograms.false_positives):
            yield from ((name, label, *row) for row in zip(histograms.edges, histograms.edges[1:], true, false))
