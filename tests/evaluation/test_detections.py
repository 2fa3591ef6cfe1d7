"""Tests of detections in COCO's results format."""

from __future__ import annotations

from hrnet_plugin.evaluation.detections import keep_shape, kind_of, short


def test_kinds():
    box, mask, points = dict(bbox=[1, 2, 3, 4], score=1), dict(segmentation={}, score=1), dict(keypoints=[], score=1)
    assert [kind_of(box), kind_of(mask), kind_of({**box, **mask})] == ['bbox', 'segm', 'segm']
    assert [kind_of(points), kind_of({**points, **box}), kind_of({**mask, **points})] == ['keypoints'] * 3
    assert keep_shape('keypoints', {**box, **mask, **points, 'area': 1, 'caption': 'a'}) == points
    assert keep_shape('segm', {**box, **mask}) == mask
    assert keep_shape('bbox', {**box, **mask}) == keep_shape('bbox', box) == box


def test_short_representations():
    assert [short(value) for value in ([1, 2.5, 'a'], None, {'a': [1]})] == ["[1, 2.5, 'a']", 'None', "{'a': [1]}"]
    nested = []
    for _ in range(100000):
        nested = [nested]
    for value in (nested, 'x' * 10**6, [0.123456] * 10**6, dict.fromkeys(range(10**5)), 10**1000, '\n\ud800'):
        text = short(value)
        assert len(text) <= 60
        assert text.isascii()
        assert text.isprintable()
