"""Metafiles: entries for mim, compared with published results."""

from __future__ import annotations

import pytest
import yaml
from catalogue import PUBLISHED, index
from paths import ROOT

from hrnet_plugin.checkpoints.published import published

PAPER = 'Deep High-Resolution Representation Learning for Visual Recognition'
CHECKPOINTS = {row.address: row for row in published() if row.address.startswith('https://download.openmmlab.com/')}


def results(name):
    return {(result['Task'], result['Dataset'], metric): value
            for result in index()[name].get('Results', []) for metric, value in result['Metrics'].items()}


def test_every_metafile_is_in_the_index():
    files = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']
    assert files == sorted(str(path.relative_to(ROOT)) for path in (ROOT / 'configs').glob('*/metafile.yml'))
    for file in files:
        collection, = yaml.safe_load((ROOT / file).read_text())['Collections']
        assert (ROOT / collection['README']).parent == (ROOT / file).parent
        assert collection['Paper']['Title'] == PAPER
        assert 'HRNet' in collection['Metadata']['Architecture']


@pytest.mark.parametrize('name', PUBLISHED)
def test_weights_are_those_of_the_config(name):
    entry = index()[name]
    if 'Weights' not in entry:
        assert 'Training Memory (GB)' not in entry['Metadata']
        return
    row = CHECKPOINTS[entry['Weights']]
    assert row.config == name
    assert entry['Results']
    for (_, _, metric), value in results(name).items():
        is_fraction = row.publisher == 'mmpose' and 'NME' not in metric
        assert (f'{value / 100:.3f}' if is_fraction else str(value)) in row.figures


def test_all_checkpoints_of_configs_are_listed():
    assert {row.config for row in CHECKPOINTS.values() if row.config in index()} == {
        name for name in PUBLISHED if 'Weights' in index()[name]}


BOX, MASK, SEG = 'Object Detection', 'Instance Segmentation', 'Semantic Segmentation'
BODY, FACE = 'Human Keypoint Detection', 'Facial Landmark Detection'


# copied independently from the publications
@pytest.mark.parametrize(('name', 'expected'), [
    ('faster-rcnn_hrnetv2p-w18_1x_coco', {(BOX, 'COCO', 'box AP'): 36.9}),
    ('faster-rcnn_hrnetv2p-w48_1x_coco', {(BOX, 'COCO', 'box AP'): 41.3}),
    ('faster-rcnn_hrnetv2p-w32_syncbn-ms-2x_coco', {(BOX, 'COCO', 'box AP'): 42.6}),
    ('mask-rcnn_hrnetv2p-w48_2x_coco', {(BOX, 'COCO', 'box AP'): 42.9, (MASK, 'COCO', 'mask AP'): 38.3}),
    ('htc_hrnetv2p-w48_28e_coco', {(BOX, 'COCO', 'box AP'): 47.0, (MASK, 'COCO', 'mask AP'): 41.0}),
    ('htc_hrnetv2p-w18_28e_coco', {}),
    ('fcos_hrnetv2p-w32_ms-2x_coco', {(BOX, 'COCO', 'box AP'): 41.4}),
    ('fcos_hrnetv2p-w40-bgr_ms-2x_coco', {(BOX, 'COCO', 'box AP'): 42.7}),
    ('centernet-triplet_hrnetv2-w64_crop511-480k_coco', {(BOX, 'COCO', 'box AP'): 44.0}),
    ('td-hm_hrnetv1-w48_udp-210e_coco-384x288', {(BODY, 'COCO', 'keypoint AP'): 77.3}),
    ('td-hm_hrnetv1-w32-product_scratch-210e_coco-256x192', {(BODY, 'COCO', 'keypoint AP'): 54.7}),
    ('td-hm_hrnetv1-w32_210e_mpii-256x256', {(BODY, 'MPII', 'PCKh@0.5'): 90.0, (BODY, 'MPII', 'PCKh@0.1'): 33.4}),
    ('td-hm_hrnetv2-w18_60e_300w-256x256', {(FACE, '300W', f'NME {subset}'): value for subset, value in dict(
        common=2.92, challenge=5.64, full=3.45, test=4.10).items()}),
    ('fcn_hrnetv2-w18_120k_cityscapes', {}),  # mmsegmentation's result has another recipe
    ('fcn_hrnetv2-w48_120k_cityscapes', {(SEG, 'Cityscapes', 'mIoU'): 81.1}),
    ('fcn_hrnetv2-w48_110k_lip', {(SEG, 'LIP', 'mIoU (flip)'): 55.9}),
    ('ocr_hrnetv2-w48_150k_ade20k', {(SEG, 'ADE20K', 'mIoU'): 44.5, (SEG, 'ADE20K', 'mIoU (ms+flip)'): 45.5}),
    ('ocr_hrnetv2-w48_60k_pascal-context-60', {(SEG, 'Pascal Context', 'mIoU (ms+flip)'): 50.1})])
def test_results(name, expected):
    assert results(name) == expected


def test_metadata():
    assert index()['htc_hrnetv2p-w18_20e_coco']['Metadata'] == {'Epochs': 20, 'Training Memory (GB)': 10.8}
    assert index()['cascade-mask-rcnn_hrnetv2p-w32_20e_coco']['Metadata'] == {'Epochs': 20}  # mmdet's has none
    assert index()['ocr_hrnetv2-w48_110k_lip']['Metadata'] == {'Iterations': 110000}
