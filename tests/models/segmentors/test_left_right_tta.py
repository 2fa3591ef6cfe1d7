"""Test-time augmentation that swaps left and right classes in flipped images."""

from __future__ import annotations

import pytest
import torch
from mmengine.registry import MODELS
from torch import nn

pytest.importorskip('mmseg')
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from hrnet_plugin.models.segmentors import LeftRightTTAModel


class _Model(nn.Module):
    out_channels = 4

    def test_step(self, data):
        raise NotImplementedError


def sample(logits, flip, direction='horizontal'):
    made = SegDataSample(metainfo=dict(flip=flip, flip_direction=direction if flip else None, img_path='x'))
    made.seg_logits = PixelData(data=logits)
    return made


def test_pairs_are_swapped_in_flipped_views_only():
    model = LeftRightTTAModel([(1, 2)], module=_Model())
    left = torch.zeros(4, 3, 5)
    left[1] = 4.
    mirrored = torch.zeros(4, 3, 5)
    mirrored[2] = 4.  # a left arm in the mirror
    merged, = model.merge_preds([[sample(left.clone(), False), sample(mirrored.clone(), True)]])
    assert (merged.pred_sem_seg.data == 1).all()
    both_plain, = model.merge_preds([[sample(left.clone(), False), sample(mirrored.clone(), False)]])
    assert not (both_plain.pred_sem_seg.data == 3).any()
    upside_down, = model.merge_preds([[sample(3 * left, False), sample(3 * left, True, 'vertical')]])
    assert (upside_down.pred_sem_seg.data == 1).all()


def test_build_from_config():
    model = MODELS.build(dict(type='hrnet_plugin.LeftRightTTAModel', swap_seg_labels=[(0, 1)], module=_Model()))
    assert model.pairs == [(0, 1)]


@pytest.mark.parametrize(('pairs', 'error'), [([(1, 2, 3)], ValueError), ([(1, -2)], ValueError), ([5], TypeError)])
def test_wrong_pairs(pairs, error):
    with pytest.raises(error, match='each pair of swap_seg_labels'):
        LeftRightTTAModel(pairs, module=_Model())
