"""Markdown tables of the READMEs of families and of pages in ``docs/``."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from tables_cells import heading_anchor, is_held_out, markdown_table, show_rows
from tables_families import FAMILIES, Family, parse_name, width_number
from tables_sources import Row, Sources

from hrnet_plugin.checkpoints.published import Published

_ZOO_TITLES = {'mmdet': 'mmdet', 'mmpose': 'mmpose', 'mmseg': 'mmsegmentation'}
_COCO_METRICS = {'AP': 'paper: AP', 'AP50': 'AP50', 'AP75': 'AP75', 'APs': 'small', 'APm': 'medium', 'APl': 'large'}
# field of a config's name -> meaning
_VARIANTS = {'syncbn': 'SyncBN', 'ms': 'multi-scale', 'crop': 'crops', '6l': 'six levels', 'bgr': 'BGR checkpoints',
             'mstest': 'five test scales'}
_CHECKPOINT_COLUMNS = ('model', 'data', 'results', 'channel order', 'upsampling', 'config')


def family_table(sources: Sources, family: Family) -> str:
    """Return the table of a family's configs with published values, or a list of the configs if there are none."""
    names = sources.configs[family.folder]
    if not any(sources.rows.get(name) for name in names):
        return '\n'.join(f'- {name}' for name in names)
    if family.folder == 'centernet_triplet':
        return _coco_table(sources, names)
    columns = ('paper', 'official', family.host)
    header = ['name', 'paper', 'official code', _ZOO_TITLES[family.host]]
    lines = [[name, *(show_rows(sources.rows_of(name, source)) for source in columns)] for name in names]
    if any(name in sources.released for name in names):
        header.append('checkpoint')
        lines = [[*line, 'yes' if line[0] in sources.released else 'no'] for line in lines]
    return markdown_table(header, lines)


def _coco_table(sources: Sources, names: Iterable[str]) -> str:
    lines = []
    for name in names:
        rows = {is_held_out(row): row for row in sources.rows_of(name, 'paper')}
        validation: Row = rows.get(False, {})
        figures = [validation.get(metric) or '-' for metric in _COCO_METRICS]
        lines.append([name, *figures, rows.get(True, {}).get('AP', '-')])
    return markdown_table(('name', *_COCO_METRICS.values(), 'test-dev'), lines)


def detector_table(sources: Sources) -> str:
    """Return the table of detector families: widths, schedules and published box AP on COCO val2017."""
    lines = []
    for family in FAMILIES:
        if family.host == 'mmdet':
            names = sources.configs[family.folder]
            widths = sorted({parse_name(name).width for name in names}, key=width_number)
            lines.append([
                f'[{family.title}](#{heading_anchor(family.title)})', ', '.join(width.upper() for width in widths),
                _schedules(names), _box_ap(sources, names), 'yes' if sources.samples[family.folder] else 'no'])
    return markdown_table(('family', 'widths', 'schedules', 'published box AP', 'on the sample set'), lines)


def _schedules(names: Iterable[str]) -> str:
    parsed = [parse_name(name) for name in names]
    words = {word for name in parsed for word in (*name.recipe.split('-'), name.variant, name.test)}
    variants = [title for word, title in _VARIANTS.items() if word in words]
    return '; '.join([', '.join(sorted({name.length for name in parsed})), *variants])


def _box_ap(sources: Sources, names: Iterable[str]) -> str:
    figures = [row['AP'] for name in names for row in sources.rows.get(name, ()) if not is_held_out(row)]
    return f'{min(figures, key=float)} to {max(figures, key=float)}' if figures else '-'


def checkpoint_tables(sources: Sources) -> str:
    """Return the tables of published checkpoints, by task and publisher."""
    parts = [f'{len(sources.checkpoints)} checkpoints.']
    for task, rows in groupby(sources.checkpoints, key=lambda row: row.task):
        parts.append(f'## {task.capitalize()}')
        for publisher, group in groupby(rows, key=lambda row: row.publisher):
            parts.append(f'### {task.capitalize()}, {publisher}')
            parts.append(markdown_table(_CHECKPOINT_COLUMNS, map(_checkpoint, group)))
    return '\n\n'.join(parts)


def _checkpoint(row: Published) -> list[str]:
    if row.address.startswith('http'):
        model = f'[{row.model}]({row.address})'
    elif row.address:
        model = f'{row.model}: `{row.address}`'
    else:
        model = f'{row.model} (shared folder)'
    return [model, row.data, row.figures, row.images, row.upsampling, f'`{row.config}`' if row.config else '']
