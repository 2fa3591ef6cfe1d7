"""Transforms of the official multi-scale recipes, on images whose pixels contain their coordinates."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose

from hrnet_plugin.config_files import cfg
from hrnet_plugin.training.transforms import OrientedPad, RandomCropAroundBox

pytest.importorskip('mmdet')
from mmdet.structures.bbox import HorizontalBoxes
from mmdet.structures.mask import BitmapMasks

pytestmark = pytest.mark.usefixtures('mmdet_scope')


def picture(width, height, boxes=()):
    """Return a sample in which pixel (x, y) has the values (x, y, 0), and masks are the boxes."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    masks = np.zeros((len(boxes), height, width), np.uint8)
    for mask, (left, top, right, bottom) in zip(masks, boxes):
        mask[top:bottom, left:right] = 1
    return dict(
        img=np.stack([x, y, np.zeros_like(x)], -1).astype(np.float32), img_shape=(height, width),
        gt_bboxes=HorizontalBoxes(torch.tensor(boxes, dtype=torch.float).reshape(-1, 4)),
        gt_bboxes_labels=np.arange(len(boxes)), gt_ignore_flags=np.zeros(len(boxes), bool),
        gt_masks=BitmapMasks(masks, height, width), gt_seg_map=(x + y).astype(np.int64))


@pytest.mark.parametrize(('width', 'height', 'padded'), [
    (100, 60, (64, 160)), (60, 100, (160, 64)), (64, 64, (64, 160)), (160, 64, (64, 160))])
def test_padding_of_both_orientations(width, height, padded):
    results = OrientedPad((160, 64)).transform(picture(width, height, [(1, 2, 30, 40)]))
    assert results['img'].shape[:2] == results['gt_masks'].masks.shape[1:] == results['gt_seg_map'].shape == padded
    assert (results['img'][:height, :width] == picture(width, height)['img']).all()
    assert (results['img'][height:] == 0).all()
    assert results['gt_bboxes'].tensor.tolist() == [[1, 2, 30, 40]]
    assert results['img_shape'] == (height, width)


def test_a_larger_image_raises():
    with pytest.raises(ValueError, match=r'size must not be smaller than an image, got \(160, 64\) for .* 170 x 60'):
        OrientedPad((160, 64)).transform(picture(170, 60))


@pytest.mark.parametrize('turned', [False, True])
def test_crops_of_image_boxes_and_masks_agree(turned):
    boxes = [(10, 10, 30, 40), (150, 60, 190, 90), (60, 5, 70, 20), (0, 0, 200, 100)]
    size, image = (80, 50), (200, 100)
    if turned:
        boxes, image = [(y0, x0, y1, x1) for x0, y0, x1, y1 in boxes], (100, 200)
    seen = set()
    for seed in range(60):
        np.random.seed(seed)
        before = picture(*image, boxes)
        after = RandomCropAroundBox(size, noise=(3, 2)).transform(before)
        height, width = after['img'].shape[:2]
        assert (width, height) == (size[::-1] if turned else size)
        assert after['img_shape'] == (height, width)
        x, y = after['img'][0, 0, :2].astype(int)
        assert (after['img'][-1, -1, :2] == (x + width - 1, y + height - 1)).all()
        assert (after['gt_seg_map'] == after['img'][..., 0] + after['img'][..., 1]).all()
        kept = after['gt_bboxes_labels'].tolist()
        inside = [i for i, (x0, y0, x1, y1) in enumerate(boxes)
                  if x < (x0 + x1) / 2 < x + width and y < (y0 + y1) / 2 < y + height]
        assert kept == inside != []
        for box, mask, label in zip(after['gt_bboxes'].tensor.tolist(), after['gt_masks'].masks, kept):
            x0, y0, x1, y1 = boxes[label]
            clipped = [max(x0 - x, 0), max(y0 - y, 0), min(x1 - x, width), min(y1 - y, height)]
            assert box == clipped
            assert mask.sum() == (clipped[2] - clipped[0]) * (clipped[3] - clipped[1])
        assert len(after['gt_ignore_flags']) == len(kept)
        seen |= set(kept)
    assert seen == {0, 1, 2, 3}


def test_maximum_noise():
    corners = []
    for seed in range(300):
        np.random.seed(seed)
        after = RandomCropAroundBox((20, 20), noise=(7, 3)).transform(picture(200, 100, [(90, 40, 110, 60)]))
        corners.append(after['img'][0, 0, :2])
    assert np.min(corners, 0).tolist() == [90 - 7, 40 - 3]
    assert np.max(corners, 0).tolist() == [90 + 7, 40 + 3]


def test_crowds_are_not_chosen():
    for seed in range(30):
        np.random.seed(seed)
        before = picture(200, 100, [(10, 10, 30, 40), (150, 60, 190, 90)])
        before['gt_ignore_flags'] = np.array([False, True])
        after = RandomCropAroundBox((80, 50)).transform(before)
        assert after['gt_bboxes_labels'].tolist() == [0]
    before['gt_ignore_flags'] = np.array([True])  # no box left to choose: random position
    assert RandomCropAroundBox((20, 20)).transform(before)['img'].shape == (20, 20, 3)


def test_small_and_empty_images():
    assert RandomCropAroundBox((80, 50)).transform(picture(40, 30, [(1, 1, 9, 9)]))['img'].shape == (30, 40, 3)
    assert RandomCropAroundBox((80, 50)).transform(picture(200, 100))['img'].shape == (50, 80, 3)


@pytest.mark.parametrize(('make', 'message'), [
    (lambda: OrientedPad((5, )), 'size must have 2 entries'), (lambda: OrientedPad(5), 'size must be a sequence'),
    (lambda: RandomCropAroundBox((5, 0)), 'each entry of size'),
    (lambda: RandomCropAroundBox((5, 5), (-1, 0)), 'each entry of noise')])
def test_wrong_arguments(make, message):
    with pytest.raises((TypeError, ValueError), match=message):
        make()


@pytest.mark.parametrize(('recipe', 'sizes'), [
    ('ms', {(1600, 1024), (1024, 1600)}), ('crop', {(1216, 800), (800, 1216)})])
def test_recipes_have_one_size_per_orientation(recipe, sizes):
    config = Config.fromfile(cfg(f'faster-rcnn_hrnetv2p-w18_syncbn-{recipe}-1x_coco'))
    pipeline = config.train_dataloader.dataset.pipeline
    steps = Compose([step for step in pipeline if not step['type'].startswith(('Load', 'Pack'))])
    for seed in range(6):
        np.random.seed(seed)
        for image, boxes in (((640, 427), [(100, 100, 200, 300)]), ((427, 640), [(100, 100, 200, 300)])):
            results = picture(*image, boxes)
            del results['gt_seg_map'], results['gt_masks']
            padded = steps(results)['img']
            height, width = padded.shape[:2]
            assert (width, height) in sizes
            assert (width > height) == (image[0] > image[1])
            # zero once the preprocessor has subtracted its mean, which is in RGB
            mean = np.array(config.model.data_preprocessor.mean)[::-1]
            inside = results['img_shape']
            assert np.allclose(padded[inside[0]:], mean)
            assert np.allclose(padded[:, inside[1]:], mean)
            assert padded[inside[0]:].size + padded[:, inside[1]:].size > 0
