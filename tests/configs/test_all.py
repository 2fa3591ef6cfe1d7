"""Every shipped config parses, builds, has a row in the index and a README, and documents its command."""

from __future__ import annotations

import ast
import re

import pytest
import torch
from catalogue import CONFIG_FILES, PUBLISHED, SAMPLE, docstring, host, index, load, readme_row
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.config_files import CONFIGS

FAMILIES = sorted({path.parent.name for path in CONFIG_FILES.values()})


def test_index_and_configs_match_both_ways():
    assert set(PUBLISHED) == set(index())
    for name, entry in index().items():
        assert (CONFIGS.parent / entry['Config']).resolve() == CONFIG_FILES[name].resolve()
        assert name == name.lower()  # mim searches for lower case only


def test_names_are_unique_and_have_four_fields():
    files = [path for path in CONFIGS.rglob('*.py') if not path.parent.name.startswith('_')]
    assert len({path.name for path in files}) == len(files) == len(CONFIG_FILES)
    for name in CONFIG_FILES:
        assert len(name.split('_')) == (3 if name in SAMPLE else 4), name


def test_every_family_has_a_job_on_the_sample_set():
    assert {CONFIG_FILES[name].parent.name for name in SAMPLE} == set(FAMILIES)


@pytest.mark.parametrize('name', CONFIG_FILES)
def test_a_config_documents_its_command(name):
    verb = 'test' if '-bgr_' in name else 'train'
    assert f'mim {verb} hrnet_plugin {name}.py' in docstring(name)
    if name in PUBLISHED:
        assert readme_row(name)


@pytest.mark.parametrize('name', CONFIG_FILES)
def test_a_docstring_has_one_sentence_and_no_results(name):
    first, _, rest = docstring(name).partition('\n\n')
    assert first.endswith('.')
    assert '\n' not in first
    assert all(line.startswith(('mim ', 'hrnet ')) for line in rest.splitlines())
    assert not re.search(r'\d\.\d|%|\b(?:AP|mIoU|PCKh|NME)\b', re.sub(r'arXiv [\d.]+', '', first))


@pytest.mark.parametrize('path', sorted(CONFIGS.rglob('*.py')), ids=lambda path: path.stem)
def test_a_config_has_assignments_only(path):
    """Except merging a base over another one, and setting entries of list items."""
    first, *statements = ast.parse(path.read_text()).body
    assert isinstance(first.value, ast.Constant)
    for statement in statements:
        if isinstance(statement, ast.Expr):
            assert re.fullmatch(r"_base_\.merge\(_base_\.pop\('\w+'\)\)|_base_\.[\w.]+\[.+\.update\(.+\)",
                                ast.unparse(statement)), ast.unparse(statement)
        else:
            assert isinstance(statement, ast.Assign)
        assert not any(isinstance(node, (ast.comprehension, ast.Lambda, ast.IfExp, ast.Import))
                       for node in ast.walk(statement))
        assert '__import__' not in ast.unparse(statement)


@pytest.mark.parametrize('name', CONFIG_FILES)
def test_a_config_builds(name):
    pytest.importorskip(host(name))
    config = load(name)
    assert config.default_scope == host(name)
    with DefaultScope.overwrite_default_scope(config.default_scope), torch.device('meta'):
        model = MODELS.build(Config(dict(model=config.model.to_dict())).model)
    assert type(model.backbone).__module__.startswith('hrnet_plugin.')
    width = re.search(r'-(w\d+(?:-small-v\d|-equal-depth|-single-stream)?)[-_]', name).group(1).replace('-', '_')
    assert config.model.backbone.arch == width
    assert set(config.auto_scale_lr) >= {'base_batch_size'}
    assert not config.auto_scale_lr.get('enable', False)


@pytest.mark.parametrize('family', FAMILIES)
def test_a_folder_elsewhere_inherits_in_one_line(family, tmp_path):
    base = next(name for name in PUBLISHED if CONFIG_FILES[name].parent.name == family)
    pytest.importorskip(host(base))
    (tmp_path / 'mine.py').write_text(f"_base_ = [__import__('hrnet_plugin').cfg('{base}')]\n")
    mine = Config.fromfile(str(tmp_path / 'mine.py'))
    assert mine.model == load(base).model
    with DefaultScope.overwrite_default_scope(mine.default_scope), torch.device('meta'):
        MODELS.build(mine.model)
