"""Samples that the pipeline of a dataset has loaded: channels, label maps and failures."""

from __future__ import annotations

import re

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import RepeatDataset
from torch import nn

from hrnet_plugin.data_checks import samples
from hrnet_plugin.data_checks.samples import check_samples, label_rules
from hrnet_plugin.hosts import MMSEG
from hrnet_plugin.models import HRNet
from hrnet_plugin.training.hooks.random_state import random_state

pytest.importorskip('mmseg')
from mmseg.datasets import BaseSegDataset


class Model(nn.Module):

    def __init__(self):
        super().__init__()
        self.backbone = HRNet('w18_small_v1')
        self.decode_head = nn.Identity()
        self.decode_head.ignore_index = 255


@pytest.fixture
def folder(tmp_path):
    """Write four RGB images and label maps with the classes 0 and 1, and ignored pixels."""
    rng = np.random.default_rng(0)
    for kind in ('images', 'labels'):
        (tmp_path / kind).mkdir()
    for k in range(4):
        cv2.imwrite(str(tmp_path / f'images/{k}.png'), rng.integers(0, 256, (8, 8, 3), np.uint8))
        write_labels(tmp_path, k, [0, 1, 255])
    return tmp_path


def write_labels(folder, number, values):
    labels = np.resize(np.array(values, np.uint8), (8, 8))
    cv2.imwrite(str(folder / f'labels/{number}.png'), labels)


def findings(folder, most=100, color_type='color', split='train', ignore_index=255, wrapped=False, **changes):
    from mmseg.utils import register_all_modules
    register_all_modules()
    pipeline = [dict(type='LoadImageFromFile', color_type=color_type), dict(type='LoadAnnotations'),
                dict(type='PackSegInputs')]
    config = Config(dict(default_scope='mmseg', val_evaluator=dict(type='IoUMetric', ignore_index=ignore_index)))
    dataset = BaseSegDataset(**dict(
        dict(data_root=str(folder), data_prefix=dict(img_path='images', seg_map_path='labels'), img_suffix='.png',
             metainfo=dict(classes=('a', 'b')), pipeline=pipeline), **changes))
    if wrapped:
        dataset = RepeatDataset(dataset, times=2)
    rules = label_rules(MMSEG, config, split, dataset, Model())
    return [finding.message for finding in check_samples(dataset, 'train_dataloader.dataset', Model(), rules, most)]


def test_right_label_maps_have_no_findings(folder):
    assert findings(folder) == []


def test_labels_beyond_the_classes_are_named_with_their_image(folder):
    write_labels(folder, 2, [0, 5])
    message, = findings(folder)
    assert 'below 2, the number of classes, or an ignored value (255)' in message
    assert re.search(r'got 5\. .*images: \S*images/2\.png', message)


def test_reduce_zero_label_and_label_maps_are_those_of_the_dataset(folder):
    for k in range(4):
        write_labels(folder, k, [0, 1, 2])
    assert len(findings(folder)) == 1
    assert findings(folder, reduce_zero_label=True) == []


def test_only_some_evenly_spaced_samples_are_read(folder):
    write_labels(folder, 1, [0, 5])
    assert findings(folder, most=2) == []
    assert len(findings(folder, most=4)) == 1


def test_images_that_do_not_load_are_named(folder):
    (folder / 'images/3.png').write_bytes(b'no image')
    message, = findings(folder)
    assert re.search(r'must load all samples, but sample 3 failed', message)


def test_images_with_different_channels_are_named(folder):
    gray = np.zeros((8, 8), np.uint8)
    cv2.imwrite(str(folder / 'images/1.png'), gray)
    mixed, other = findings(folder, color_type='unchanged')
    assert re.search(r'the same number of channels, got 1: \S*images/1.png; 3: ', mixed)
    assert re.search(r'which have 1 channels, got model\.backbone\.in_channels=3', other)


def test_wrapped_datasets_are_checked(folder):
    assert findings(folder, wrapped=True) == []
    write_labels(folder, 2, [0, 5])
    assert len(findings(folder, wrapped=True)) == 1


def test_datasets_without_classes_are_not_checked(folder):
    write_labels(folder, 2, [0, 5])
    assert findings(folder, metainfo=None) == []


def test_evaluations_ignore_the_labels_of_their_metric(folder):
    """The metric of mmseg counts labels that only the loss ignores."""
    assert findings(folder, split='val') == []
    message, = findings(folder, split='val', ignore_index=7)
    assert 'an ignored value (7), got 255' in message


def test_colored_label_maps_are_named(folder):
    cv2.imwrite(str(folder / 'labels/1.png'), np.zeros((8, 8, 3), np.uint8))
    message, = findings(folder)
    assert 'must have one channel, got the shape (8, 8, 3)' in message


def test_label_maps_of_another_size_are_named_in_training(folder):
    cv2.imwrite(str(folder / 'labels/1.png'), np.zeros((4, 8), np.uint8))
    message, = findings(folder)
    assert 'must have the size of the image, (8, 8), got (4, 8)' in message
    assert findings(folder, split='val') == []  # test pipelines load label maps after resizing


def test_random_numbers_are_not_used_up(folder, monkeypatch):
    """Runs with and without the check draw the same augmentations."""
    states = []

    def draw(*args):
        states.append((torch.rand(1).item(), np.random.rand()))
        return []

    monkeypatch.setattr(samples, '_findings', draw)
    pipeline = [dict(type='LoadImageFromFile'), dict(type='LoadAnnotations'), dict(type='RandomFlip', prob=0.5),
                dict(type='PackSegInputs')]
    for most in (1, 4):
        monkeypatch.setattr(samples, 'random_state', lambda: seed_all() or random_state())
        findings(folder, most=most, pipeline=pipeline)
    assert states[0] == states[1]


def seed_all():
    torch.manual_seed(3)
    np.random.seed(3)
