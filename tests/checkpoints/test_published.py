"""Table of published checkpoints: valid entries, and scores of the publications."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from hrnet_plugin.arch import ARCHS
from hrnet_plugin.checkpoints.backbone import describe
from hrnet_plugin.checkpoints.families import BILINEAR, CORNERS, NEAREST
from hrnet_plugin.checkpoints.published import PACKAGE, find_by_digest, published, read_csv, read_published
from hrnet_plugin.cli import inspect_checkpoint as inspect
from hrnet_plugin.config_files import cfg
from hrnet_plugin.models import HRNet
from hrnet_plugin.registry import MODELS

ROWS = published()
OURS = [row for row in ROWS if row.config and '::' not in row.config]
HOSTS = [row for row in ROWS if row.publisher in ('mmpose', 'mmseg') and '::' in row.config]


def test_rows():
    assert len(ROWS) > 290
    assert len({(row.task, row.publisher, row.model, row.data) for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.arch in ARCHS
        assert row.images in ('RGB', 'BGR', 'BGR, std 1')
        assert row.upsampling in [metadata['upsampling'] for metadata in (NEAREST, BILINEAR, CORNERS)]
        assert re.match(r'[\da-f]{8}$|$', row.sha256)
        assert row.sha256 in row.address or row.address.startswith('open-mmlab://')


SCORES = PACKAGE / 'evaluation' / 'leaderboard' / 'published'


def test_figures_are_not_duplicated():
    names = ('detection', 'pose', 'segmentation', 'unranked')
    scores = [row for name in names for row in read_csv(SCORES / f'{name}.csv')]
    keys = {row['key'] or row.get('weights') for row in scores} - {''}
    for cells, row in zip(read_csv(PACKAGE / 'checkpoints' / 'published.csv'), ROWS):
        found = (row.key or row.file_name) in keys
        assert not (found and cells['figures']), row
        assert found or not row.key, row
        assert row.figures or row.model.startswith(('msra/', 'official pose code')) or (
            row.data, row.arch, row.publisher) == ('MPII', 'w48', 'official'), row
    keys_here = [row.key for row in ROWS if row.key]
    assert len(set(keys_here)) == len(keys_here)
    files = {row.file_name for row in ROWS}
    assert {row['key'] for row in scores} - {''} <= {*keys_here, *files}
    hrnets = [row for row in scores if row.get('weights') and 'HRNet' in row['backbone']]
    assert {row['weights'] for row in hrnets} <= files


# copied from the publications independently of the table
@pytest.mark.parametrize(('model', 'data', 'publisher', 'figures'), [
    ('HRNet-W32-C', 'ImageNet-1k', 'official', 'top-1 error 21.5 %, top-5 error 5.8 %'),
    ('Faster R-CNN HRNetV2p-W18 1x, SyncBN', 'COCO', 'official', 'box AP 37.2'),
    ('Faster R-CNN HRNetV2p-W32 4x (HRNet-MaskRCNN-Benchmark)', 'COCO', 'official', 'box AP 41.6'),
    ('Mask R-CNN HRNetV2p-W48 2x, by mmdet 1', 'COCO', 'mmdet', 'box AP 42.9, mask AP 38.3'),
    ('Cascade Mask R-CNN HRNetV2p-W40 20e', 'COCO', 'mmdet', 'box AP 45.1, mask AP 39.3'),
    ('HRNetV2-W48, torch 0.4, OHEM', 'Cityscapes train', 'official', 'mIoU 81.2, 81.1 on test (ms+flip)'),
    ('HRNetV2-W48, torch 0.4', 'LIP', 'official', 'mIoU 56.04 (flip)'),
    ('HRNetV2-W48 OCR, torch 1.1', 'Cityscapes train and val', 'official', 'mIoU 82.3 on test (ms+flip)'),
    ('OCR HRNetV2-W18 160k', 'ADE20K', 'mmseg', 'mIoU 39.32, 40.8 (ms+flip)'),
    ('HRNet-W48 384x288', 'COCO', 'official', 'AP 76.3'),
    ('HRNet-W32 256x192, merged', 'COCO and AI Challenger', 'mmpose', 'AP 0.756'),
    ('HRNet-W48 256x256, DARK', 'MPII', 'mmpose', 'PCKh 0.905, PCKh@0.1 0.360'),
    ('HRNetV2-W18', 'COFW', 'official', 'NME 3.45, failures at 0.1 0.20'),
    ('HRNetV2-W18 256x256', '300W', 'mmpose', 'NME common 2.92, NME challenge 5.64, NME full 3.45, NME test 4.10'),
    ('HRNet-W48 256x256', 'AP-10K', 'mmpose', 'AP 0.728')])
def test_figures(model, data, publisher, figures):
    row, = (row for row in ROWS if (row.model, row.data, row.publisher) == (model, data, publisher))
    assert row.figures == figures


def test_figures_of_another_package_folder(tmp_path):
    for name in ('checkpoints', 'evaluation/leaderboard/published'):
        for file in (PACKAGE / name).glob('*.csv'):
            (tmp_path / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / name / file.name).write_text(file.read_text().replace(',36.9,', ',35.5,'))
    changed, = (new for new, old in zip(read_published(tmp_path), ROWS) if new != old)
    assert (changed.model, changed.figures) == ('Faster R-CNN HRNetV2p-W18 1x', 'box AP 35.5')


def channel_order(config):
    preprocessor = config.model.get('data_preprocessor') or config.data_preprocessor
    return 'RGB' if preprocessor.get('bgr_to_rgb', preprocessor.get('to_rgb')) else 'BGR'


@pytest.mark.parametrize('name', sorted({row.config for row in OURS}))
def test_shipped_configs_have_the_network_of_the_row(name):
    config = Config.fromfile(cfg(name))
    with torch.device('meta'):
        network = MODELS.build({**config.model.backbone, 'init_cfg': None})
    for row in OURS:
        if row.config == name:
            assert describe(network.state_dict()).arch == row.arch
            assert network.upsampling.text == row.upsampling
            assert row.images in (channel_order(config), 'BGR, std 1')


@pytest.mark.parametrize('host', ['mmpose', 'mmseg'])
def test_host_configs_have_the_network_of_the_row(host):
    root = Path(pytest.importorskip(host).__file__).parent / '.mim' / 'configs'
    for row in HOSTS:
        if row.publisher == host:
            config = Config.fromfile(str(root / row.config.removeprefix(f'{host}::')))
            extra = config.model.backbone.extra
            assert extra.stage4.num_channels == ARCHS[row.arch][-1].num_channels
            assert channel_order(config) == row.images
            mode = 'bilinear' if host == 'mmseg' else extra.get('upsample', {}).get('mode', 'nearest')
            assert row.upsampling == mode


def test_find_by_digest():
    row = find_by_digest('56651a6d' + '0' * 56)
    assert (row.model, row.config) == ('Faster R-CNN HRNetV2p-W18 1x', 'faster-rcnn_hrnetv2p-w18_1x_coco')
    assert row.text == 'Faster R-CNN HRNetV2p-W18 1x, COCO (mmdet): box AP 36.9'
    assert find_by_digest('0' * 64) is None


def test_inspect_shows_the_published_checkpoint(monkeypatch, tmp_path):
    torch.save(HRNet('w18_small_v1').state_dict(), tmp_path / 'x.pth')
    assert 'published as' not in inspect.facts(str(tmp_path / 'x.pth'))
    monkeypatch.setattr(inspect, 'digest', lambda path: '56651a6d' + '0' * 56)
    lines = inspect.facts(str(tmp_path / 'x.pth'))
    assert lines['published as'].startswith('Faster R-CNN HRNetV2p-W18 1x, COCO (mmdet)')
    assert lines['config'] == 'faster-rcnn_hrnetv2p-w18_1x_coco'
