"""Reference of the shipped configs: network, data, schedule and published result of each one."""

from __future__ import annotations

from collections.abc import Iterator

from tables_cells import markdown_table, show_rows
from tables_families import FAMILIES, ConfigName, Family, parse_name
from tables_sources import Sources

_COLUMNS = ('config', 'network', 'training data', 'schedule', 'published result')
_REPRESENTATIONS = {'hrnetv1': 'HRNetV1', 'hrnetv1h': 'HRNetV1h', 'hrnetv2': 'HRNetV2', 'hrnetv2p': 'HRNetV2p'}
_DATA = {'coco': 'COCO', 'cityscapes': 'Cityscapes', 'pascal-context-59': 'PASCAL-Context 59',
         'pascal-context-60': 'PASCAL-Context 60', 'coco-stuff10k': 'COCO-Stuff 10k'}
# field of a config's name -> text
_VARIANTS = {'6l': 'six levels', 'bgr': 'BGR checkpoint', 'bilinear-down': 'bilinear downsampling',
             '2x': 'stream of stride 8', '4x': 'stream of stride 16', '8x': 'stream of stride 32'}
_RECIPES = {'syncbn': 'SyncBN', 'ms': 'multi-scale', 'crop': 'crops', 'scratch': 'random initial weights'}
_TESTS = {'mstest': 'five test scales'}
_SOURCES = {'paper': 'paper', 'official': 'official code', 'mmdet': 'mmdet', 'mmpose': 'mmpose',
            'mmseg': 'mmsegmentation'}


def config_tables(sources: Sources) -> str:
    """Return a section with a table for each family."""
    return '\n\n'.join(part for family in FAMILIES for part in _section(sources, family))


def _section(sources: Sources, family: Family) -> Iterator[str]:
    yield f'## {family.title}'
    names = sources.configs[family.folder]
    yield markdown_table(_COLUMNS, ([_link(family, name), *_fields(parse_name(name)), _published(sources, family, name)]
                                    for name in names))
    samples = ', '.join(_link(family, name) for name in sources.samples[family.folder])
    if samples:
        yield f'On the sample set: {samples}'
    yield f'Notes and sources: [configs/{family.folder}](../../configs/{family.folder}/README.md)'


def _link(family: Family, name: str) -> str:
    return f'[{name}](../../configs/{family.folder}/{name}.py)'


def _fields(name: ConfigName) -> list[str]:
    """Return network, data and schedule of a config."""
    width, _, rest = name.width.partition('-')
    network = f'{_REPRESENTATIONS[name.representation]}-{"-".join(filter(None, (width.upper(), rest)))}'
    variant = _VARIANTS.get(name.variant, name.variant.replace('-', ' '))
    data = f'{_DATA.get(name.data, name.data.upper())} {name.size}'.rstrip()
    unit, number = name.duration
    recipe = [_recipe(word) for word in name.recipe.split('-') if word]
    schedule = [f'{number} {unit.lower()}', *recipe, *filter(None, [_TESTS.get(name.test, name.test)])]
    return [', '.join(filter(None, (network, variant))), data, ', '.join(schedule)]


def _recipe(word: str) -> str:
    if word.startswith('crop') and word != 'crop':
        return f'crops of {word.removeprefix("crop")}'
    return _RECIPES.get(word, word.upper())


def _published(sources: Sources, family: Family, name: str) -> str:
    """Return the values of the first source that has any: paper, official code, or the host's model zoo."""
    for source in ('paper', 'official', family.host):
        rows = sources.rows_of(name, source)
        if rows:
            return f'{show_rows(rows)} ({_SOURCES[source]})'
    return '-'
