"""The tables are those that the CSV files of published figures give, and a figure is changed in one place."""

from __future__ import annotations

import importlib
import shutil

import pytest
from paths import ROOT

SCORES = 'hrnet_plugin/evaluation/leaderboard/published'
CHECKPOINTS = 'hrnet_plugin/checkpoints/published.csv'
W18 = 'faster-rcnn_hrnetv2p-w18_1x_coco'


@pytest.fixture(scope='module')
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / 'scripts'))
        yield importlib.import_module('write_tables')


@pytest.fixture(scope='module')
def families(script):
    return importlib.import_module('tables_families')


@pytest.fixture
def copy(tmp_path):
    """Copy what the script reads and writes."""
    for folder in ('configs', SCORES):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns('__pycache__'))
    for file in (CHECKPOINTS, 'docs/how-to/cluster.md', 'docs/reference/checkpoints.md', 'docs/reference/configs.md',
                 'docs/reference/commands.md', 'docs/reference/metrics.md', 'model-index.yml',
                 'docs/reports/derived.md', 'benchmarks/results/derived_hrnet.json',
                 'benchmarks/results/derived_detectors.json'):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


@pytest.fixture
def run(script, copy, capsys):
    """Return a function that runs the script in the copy and returns exit code and files that differ."""
    def run(*options):
        code = script.main([*options, '--root', str(copy)])
        return code, sorted(line.split(':')[0] for line in capsys.readouterr().out.splitlines())

    return run


def replace(file, old, new):
    text = file.read_text(encoding='utf-8')
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding='utf-8')


def line(file, start):
    found, = (line for line in file.read_text(encoding='utf-8').splitlines() if line.startswith(start))
    return found


def test_the_committed_files_are_those_of_the_csv_files(script):
    for path, text in script.documents(ROOT, script.read_sources(ROOT)):
        assert path.read_bytes() == text.encode(), f'{path.relative_to(ROOT)}: run python scripts/write_tables.py'


def test_all_families_and_metafiles_are_written(script, families):
    folders = {path.parent.name for path in (ROOT / 'configs').glob('*/*.py') if not path.parent.name.startswith('_')}
    assert folders == {family.folder for family in families.FAMILIES}
    written = {path.relative_to(ROOT) for path, _ in script.documents(ROOT, script.read_sources(ROOT))}
    assert {path.relative_to(ROOT) for path in (ROOT / 'configs').glob('*/metafile.yml')} < written
    assert {path.relative_to(ROOT) for path in (ROOT / 'configs').glob('*/README.md')} < written


def test_a_changed_figure_changes_all_documents_that_show_it(run, copy):
    assert run('--check') == (0, [])
    replace(copy / SCORES / 'detection.csv', ',1x,COCO,val2017,,36.9,', ',1x,COCO,val2017,,35.5,')
    shown = ['configs/faster_rcnn/README.md', 'configs/faster_rcnn/metafile.yml', 'docs/reference/checkpoints.md',
             'docs/reference/configs.md']
    assert run('--check') == (1, shown)
    assert '36.9' in line(copy / shown[0], f'| {W18} '), 'a check wrote a file'
    assert run() == (0, shown)
    assert line(copy / shown[0], f'| {W18} ') == f'| {W18} | 36.2 | 36.1 | 35.5 | yes |'
    assert (copy / shown[1]).read_text().count('box AP: 35.5') == 1
    assert 'box AP 35.5' in line(copy / shown[2], '| [Faster R-CNN HRNetV2p-W18 1x](https://download')
    assert '35.5 to 42.6' in line(copy / shown[3], '| [Faster R-CNN]')
    assert run('--check') == (0, [])


@pytest.mark.parametrize(('file', 'old', 'new', 'shown'), [
    ('pose.csv', '384x288,,75.8,90.6,82.7,', '384x288,,70.1,90.6,82.7,',
     ['configs/td_hm/README.md', 'docs/reference/configs.md']),
    ('pose.csv', '256x192,UDP,76.2,', '256x192,UDP,70.1,',
     ['configs/td_hm/README.md', 'configs/td_hm/metafile.yml', 'docs/reference/checkpoints.md']),
    ('segmentation.csv', 'ADE20K,val,OHEM,"scales, flip",,,44.2,', 'ADE20K,val,OHEM,"scales, flip",,,40.1,',
     ['configs/fcn/README.md', 'configs/fcn/metafile.yml', 'docs/reference/checkpoints.md',
      'docs/reference/configs.md']),
    ('segmentation.csv', ',88.24,67.84,56.48,', ',88.14,67.84,56.48,',
     ['configs/ocr/README.md', 'docs/reference/configs.md']),
    ('unranked.csv', 'NME pose,6.97,', 'NME pose,5.01,', ['docs/reference/checkpoints.md']),
    ('unranked.csv', 'product",AP,54.7,', 'product",AP,50.1,',
     ['configs/td_hm/README.md', 'configs/td_hm/metafile.yml', 'docs/reference/configs.md'])])
def test_figures_of_each_kind(run, copy, file, old, new, shown):
    replace(copy / SCORES / file, old, new)
    assert run('--check') == (1, shown)


def test_a_new_config_has_its_rows(run, copy):
    (copy / 'configs' / 'gfl' / 'gfl_hrnetv2p-w40_2x_coco.py').write_text('')
    assert run() == (0, ['configs/gfl/README.md', 'configs/gfl/metafile.yml', 'docs/reference/configs.md'])
    names = [text[2:] for text in (copy / 'configs' / 'gfl' / 'README.md').read_text().splitlines() if text[:2] == '- ']
    assert names == [f'gfl_hrnetv2p-{end}_coco' for end in ('w18_1x', 'w32_1x', 'w40_2x', 'w48_1x')]
    entry = (copy / 'configs' / 'gfl' / 'metafile.yml').read_text().partition('gfl_hrnetv2p-w40_2x_coco\n')[2]
    assert entry.startswith("""\
    In Collection: GFL HRNetV2p
    Config: configs/gfl/gfl_hrnetv2p-w40_2x_coco.py
    Metadata:
      Epochs: 24
  - Name: """)


def test_rows_of_missing_configs_are_refused(run, copy):
    (copy / 'configs' / 'faster_rcnn' / f'{W18}.py').unlink()
    with pytest.raises(ValueError, match=f'The column config must name a shipped config, got {W18}'):
        run()


def test_documents_without_their_table_are_refused(run, copy):
    replace(copy / 'configs' / 'htc' / 'README.md', '<!-- table: configs -->', '<!-- table: others -->')
    with pytest.raises(ValueError, match=r"configs/htc/README.md: .* \['configs'\] once each, got \['others'\]"):
        run()


def test_text_around_tables_is_kept(script):
    text = ('before\n<!-- table: a -->\nold\n<!-- end of table -->\nbetween\n<!-- table: b -->\n<!-- end of table -->\n'
            'after\n')
    assert script.fill_regions(text, {'a': '| 1 |', 'b': r'\1'}) == (
        'before\n<!-- table: a -->\n\n| 1 |\n\n<!-- end of table -->\nbetween\n<!-- table: b -->\n\n\\1\n\n'
        '<!-- end of table -->\nafter\n')


@pytest.mark.parametrize(('name', 'parts', 'duration'), [
    ('fcos_hrnetv2p-w32-6l_syncbn-ms-2x_coco', ('hrnetv2p', 'w32', '6l', 'syncbn-ms', '2x', '', 'coco', ''),
     ('Epochs', 24)),
    ('td-hm_hrnetv1-w32-2x_210e_coco-256x192', ('hrnetv1', 'w32', '2x', '', '210e', '', 'coco', '256x192'),
     ('Epochs', 210)),
    ('fcn_hrnetv2-w18-small-v2_60k_pascal-context-59',
     ('hrnetv2', 'w18-small-v2', '', '', '60k', '', 'pascal-context-59', ''), ('Iterations', 60000)),
    ('centernet-triplet_hrnetv2-w48_crop511-480k-mstest_coco',
     ('hrnetv2', 'w48', '', 'crop511', '480k', 'mstest', 'coco', ''), ('Iterations', 480000))])
def test_parts_of_names(families, name, parts, duration):
    assert families.parse_name(name) == parts
    assert families.parse_name(name).duration == duration


def test_other_names_are_refused(families):
    with pytest.raises(ValueError, match="must be FAMILY_NETWORK_SCHEDULE_DATA, got 'fcos_r50_1x_coco'"):
        families.parse_name('fcos_r50_1x_coco')
