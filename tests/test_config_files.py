from pathlib import Path

import pytest
from mmengine.config import Config

import hrnet_plugin
from hrnet_plugin.config_files import list_configs

NAME = 'faster-rcnn_hrnetv2p-w18_1x_coco'


@pytest.mark.parametrize('name', [NAME, f'{NAME}.py', f'faster_rcnn/{NAME}.py'])
def test_a_config_is_found_by_name(name):
    assert Path(hrnet_plugin.cfg(name)).name == f'{NAME}.py'


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(FileNotFoundError, match=f"no config named 'faster-rcnn_hrnetv2p-w18_1x'; near ones:.*{NAME}"):
        hrnet_plugin.cfg('faster-rcnn_hrnetv2p-w18_1x')


def test_names_are_unique():
    """mim looks configs up by file name in the whole package."""
    root = Path(hrnet_plugin.__file__).parent / '.mim' / 'configs'
    names = [path.name for path in root.rglob('*.py')]
    assert len(set(names)) == len(names)


def test_bases_that_cannot_be_run_are_not_listed():
    assert not any(path.parent.name == '_base_' for path in list_configs().values())


def test_a_config_elsewhere_inherits_in_one_line(tmp_path):
    pytest.importorskip('mmdet')
    heir = tmp_path / 'mine.py'
    heir.write_text(f"_base_ = [__import__('hrnet_plugin').cfg('{NAME}')]\nmodel = dict(backbone=dict(arch='w32'))\n")
    cfg = Config.fromfile(str(heir))
    assert cfg.model.backbone.type == 'hrnet_plugin.HRNet'
    assert cfg.model.backbone.arch == 'w32'
    assert cfg.model.type == 'FasterRCNN'
