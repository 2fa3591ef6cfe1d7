"""The table of published checkpoints: whole, true to the package, and the page is made of it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from paths import ROOT

from hrnet_plugin.arch import ARCHS
from hrnet_plugin.checkpoints.body import describe
from hrnet_plugin.checkpoints.families import BILINEAR, CORNERS, NEAREST
from hrnet_plugin.checkpoints.published import published, with_digest
from hrnet_plugin.cli import inspect_checkpoint as inspect
from hrnet_plugin.config_files import cfg
from hrnet_plugin.models import HRNet
from hrnet_plugin.registry import MODELS

ROWS = published()
OURS = [row for row in ROWS if row.config and '::' not in row.config]
HOSTS = [row for row in ROWS if row.publisher in ('mmpose', 'mmseg') and '::' in row.config]


def test_the_page_is_made_of_the_table():
    sys.path.insert(0, str(ROOT / 'scripts'))
    try:
        from write_checkpoints_page import PAGE, page
    finally:
        del sys.path[0]
    assert PAGE.read_text() == page(), 'run python scripts/write_checkpoints_page.py'


def test_rows():
    assert len(ROWS) > 290
    assert len({(row.task, row.publisher, row.model, row.data) for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.arch in ARCHS
        assert row.images in ('RGB', 'BGR', 'BGR, std 1')
        assert row.upsampling in [notes['upsampling'] for notes in (NEAREST, BILINEAR, CORNERS)]
        assert re.match(r'[\da-f]{8}$|$', row.sha256)
        assert row.sha256 in row.address or row.address.startswith('open-mmlab://')


def colours(config):
    preprocessor = config.model.get('data_preprocessor') or config.data_preprocessor
    return 'RGB' if preprocessor.get('bgr_to_rgb', preprocessor.get('to_rgb')) else 'BGR'


@pytest.mark.parametrize('name', sorted({row.config for row in OURS}))
def test_our_config_of_a_row_has_its_network(name):
    config = Config.fromfile(cfg(name))
    with torch.device('meta'):
        network = MODELS.build({**config.model.backbone, 'init_cfg': None})
    for row in OURS:
        if row.config == name:
            assert describe(network.state_dict()).arch == row.arch
            assert network.upsampling.text == row.upsampling
            assert row.images in (colours(config), 'BGR, std 1')


@pytest.mark.parametrize('host', ['mmpose', 'mmseg'])
def test_a_hosts_config_of_a_row_has_its_network(host):
    root = Path(pytest.importorskip(host).__file__).parent / '.mim' / 'configs'
    for row in HOSTS:
        if row.publisher == host:
            config = Config.fromfile(str(root / row.config.removeprefix(f'{host}::')))
            extra = config.model.backbone.extra
            assert extra.stage4.num_channels == ARCHS[row.arch][-1].num_channels
            assert colours(config) == row.images
            mode = 'bilinear' if host == 'mmseg' else extra.get('upsample', {}).get('mode', 'nearest')
            assert row.upsampling == mode


def test_a_digest_leads_to_its_row():
    row = with_digest('56651a6d' + '0' * 56)
    assert (row.model, row.config) == ('Faster R-CNN HRNetV2p-W18 1x', 'faster-rcnn_hrnetv2p-w18_1x_coco')
    assert row.text == 'Faster R-CNN HRNetV2p-W18 1x, COCO (mmdet): box AP 36.9'
    assert with_digest('0' * 64) is None


def test_inspect_names_the_row(monkeypatch, tmp_path):
    torch.save(HRNet('w18_small_v1').state_dict(), tmp_path / 'x.pth')
    assert 'published as' not in inspect.facts(str(tmp_path / 'x.pth'))
    monkeypatch.setattr(inspect, 'digest', lambda path: '56651a6d' + '0' * 56)
    lines = inspect.facts(str(tmp_path / 'x.pth'))
    assert lines['published as'].startswith('Faster R-CNN HRNetV2p-W18 1x, COCO (mmdet)')
    assert lines['config'] == 'faster-rcnn_hrnetv2p-w18_1x_coco'
