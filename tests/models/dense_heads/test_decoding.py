"""Decoding of synthetic predictions."""

from __future__ import annotations

import math

import pytest
import torch
from synthetic_maps import CLASSES, META, batch_of, keypoint_maps

pytest.importorskip('mmdet')
from hrnet_plugin.models.dense_heads import CenterTripletHead

pytestmark = pytest.mark.usefixtures('mmdet_scope')


@pytest.fixture(scope='module')
def head(mmdet_scope):
    return CenterTripletHead(CLASSES, 4, feat_channels=4, pool_channels=2)


def triplet():
    """Return two corners and a center keypoint of class 1."""
    return (keypoint_maps((1, 5, 4, 0.9)), keypoint_maps((1, 25, 20, 0.6)),
            keypoint_maps((1, 15, 12, 0.3), corners=False))


def detect(head, top_left, bottom_right, center, metas=(META, ), rescale=False, **test_cfg):
    return head.predict_by_feat(top_left, bottom_right, center, list(metas), cfg=test_cfg, rescale=rescale)


def one(*args, **kwargs):
    result, = detect(*args, **kwargs)
    return result.bboxes.tolist(), [round(score, 4) for score in result.scores.tolist()], result.labels.tolist()


def test_one_triplet(head):
    """Check the box in pixels, and that the score is the mean of the three keypoints."""
    maps = triplet()
    assert one(head, *maps) == ([[20, 16, 100, 80]], [0.6], [1])


def test_pairs_without_center_keypoint_are_dropped(head):
    pair = keypoint_maps((1, 5, 4, 0.9)), keypoint_maps((1, 25, 20, 0.6))
    assert one(head, *pair, keypoint_maps(corners=False)) == ([], [], [])
    beside = keypoint_maps((1, 20, 12, 0.9), corners=False)
    assert one(head, *pair, beside) == ([], [], [])
    assert one(head, *pair, beside, central_region=None) == ([[20, 16, 100, 80]], [0.75], [1])


def test_center_keypoints_of_other_classes_are_ignored(head):
    pair = keypoint_maps((1, 5, 4, 0.9)), keypoint_maps((1, 25, 20, 0.6))
    assert one(head, *pair, keypoint_maps((2, 15, 12, 0.9), corners=False)) == ([], [], [])
    both = keypoint_maps((2, 15, 12, 0.9), (1, 14, 12, 0.3), corners=False)
    assert one(head, *pair, both)[1] == [0.6]


def test_best_of_several_center_keypoints(head):
    pair = keypoint_maps((1, 5, 4, 0.9)), keypoint_maps((1, 25, 20, 0.6))
    centers = keypoint_maps((1, 14, 11, 0.3), (1, 16, 13, 0.9), (1, 13, 14, 0.5), corners=False)
    assert one(head, *pair, centers)[1] == [0.8]


@pytest.mark.parametrize(('side', 'found'), [(36, True), (37, True), (38, False), (50, False)])
def test_the_central_region_is_smaller_above_150(head, side, found):
    """Test a center keypoint at 0.38 of the box: in its middle third, not in its middle fifth.

    37 heatmap pixels are 148 pixels of the input.
    """
    maps = (keypoint_maps((0, 2, 2, 0.9), height=64, width=64), keypoint_maps((0, 2 + side, 2 + side, 0.9), height=64,
                                                                              width=64))
    at = 2 + 0.38 * side
    cell = int(at)
    center = keypoint_maps((0, cell, cell, 0.9, 0, (at - cell, at - cell)), height=64, width=64, corners=False)
    meta = dict(img_shape=(256, 256))
    assert (len(detect(head, *maps, center, [meta])[0]) == 1) is found
    # the box scale is measured in the original image
    small = dict(meta, scale_factor=(2., 2.))
    assert len(detect(head, *maps, center, [small])[0]) == 1
    large = dict(meta, scale_factor=(.5, .5))
    assert len(detect(head, *maps, center, [large])[0]) == 0


def test_offsets_of_corners_and_centers(head):
    top_left = keypoint_maps((1, 5, 4, 0.9, 0, (0.25, 0.5)))
    bottom_right = keypoint_maps((1, 25, 20, 0.9, 0, (0.75, 0.)))
    center = keypoint_maps((1, 15, 12, 0.9), corners=False)
    assert one(head, top_left, bottom_right, center)[0] == [[21, 18, 103, 80]]
    # the middle third begins at 12.08: an offset of 0.7 is too small, and 1.2 is enough
    outside = keypoint_maps((1, 11, 12, 0.9, 0, (0.7, 0.)), corners=False)
    assert not one(head, top_left, bottom_right, outside)[0]
    inside = keypoint_maps((1, 11, 12, 0.9, 0, (1.2, 0.)), corners=False)
    assert one(head, top_left, bottom_right, inside)[0]


@pytest.mark.parametrize(('second', 'paired'), [(0.4, True), (0.6, False), (-0.5, True), (-0.7, False)])
def test_pairing_by_embeddings(head, second, paired):
    center = keypoint_maps((1, 15, 12, 0.9), corners=False)
    pair = keypoint_maps((1, 5, 4, 0.9, 0.)), keypoint_maps((1, 25, 20, 0.9, second))
    assert bool(one(head, *pair, center)[0]) is paired
    assert one(head, *pair, center, distance_threshold=0.8)[0]


@pytest.mark.parametrize('bottom_right', [(1, 5, 20), (1, 25, 4), (1, 3, 20), (0, 25, 20)])
def test_corners_of_wrong_order_or_class_are_not_paired(head, bottom_right):
    maps = keypoint_maps((1, 5, 4, 0.9)), keypoint_maps((*bottom_right, 0.9)), keypoint_maps(corners=False)
    assert one(head, *maps, central_region=None) == ([], [], [])


def test_crossed_pairs_are_filtered(head):
    """Test two objects of one class side by side, with four possible corner pairs."""
    top_left = keypoint_maps((0, 2, 2, 0.9, 1.), (0, 22, 3, 0.8, 3.))
    bottom_right = keypoint_maps((0, 16, 20, 0.9, 1.1), (0, 36, 21, 0.8, 2.9))
    center = keypoint_maps((0, 9, 11, 0.9), (0, 29, 12, 0.8), corners=False)
    assert one(head, top_left, bottom_right, center)[0] == [[8, 8, 64, 80], [88, 12, 144, 84]]
    found = one(head, top_left, bottom_right, center, distance_threshold=5)[0]
    assert found == [[8, 8, 64, 80], [88, 12, 144, 84]]
    assert len(one(head, top_left, bottom_right, center, distance_threshold=5, central_region=None)[0]) == 3


def test_heatmap_nms(head):
    top_left = keypoint_maps((1, 5, 4, 0.9), (1, 6, 5, 0.8), (1, 9, 4, 0.7))
    maps = top_left, keypoint_maps((1, 25, 20, 0.6)), keypoint_maps((1, 15, 12, 0.3), corners=False)
    assert [box[0] for box in one(head, *maps, nms=None)[0]] == [20, 36]
    assert [box[0] for box in one(head, *maps, nms=None, local_maximum_kernel=1)[0]] == [20, 24, 36]


def test_numbers_of_keypoints_pairs_and_detections(head):
    top_left = keypoint_maps(*((1, 1 + 2 * i, 4, 0.9 - i / 100) for i in range(4)))
    maps = top_left, keypoint_maps((1, 25, 20, 0.6)), keypoint_maps((1, 14, 12, 0.3), (1, 15, 9, .9), corners=False)
    assert len(one(head, *maps, nms=None)[0]) == 4
    assert len(one(head, *maps, nms=None, corner_topk=2)[0]) == 2
    assert len(one(head, *maps, nms=None, max_pairs=3)[0]) == 3
    assert len(one(head, *maps, nms=None, max_per_img=1)[0]) == 1
    worse, better = (keypoint_maps((1, 15, 12, 0.3), corners=False), keypoint_maps((2, 3, 3, 0.9), (1, 15, 12, 0.3),
                                                                                   corners=False))
    assert one(head, *maps[:2], worse, center_topk=1)[0]
    assert not one(head, *maps[:2], better, center_topk=1)[0]


def test_soft_nms_within_a_class(head):
    top_left = keypoint_maps((1, 5, 4, 0.9), (1, 5, 6, 0.8), (2, 8, 4, 0.8))
    bottom_right = keypoint_maps((1, 25, 20, 0.9), (2, 28, 20, 0.8))
    center = keypoint_maps((1, 15, 12, 0.9), (2, 18, 12, 0.8), corners=False)
    _, scores, labels = one(head, top_left, bottom_right, center)
    assert labels == [1, 2, 1]
    assert scores[:2] == [0.9, 0.8]
    overlap = 14 / 16
    assert scores[2] == pytest.approx((2 * 0.85 + 0.9) / 3 * math.exp(-overlap**2 / 0.5), abs=1e-3)


def test_rescale(head):
    maps = triplet()
    meta = dict(img_shape=(120, 160), border=(8., 112., 12., 148.), scale_factor=(2., 4.))
    assert one(head, *maps, [meta])[0] == [[8, 8, 88, 72]]
    assert one(head, *maps, [meta], rescale=True)[0] == [[4, 2, 44, 18]]


def test_boxes_far_outside_of_the_image_are_dropped(head):
    maps = triplet()
    assert one(head, *maps, [dict(img_shape=(120, 160), border=(0., 120., 24., 160.))])[0] == [[0, 16, 76, 80]]
    assert not one(head, *maps, [dict(img_shape=(120, 160), border=(0., 120., 26., 160.))])[0]


def test_an_empty_image(head):
    empty = keypoint_maps(), keypoint_maps(), keypoint_maps(corners=False)
    result, = detect(head, *empty)
    assert result.bboxes.shape == (0, 4)
    assert result.scores.shape == result.labels.shape == (0, )
    assert result.labels.dtype == torch.long


def test_fewer_heatmap_values_than_topk(head):
    tiny = [keypoint_maps((0, x, x, 0.9), height=3, width=3, corners=corners) for x, corners in
            ((0, True), (2, True), (1, False))]
    result, = detect(head, *tiny, [dict(img_shape=(9, 9))])
    assert result.bboxes.tolist() == [[0, 0, 6, 6]]


def random_maps(batch, with_embedding):
    from hrnet_plugin.models.dense_heads.keypoints import KeypointMaps
    # embeddings in [0, 1), so that many corners are paired
    heat = torch.randn(batch, CLASSES, 30, 40) * 2 - 4
    return KeypointMaps(heat, torch.rand(batch, 2, 30, 40), torch.rand(batch, 1, 30, 40) if with_embedding else None)


def test_a_batch_equals_its_images_one_by_one(head):
    maps = random_maps(4, True), random_maps(4, True), random_maps(4, False)
    metas = [dict(META, scale_factor=(1. + i, 1.), border=(2. * i, 118., 3., 150.)) for i in range(4)]
    together = detect(head, *maps, metas, rescale=True)
    for i, result in enumerate(together):
        alone, = detect(head, *(batch_of(type(part)(*(None if x is None else x[i:i + 1] for x in part)))
                                for part in maps), [metas[i]], rescale=True)
        assert len(result) > 20
        for name in ('bboxes', 'scores', 'labels'):
            assert torch.equal(getattr(result, name), getattr(alone, name))


def reference_decode(top_left, bottom_right, center, n_top=70):
    """Decode one image of the size in META with loops over all keypoints and pairs, without NMS."""
    def peaks(maps):
        heat = maps.heat[0].sigmoid()
        found = []
        for label in range(heat.size(0)):
            for y in range(heat.size(1)):
                for x in range(heat.size(2)):
                    around = heat[label, max(0, y - 1):y + 2, max(0, x - 1):x + 2]
                    if heat[label, y, x] == around.max():
                        found.append((heat[label, y, x].item(), label, x + maps.offset[0, 0, y, x].item(),
                                      y + maps.offset[0, 1, y, x].item(),
                                      None if maps.embedding is None else maps.embedding[0, 0, y, x].item()))
        return sorted(found, reverse=True)[:n_top]

    corners, centers = (peaks(top_left), peaks(bottom_right)), peaks(center)
    pairs = [((first[0] + second[0]) / 2, first, second) for first in corners[0] for second in corners[1]
             if first[1] == second[1] and abs(first[4] - second[4]) <= 0.5 and first[2] < second[2]
             and first[3] < second[3]]
    results = []
    for score, first, second in sorted(pairs, key=lambda pair: -pair[0])[:1000]:
        x1, y1, x2, y2 = (4 * value for value in (*first[2:4], *second[2:4]))
        n = 3 if ((x2 - x1) * (y2 - y1))**0.5 <= 150 else 5
        for c_score, c_label, c_x, c_y, _ in centers:
            if c_label == first[1] and all(
                    low + (high - low) * (n - 1) / (2 * n) < 4 * c < high - (high - low) * (n - 1) / (2 * n)
                    for low, high, c in ((x1, x2, c_x), (y1, y2, c_y))):
                box = (min(max(x1, 0), 160), min(max(y1, 0), 120), min(max(x2, 0), 160), min(max(y2, 0), 120))
                results.append((round((2 * score + c_score) / 3, 4), first[1], *(round(v, 2) for v in box)))
                break
    return sorted(results, reverse=True)


def test_equals_reference_decoder(head):
    maps = random_maps(1, True), random_maps(1, True), random_maps(1, False)
    result, = detect(head, *maps, nms=None, max_per_img=1000)
    ours = sorted(((round(score, 4), label, *(round(v, 2) for v in box)) for score, label, box in
                   zip(result.scores.tolist(), result.labels.tolist(), result.bboxes.tolist())), reverse=True)
    theirs = reference_decode(*maps)
    assert len(ours) == len(theirs) > 50
    torch.testing.assert_close(torch.tensor(sorted(ours)), torch.tensor(sorted(theirs)), atol=0.02, rtol=0)
