"""Decoding options of the triplet head (test_cfg)."""

from __future__ import annotations

import pytest

pytest.importorskip('mmdet')
from hrnet_plugin.models.dense_heads.central_region import CentralRegion
from hrnet_plugin.models.dense_heads.decode_config import DecodeConfig


def test_defaults_are_those_of_the_paper():
    config = DecodeConfig.from_cfg(None)
    assert (config.corner_topk, config.center_topk, config.max_per_img) == (70, 70, 100)
    assert config.central_region == CentralRegion(150, 3, 5)
    assert config.nms == dict(type='soft_nms', iou_threshold=0.5, method='gaussian')
    assert DecodeConfig.from_cfg({}) == config


def test_entries_replace_the_defaults():
    config = DecodeConfig.from_cfg(dict(corner_topk=5, central_region=dict(scale=32), nms=None))
    assert (config.corner_topk, config.center_topk, config.nms) == (5, 70, None)
    assert config.central_region == CentralRegion(32, 3, 5)
    assert DecodeConfig.from_cfg(dict(central_region=None)).central_region is None


@pytest.mark.parametrize(('entries', 'error', 'message'), [
    (dict(score_thr=0.1), ValueError, "test_cfg of .* must be among corner_topk, .*, got 'score_thr'"),
    (dict(central_region=dict(n=3)), ValueError,
     "test_cfg.central_region .* must be among scale, small, large, got 'n'"),
    (dict(central_region=3), TypeError, 'test_cfg.central_region must be a mapping or None, got 3'),
    (dict(corner_topk=0), ValueError, 'test_cfg.corner_topk must be at least 1, got 0'),
    (dict(max_per_img=1.5), TypeError, 'test_cfg.max_per_img must be an int, got 1.5'),
    (dict(local_maximum_kernel=4), ValueError, 'test_cfg.local_maximum_kernel must be odd, got 4'),
    (dict(distance_threshold=-1), ValueError, 'test_cfg.distance_threshold must be above 0, got -1'),
    (dict(nms=dict(type='soft_nmss')), ValueError,
     "test_cfg.nms.type must be one of 'nms', 'soft_nms', got 'soft_nmss'"),
    (dict(nms=dict(type='nms', iou_threshold=0.5, method='gaussian')), ValueError,
     "test_cfg.nms with type 'nms' must be among class_agnostic, iou_threshold, .*, got 'method'"),
    (dict(nms=0.5), TypeError, "test_cfg.nms must be a mapping with the key 'type' or None, got 0.5")])
def test_mistakes(entries, error, message):
    with pytest.raises(error, match=message):
        DecodeConfig.from_cfg(entries)
