from pathlib import Path

import pytest
from mmengine.config import Config

import hrnet_plugin
from hrnet_plugin.config_files import find_config, list_configs, relocate_data

NAME = 'faster-rcnn_hrnetv2p-w18_1x_coco'


@pytest.fixture
def sample():
    pytest.importorskip('mmdet')
    return Config.fromfile(str(list_configs()['faster-rcnn_hrnetv2p-w18-small-v1_sample']))


@pytest.mark.parametrize('name', [NAME, f'{NAME}.py', f'faster_rcnn/{NAME}.py', f'configs/faster_rcnn/{NAME}'])
def test_a_config_is_found_by_name(name):
    assert Path(hrnet_plugin.cfg(name)).name == f'{NAME}.py'


def test_an_unknown_name_is_answered_with_suggestions():
    with pytest.raises(FileNotFoundError, match=f"got 'faster-rcnn_hrnetv2p-w18_1x'. Did you mean .*{NAME}"):
        hrnet_plugin.cfg('faster-rcnn_hrnetv2p-w18_1x')


@pytest.mark.parametrize('folder', ['work', '/work', 'fcos', 'work/faster_rcnn'])
def test_a_missing_file_is_not_a_shipped_config_of_its_name(folder):
    for find in (hrnet_plugin.cfg, find_config):
        with pytest.raises(FileNotFoundError, match=f"or the path of a file, got '{folder}/{NAME}.py'"):
            find(f'{folder}/{NAME}.py')


def test_names_are_unique():
    """mim looks configs up by file name in the whole package."""
    root = Path(hrnet_plugin.__file__).parent / '.mim' / 'configs'
    names = [path.name for path in root.rglob('*.py')]
    assert len(set(names)) == len(names)


def test_bases_are_not_listed():
    assert not any(path.parent.name in ('_base_', '_studies_') for path in list_configs().values())


def test_a_user_config_inherits_a_shipped_one(tmp_path):
    pytest.importorskip('mmdet')
    derived = tmp_path / 'mine.py'
    derived.write_text(f"_base_ = [__import__('hrnet_plugin').cfg('{NAME}')]\n"
                       "model = dict(backbone=dict(arch='w32'))\n")
    cfg = Config.fromfile(str(derived))
    assert cfg.model.backbone.type == 'hrnet_plugin.HRNet'
    assert cfg.model.backbone.arch == 'w32'
    assert cfg.model.type == 'FasterRCNN'


def test_data_root_replaces_all_paths_below_it(sample):
    sample.merge_from_dict(relocate_data(sample, '/elsewhere'))
    assert sample.data_root == '/elsewhere/'
    for split in ('train', 'val', 'test'):
        assert sample[f'{split}_dataloader'].dataset.data_root == '/elsewhere/'
    assert sample.val_evaluator.ann_file == '/elsewhere/annotations/instances_val2017.json'
    assert 'data/sample' not in str(sample.to_dict())


def test_data_root_requires_an_entry_to_replace():
    with pytest.raises(ValueError, match="--data-root requires a config with the entry 'data_root'"):
        relocate_data(Config(dict(model=dict())), 'x')


def test_data_root_without_matching_paths_raises(sample):
    sample.data_root = 'data/mine/'
    with pytest.raises(ValueError, match=r"dataloaders with paths below the config's data_root 'data/mine/', got none"):
        relocate_data(sample, '/elsewhere')
