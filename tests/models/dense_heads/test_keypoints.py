"""The best keypoints of a heat map, with their offsets and embeddings."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip('mmdet')

from hand_made import batch_of, keypoint_maps

from hrnet_plugin.models.dense_heads.keypoints import best_keypoints, corners_embedding


def test_best_first_moved_by_their_offsets():
    first = keypoint_maps((0, 3, 4, 0.6, 1.5), (2, 10, 20, 0.9, -1., (0.25, 0.5)))
    found = best_keypoints(batch_of(first, keypoint_maps((1, 5, 6, 0.7))), k=2, kernel=3)
    assert found.points.shape == (2, 2, 2)
    assert found.points[0].tolist() == [[10.25, 20.5], [3., 4.]]
    assert found.labels[0].tolist() == [2, 0]
    assert found.embeddings[0].tolist() == [-1., 1.5]
    assert found.scores[0].tolist() == pytest.approx([0.9, 0.6])
    assert found.points[1, 0].tolist() == [5., 6.]


def test_only_the_best_of_a_neighborhood_counts():
    found = best_keypoints(keypoint_maps((0, 10, 10, 0.9), (0, 11, 10, 0.8), (0, 13, 10, 0.7)), k=3, kernel=3)
    assert found.scores[0].tolist() == pytest.approx([0.9, 0.7, 0.])


def test_fewer_cells_than_keypoints():
    found = best_keypoints(keypoint_maps((0, 0, 0, 0.9), classes=1, height=2, width=2), k=100, kernel=3)
    assert found.scores.shape == (1, 4)


def test_centers_have_no_embedding():
    assert best_keypoints(keypoint_maps((0, 1, 1, 0.9), corners=False), k=1, kernel=3).embeddings is None
    with pytest.raises(ValueError, match='embedding'):
        corners_embedding(None)
    embedding = torch.zeros(1)
    assert corners_embedding(embedding) is embedding
