"""Argument checks of segmentation heads."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from torch import nn

pytest.importorskip('mmseg')

from hrnet_plugin.models.decode_heads.head_options import (
    branch_indices,
    check_class_weights,
    check_inherited_options,
    check_options,
)


def test_branch_indices():
    assert branch_indices(None, 3) == (0, 1, 2)
    assert branch_indices([2, 0], 2) == (2, 0)
    with pytest.raises(ValueError, match='must have 3 entries'):
        branch_indices([0, 1], 3)
    with pytest.raises(TypeError, match='in_index'):
        branch_indices('01', 2)


@pytest.mark.parametrize(('options', 'error', 'words'), [
    ((0, False, None, -1), ValueError, 'num_classes'), ((2, 1, None, -1), TypeError, 'align_corners'),
    ((2, False, 'BN', -1), TypeError, 'norm_cfg'), ((2, False, None, '0.1'), TypeError, 'dropout_ratio')])
def test_options(options, error, words):
    with pytest.raises(error, match=words):
        check_options(*options)


def test_unknown_options_are_rejected():
    class Parent(nn.Module):
        def __init__(self, known=1):
            super().__init__()

    check_inherited_options('FCNHead', Parent, dict(known=2))
    with pytest.raises(TypeError, match='unknown'):
        check_inherited_options('FCNHead', Parent, dict(unknown=2))


def test_class_weights():
    loss = SimpleNamespace(class_weight=[1., 2.])
    check_class_weights(SimpleNamespace(loss_decode=loss, num_classes=2))
    with pytest.raises(ValueError, match='must have 3 entries'):
        check_class_weights(SimpleNamespace(loss_decode=loss, num_classes=3))
