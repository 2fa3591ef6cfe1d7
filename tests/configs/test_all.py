"""Every shipped config: parses, builds, has its row in the index and in a README, and says how to run it."""

from __future__ import annotations

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
        assert name == name.lower()  # mim looks up lower case only


def test_names_are_unique_and_have_four_fields():
    files = [path for path in CONFIGS.rglob('*.py') if not path.parent.name.startswith('_')]
    assert len({path.name for path in files}) == len(files) == len(CONFIG_FILES)
    for name in CONFIG_FILES:
        assert len(name.split('_')) == (3 if name in SAMPLE else 4), name


def test_every_family_has_a_job_on_the_sample_set():
    assert {CONFIG_FILES[name].parent.name for name in SAMPLE} == set(FAMILIES)


@pytest.mark.parametrize('name', CONFIG_FILES)
def test_a_config_says_how_to_run_it(name):
    verb = 'test' if '-bgr_' in name else 'train'
    assert f'mim {verb} hrnet_plugin {name}.py' in docstring(name)
    if name in PUBLISHED:
        assert readme_row(name)


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
