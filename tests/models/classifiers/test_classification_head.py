"""Classification head: shapes, and checks of feature maps."""

from __future__ import annotations

import pytest
import torch

from hrnet_plugin.models import ClassificationHead


def feature_maps(size=64):
    return [torch.randn(2, 16 * 2**b, size // 2**(b + 2), size // 2**(b + 2)) for b in range(4)]


def test_logits_and_merged_feature_map():
    head = ClassificationHead(arch='w18_small_v1', num_classes=7).eval()
    feats = feature_maps()
    assert head(feats).shape == (2, 7)
    assert head.merge(feats).shape == (2, 1024, 2, 2)


def test_wrong_feature_maps_and_arguments():
    head = ClassificationHead((16, 32, 64, 128))
    with pytest.raises(ValueError, match='4 feature maps'):
        head(feature_maps()[:3])
    with pytest.raises(ValueError, match='must have 4 entries'):
        ClassificationHead((16, 32))
    with pytest.raises(ValueError, match='num_classes'):
        ClassificationHead(arch='w18', num_classes=0)
