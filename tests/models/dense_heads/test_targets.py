"""Training targets against a reference and against mmdet."""

from __future__ import annotations

import math

import pytest
import torch

pytest.importorskip('mmdet')
from hrnet_plugin.models.dense_heads.targets import triplet_targets


def reference_radius(height, width, overlap):
    """Search the largest integer radius of corners for which the IoU is at least ``overlap``.

    A box may be moved by the radius, shrunk or enlarged by it on each side.
    """
    def kept(r):
        moved = (width - r) * (height - r) / (2 * width * height - (width - r) * (height - r))
        shrunk = (width - 2 * r) * (height - 2 * r) / (width * height) if 2 * r < min(height, width) else 0
        grown = width * height / ((width + 2 * r) * (height + 2 * r))
        return r < min(height, width) and min(moved, shrunk, grown) >= overlap

    radius = 0
    while kept(radius + 1):
        radius += 1
    return radius


def reference_targets(boxes, labels, heat_shape, image_shape, overlap):
    """Compute heatmaps, locations (image, y, x) and offsets of the three keypoint types with loops."""
    batch, _, height, width = heat_shape
    heats = [torch.zeros(heat_shape, dtype=torch.float64) for _ in range(3)]
    cells, offsets = [[], [], []], [[], [], []]
    for image in range(batch):
        for box, label in zip(boxes[image].double().tolist(), labels[image].tolist()):
            x1, x2 = (x * width / image_shape[1] for x in box[::2])
            y1, y2 = (y * height / image_shape[0] for y in box[1::2])
            radius = reference_radius(math.ceil(y2 - y1), math.ceil(x2 - x1), overlap)
            for kind, (x, y) in enumerate([(x1, y1), (x2, y2), ((x1 + x2) / 2, (y1 + y2) / 2)]):
                column, row = min(int(x), width - 1), min(int(y), height - 1)
                sigma = (2 * radius + 1) / (6, 6, 5)[kind]
                for i in range(height):
                    for j in range(width):
                        if max(abs(i - row), abs(j - column)) <= radius:
                            value = math.exp(-((i - row)**2 + (j - column)**2) / (2 * sigma**2))
                            heats[kind][image, label, i, j] = max(value, heats[kind][image, label, i, j].item())
                cells[kind].append([image, row, column])
                offsets[kind].append([x - column, y - row])
    return heats, cells, offsets


BOXES = [torch.tensor([[3., 5., 80., 70.], [10., 12., 17., 20.], [11., 12., 90., 61.]]), torch.zeros(0, 4),
         torch.tensor([[0., 0., 127., 95.], [120., 80., 127., 95.], [30.5, 40.25, 31., 94.9]])]
LABELS = [torch.tensor([1, 0, 1]), torch.zeros(0, dtype=torch.long), torch.tensor([2, 2, 0])]


@pytest.mark.parametrize('overlap', [0.3, 0.7])
def test_equal_the_reference(overlap):
    shape, image = (3, 3, 24, 32), (95, 127)
    ours = triplet_targets(BOXES, LABELS, shape, image, overlap)
    for target, heat, cells, offsets in zip(ours, *reference_targets(BOXES, LABELS, shape, image, overlap)):
        torch.testing.assert_close(target.heat, heat.float(), rtol=1e-5, atol=1e-6)
        assert list(map(list, target.cells)) == cells
        torch.testing.assert_close(target.offsets, torch.tensor(offsets), rtol=1e-5, atol=1e-5)


def test_heatmap_values():
    top_left, bottom_right, center = triplet_targets(BOXES, LABELS, (3, 3, 24, 32), (95, 127), 0.3)
    for target in (top_left, bottom_right, center):
        image, y, x = torch.tensor(target.cells).unbind(1)
        label = torch.cat(LABELS)
        assert target.heat[image, label, y, x].eq(1).all()
        assert target.heat.eq(1).sum() == len({*zip(image.tolist(), label.tolist(), y.tolist(), x.tolist())})
        assert target.heat.min() >= 0
        assert not target.heat[1].any()


def test_corners_equal_mmdet():
    from mmdet.models.dense_heads import CornerHead
    head = CornerHead(3, 4, num_feat_levels=1)
    theirs = head.get_targets(BOXES, LABELS, (3, 3, 24, 32), (95, 127), with_corner_emb=True)
    top_left, bottom_right, _ = triplet_targets(BOXES, LABELS, (3, 3, 24, 32), (95, 127), 0.3)
    for target, name in ((top_left, 'topleft'), (bottom_right, 'bottomright')):
        torch.testing.assert_close(target.heat, theirs[f'{name}_heatmap'], rtol=1e-5, atol=1e-6)
        last = {tuple(cell): offset for cell, offset in zip(target.cells, target.offsets)}
        for (image, y, x), offset in last.items():  # mmdet stores one offset per location, that of the last object
            torch.testing.assert_close(theirs[f'{name}_offset'][image, :, y, x], offset, atol=1e-5, rtol=0)
    pairs = [list(map(list, zip(*cells))) for cells in zip(top_left.cells_per_image(), bottom_right.cells_per_image())]
    assert pairs == theirs['corner_embedding']


def test_gather():
    target = triplet_targets(BOXES, LABELS, (3, 3, 24, 32), (95, 127), 0.3)[0]
    maps = torch.rand(3, 2, 24, 32)
    for row, (image, y, x) in zip(target.gather(maps), target.cells):
        assert row.tolist() == maps[image, :, y, x].tolist()


def test_keypoints_outside_of_the_image_are_clamped():
    target = triplet_targets([torch.tensor([[-9., -9., 200., 150.]])], [torch.tensor([0])], (1, 1, 24, 32), (95, 127),
                             0.3)
    assert [kind.cells for kind in target[:2]] == [[(0, 0, 0)], [(0, 23, 31)]]


def test_images_without_objects():
    for target in triplet_targets(BOXES[1:2], LABELS[1:2], (1, 3, 24, 32), (95, 127), 0.3):
        assert not target.heat.any()
        assert target.cells == []
        assert target.offsets.shape == (0, 2)
        assert target.cells_per_image() == [[]]
