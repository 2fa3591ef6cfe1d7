"""Metafiles of the families, and the index that mim reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tables_cells import METRICS, is_held_out, show_test
from tables_families import FAMILIES, Family, parse_name
from tables_sources import Row, Sources

_HEAD = """\
# Written by scripts/write_tables.py from the CSV files of published figures.
# This project trained none of these models. Figures are those of the weights. Without weights, they are the paper's, or
# else those of the official code.
"""
_COLLECTION = """\
Collections:
  - Name: {family.collection_name}
    Metadata:
      Training Data: {family.data}
      Architecture:
{architecture}
    Paper:
      Title: Deep High-Resolution Representation Learning for Visual Recognition
      URL: https://arxiv.org/abs/1908.07919
    README: configs/{family.folder}/README.md
"""
_MODEL = """\
  - Name: {name}
    In Collection: {family.collection_name}
    Config: configs/{family.folder}/{name}.py
    Metadata:
      {duration}: {number}
"""
_KEYPOINTS, _FACES = 'Human Keypoint Detection', 'Facial Landmark Detection'
# Host -> metric -> task and name of the metric in the metafile.
_METRICS = {
    'mmdet': {'AP': ('Object Detection', 'box AP'), 'mask AP': ('Instance Segmentation', 'mask AP')},
    'mmseg': {'mIoU': ('Semantic Segmentation', 'mIoU')},
    'mmpose': {
        'AP': (_KEYPOINTS, 'keypoint AP'), 'PCKh': (_KEYPOINTS, 'PCKh@0.5'), 'PCKh@0.1': (_KEYPOINTS, 'PCKh@0.1'),
        **{name: (_FACES, name) for name in METRICS if name.startswith('NME')},
    },
}
# Names of mmsegmentation's metafiles.
_DATA = {'PASCAL-Context 59': 'Pascal Context 59', 'PASCAL-Context 60': 'Pascal Context'}


def metafile(sources: Sources, family: Family) -> str:
    """Return the metafile of a family."""
    architecture = '\n'.join(f'        - {module}' for module in family.architecture)
    models = ''.join(_model(sources, family, name) for name in sources.configs[family.folder])
    return f'{_HEAD}{_COLLECTION.format(family=family, architecture=architecture)}\nModels:\n{models}'


def index() -> str:
    """Return the index of the metafiles."""
    folders = sorted(family.folder for family in FAMILIES)
    lines = [f'  - configs/{folder}/metafile.yml' for folder in folders]
    return '\n'.join(['# Written by scripts/write_tables.py.', 'Import:', *lines, ''])


def _model(sources: Sources, family: Family, name: str) -> str:
    duration, number = parse_name(name).duration
    text = _MODEL.format(name=name, family=family, duration=duration, number=number)
    released = sources.released.get(name)
    if released and released.file_name in sources.memory:
        text += f'      Training Memory (GB): {sources.memory[released.file_name]}\n'
    rows = _result_rows(sources, name, family.host if released else '')
    if rows:
        text += f'    Results:\n{"".join(_results(rows, family.host))}'
    return text + (f'    Weights: {released.address}\n' if released else '')


def _result_rows(sources: Sources, name: str, zoo: str) -> list[Row]:
    """Return the rows of the first source that has any. A zoo's are those of its weights."""
    for source in [zoo] if zoo else ['paper', 'official']:
        rows = [row for row in sources.rows_of(name, source) if not is_held_out(row)]
        if rows:
            return rows
    return []


def _results(rows: Iterable[Row], host: str) -> Iterator[str]:
    last = ''
    for row in rows:
        for metric, (task, name) in _METRICS[host].items():
            if row.get(metric):
                if task != last:
                    yield (f'      - Task: {task}\n        Dataset: {_DATA.get(row["data"], row["data"])}\n'
                           '        Metrics:\n')
                yield f'          {name}{show_test(row)}: {row[metric]}\n'
                last = task
