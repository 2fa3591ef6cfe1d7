"""Rows, records and a small config that the tests of the reproduction share."""

from __future__ import annotations

import torch

from hrnet_plugin.evaluation.leaderboard.facts import Conditions, DataFacts, ModelFacts, Scores
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.experiments.reproduction import Row

CONFIG = """
default_scope = 'mmseg'
model = dict(type='EncoderDecoder')
data_root = 'data/'
test_dataloader = dict(dataset=dict(type='CityscapesDataset', data_root=data_root,
                                    data_prefix=dict(img_path='images', seg_map_path='labels')))
test_evaluator = dict(type='IoUMetric')
"""


def make_row(**changes):
    """A row of two images with an mIoU of 50."""
    return Row(**{**dict(name='mine', config='mine.py', address='mine.pth', file='mine.pth', expected={'mIoU': 50.},
                         images=2), **changes})


def make_record(mIoU=50., test='', note='', task='segmentation', metrics=None, time='', **data):
    """The record of a test of two images."""
    facts = DataFacts(**{**dict(data='mine', split='val', images=2, whole=False), **data})
    return Record(task=task, time=time, config='mine', data=facts, scores=Scores(metrics=metrics or {'mIoU': mIoU}),
                  model=ModelFacts(note=note), conditions=Conditions(test=test))


def write_project(folder):
    """Write a config, its data and a checkpoint, and return the path of the config."""
    (folder / 'mine.py').write_text(CONFIG)
    for name in ('images', 'labels'):
        (folder / 'data' / name).mkdir(parents=True)
        (folder / 'data' / name / 'a.png').write_bytes(b'a')
    torch.save({'weight': torch.ones(2)}, folder / 'mine.pth')
    return folder / 'mine.py'
