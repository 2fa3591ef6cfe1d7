"""Boxes and masks of files of detections."""

from __future__ import annotations

from hrnet_plugin.detections import kind_of, only


def test_kinds():
    box, mask = dict(bbox=[1, 2, 3, 4], score=1), dict(segmentation={}, score=1)
    assert [kind_of(box), kind_of(mask), kind_of({**box, **mask})] == ['bbox', 'segm', 'segm']
    assert only('segm', {**box, **mask}) == mask
    assert only('bbox', {**box, **mask}) == only('bbox', box) == box
