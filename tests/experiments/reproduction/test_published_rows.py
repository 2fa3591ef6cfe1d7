"""Published rows with a released checkpoint: joined with their checkpoints, selected, and left out with a reason."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from catalogue import CONFIG_FILES
from conftest import build_on_meta

from hrnet_plugin.checkpoints.published import published
from hrnet_plugin.evaluation.leaderboard.published import published_entries
from hrnet_plugin.experiments.reproduction import plan_rows, published_rows, select_published, select_rows
from hrnet_plugin.experiments.reproduction.published_rows import is_file_address

ROWS = published_rows(published_entries())
POSSIBLE = [published.row for published in ROWS if not published.obstacle]


def named(name):
    row, = (published.row for published in ROWS if published.row.name == name)
    return row


def test_each_row_has_a_name_of_its_own():
    counts = Counter(published.row.name for published in ROWS)
    assert [name for name, count in counts.items() if count > 1] == []


def test_rows_that_can_be_reproduced_have_shipped_configs_and_a_main_metric():
    assert len(POSSIBLE) > 100
    assert {row.config for row in POSSIBLE} <= set(CONFIG_FILES)
    assert all(row.deciding[0] in ('AP', 'mIoU', 'PCKh') for row in POSSIBLE)
    assert all(row.images is None and row.data and row.split for row in POSSIBLE)


def test_each_released_checkpoint_with_published_figures_has_a_row():
    files = {published.row.file for published in ROWS}
    described = {row for row in published() if row.figures and row.task in ('detection', 'instance segmentation')}
    assert {row.address.rpartition('/')[2] if is_file_address(row.address) else f'{row.key}.pth'
            for row in described} <= files


def test_files_of_a_folder_are_not_confused():
    """A file name belongs to one address. Tests with and without augmentation share it."""
    addresses = {(row.file, row.address) for row in POSSIBLE}
    assert len({file for file, _ in addresses}) == len(addresses)


def test_fcos_rows_get_the_entries_of_the_documents():
    text = ' '.join(named('det-fcos-w18-1x').options)
    assert 'mean=[102.9801,115.9465,122.7717]' in text
    assert 'std=[1.0,1.0,1.0]' in text
    assert 'bgr_to_rgb=False' in text
    assert 'conv_bias' not in text
    assert 'model.bbox_head.conv_bias=True' in named('fcos-w18-2x-six-levels').options
    assert named('faster_rcnn_hrnetv2p_w18_1x_coco_20200130-56651a6d').options == ()


def test_options_change_the_tested_config():
    pytest.importorskip('mmdet')
    plan, = plan_rows([named('fcos-w18-2x-six-levels')], {}, None, repr)
    preprocessor = plan.config.model.data_preprocessor
    assert (preprocessor.mean, preprocessor.std) == ([102.9801, 115.9465, 122.7717], [1, 1, 1])
    assert preprocessor.bgr_to_rgb is False
    assert all(conv.conv.bias is not None for conv in build_on_meta(plan.config).bbox_head.cls_convs)


def test_a_shared_address_is_noted():
    assert 'det-faster-rcnn-w40-1x' in named('det-faster-rcnn-w32-2x').note
    assert 'same address' not in named('det-faster-rcnn-w32-1x').note


def test_rows_with_augmentation_use_it():
    assert named('ocr-ocr-w48-ade20k+ms+flip').uses_tta
    assert not named('ocr-ocr-w48-ade20k').uses_tta


def test_times_are_those_of_images():
    """Times of pose models are those of persons, whose number in a detection file is unknown."""
    assert all(row.ms is None for row in POSSIBLE if row.config.startswith('td-hm'))


@pytest.mark.parametrize(('part', 'obstacle'), [
    ('seg-w48-cityscapes-train+ms+flip', 'the annotations of Cityscapes test are not public'),
    ('ocrnet_hr18_512x1024_160k_cityscapes_20200602_191001-b9172d0c', 'the config is one of mmseg'),
])
def test_rows_that_cannot_be_reproduced_have_a_reason(part, obstacle):
    found, = (published for published in ROWS if published.row.name == part)
    assert obstacle in found.obstacle
    with pytest.raises(ValueError, match=obstacle):
        select_published(ROWS, [part])


@pytest.mark.parametrize(('pattern', 'number'), [
    ('mask-rcnn_hrnetv2p-w18_1x_coco', 2), ('*-56651a6d', 1), ('faster_rcnn_hrnetv2p_w18_1x_coco_20200130-56651a6d.pth',
                                                               1), ('det-cascade-rcnn-w32-20e', 1)])
def test_rows_are_selected_by_config_checkpoint_or_name(pattern, number):
    assert len(select_published(ROWS, [pattern])[0]) == number


def test_an_unknown_pattern_gets_a_suggestion():
    with pytest.raises(ValueError, match=r"got 'mask-rcnn_hrnetv2p-w18_1x_coc'\. Did you mean mask-rcnn_hrnetv2p-w18"):
        select_rows(POSSIBLE, ['mask-rcnn_hrnetv2p-w18_1x_coc'])


def test_addresses_of_files_and_of_pages():
    assert is_file_address('https://host/a/b.pth')
    assert is_file_address('timm://hrnet_w48.ms_in1k')
    assert not is_file_address('https://1drv.ms/u/s!Aus8VCZ?e=i8Rdzx')
    assert not is_file_address(str(Path('pose_hrnet_w32_256x192.pth')))
